"""Policy posts over HTTP."""

from typing import Annotated, Any

from fastapi import Depends, Query

from chassis.web.auth import Caller, require
from chassis.web.paging import Listing, Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Code, Day, Id
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from visit_api.posts import repository, service
from visit_api.posts.lifecycle import Act
from visit_api.posts.models import PolicyPost
from visit_api.posts.schemas import NewPost, PostView, PublishingList, Return

router = Router(prefix="/v1/online/posts", tags=["online"])
publishing = Router(prefix="/v1/online/publishing", tags=["online"])

Author = Annotated[Principal, Depends(require("visitor", "supervisor", "integration"))]
Approver = Annotated[Principal, Depends(require("supervisor"))]


@router.post("", status_code=201, response_model=PostView)
async def draft_post(new: NewPost, caller: Author, tx: Tx, runtime: TheRuntime) -> PolicyPost:
    """Makes a post about a policy; its words stay as they are."""
    return await service.draft(tx, runtime, caller, new)


@router.get("", response_model=Page[PostView])
async def list_posts(
    caller: Caller,
    tx: Tx,
    window: Paging,
    unit_code: Annotated[Code | None, Query()] = None,
    published: Annotated[bool | None, Query()] = None,
) -> Listing[PolicyPost]:
    """The posts of the caller's unit and of those below it."""
    return await repository.find_all(tx, caller.unit, window, unit_code=unit_code, published=published)


@router.get("/{id}", response_model=PostView)
async def get_post(id: Id, caller: Caller, tx: Tx) -> PolicyPost:
    """One post."""
    return await service.get_post(tx, caller, id)


@router.post("/{id}/submit", response_model=PostView)
async def submit_post(id: Id, caller: Author, tx: Tx, runtime: TheRuntime) -> PolicyPost:
    """Asks for approval."""
    return await service.submit(tx, runtime, caller, id)


@router.post("/{id}/approve", response_model=PostView)
async def approve_post(id: Id, caller: Approver, tx: Tx, runtime: TheRuntime) -> PolicyPost:
    """Approves a post that somebody else wrote and submitted."""
    return await service.decide(tx, runtime, caller, id, Act.APPROVE)


@router.post("/{id}/return", response_model=PostView)
async def return_post(id: Id, why: Return, caller: Approver, tx: Tx, runtime: TheRuntime) -> PolicyPost:
    """Does not approve a post, and says why; another is written in its place."""
    return await service.decide(tx, runtime, caller, id, Act.RETURN, why.reason)


@router.post("/{id}/publish", response_model=PostView)
async def publish_post(id: Id, caller: Author, tx: Tx, runtime: TheRuntime) -> PolicyPost:
    """Records that an approved post was published; one about a policy that is over is refused."""
    return await service.publish(tx, runtime, caller, id)


@publishing.get("", response_model=PublishingList)
async def show_publishing(
    caller: Caller,
    tx: Tx,
    runtime: TheRuntime,
    first_day: Annotated[Day | None, Query(alias="from", description="the first of the month, if left out")] = None,
    last_day: Annotated[Day | None, Query(alias="to", description="today, if left out")] = None,
    unit_code: Annotated[Code | None, Query(description="this unit and those below it")] = None,
) -> dict[str, Any]:
    """How regularly groups were told of policies, by unit, and which of them were told nothing."""
    return await service.regularity(tx, runtime, caller, first_day, last_day, unit_code)
