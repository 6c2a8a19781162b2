"""Steps over HTTP."""

from typing import Annotated

from fastapi import Depends, Query

from chassis.web.auth import Caller, require
from chassis.web.paging import Listing, Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Id, OneOf
from chassis.web.tokens import Principal
from chassis.web.work import HotStatements, TheRuntime, Tx
from visit_api.steps import service
from visit_api.steps.contents import KINDS
from visit_api.steps.models import Step
from visit_api.steps.schemas import NewStep, StepView

router = Router(tags=["steps"])

Visiting = Annotated[Principal, Depends(require("visitor", "supervisor", "integration"))]
Kind = Annotated[str, OneOf(KINDS)]
Current = Annotated[bool | None, Query(description="those that no other supersedes, or the others")]


@router.post("/v1/visits/{id}/steps", status_code=201, response_model=StepView)
async def record_step(
    id: Id, new: NewStep, caller: Visiting, tx: Tx, statements: HotStatements, runtime: TheRuntime
) -> Step:
    """Records what was done on a visit, or corrects what was recorded. A question not answered at once is raised as an
    appeal, whose id the step bears."""
    return await service.record(tx, statements, runtime, caller, id, new)


@router.get("/v1/visits/{id}/steps", response_model=Page[StepView])
async def list_steps(
    id: Id,
    caller: Caller,
    tx: Tx,
    runtime: TheRuntime,
    window: Paging,
    kind: Annotated[Kind | None, Query()] = None,
    current: Current = None,
) -> Listing[Step]:
    """The steps of a visit, those that were corrected too."""
    return await service.list_steps(tx, runtime, caller, id, window, kind=kind, current=current)


@router.get("/v1/steps", response_model=Page[StepView])
async def follow_steps(
    caller: Caller,
    tx: Tx,
    runtime: TheRuntime,
    window: Paging,
    kind: Annotated[Kind | None, Query()] = None,
    current: Current = None,
) -> Listing[Step]:
    """The steps of all visits of the caller's unit and of those below it, for whoever follows them; one that another
    superseded is told again."""
    return await service.follow_steps(tx, runtime, caller, window, kind=kind, current=current)
