"""Online service over HTTP."""

from typing import Annotated, Any

from fastapi import Depends, Query

from chassis.web.auth import Caller, require
from chassis.web.etag import Match
from chassis.web.paging import CommonPaging, Listing, Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Code, Day, Id
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from visit_api.online import asking, repository, service
from visit_api.online.models import Account, Group, GroupKind, Inquiry, Membership
from visit_api.online.schemas import (
    AccountChange,
    AccountView,
    FiguresList,
    GroupChange,
    GroupView,
    InquiryView,
    Joining,
    Leaving,
    MembershipView,
    NewAccount,
    NewGroup,
    NewInquiry,
    Reply,
)

router = Router(prefix="/v1/online", tags=["online"])

Serving = Annotated[Principal, Depends(require("visitor", "supervisor", "integration"))]


@router.post("/accounts", status_code=201, response_model=AccountView)
async def register_account(new: NewAccount, caller: Serving, tx: Tx, runtime: TheRuntime) -> Account:
    """Registers an account by which a member of staff serves customers; its name card is made of the directory."""
    return await service.register(tx, runtime, caller, new)


@router.get("/accounts", response_model=Page[AccountView])
async def list_accounts(
    caller: Caller,
    tx: Tx,
    window: Paging,
    unit_code: Annotated[Code | None, Query()] = None,
    active: Annotated[bool | None, Query()] = None,
) -> Listing[Account]:
    """The accounts of the caller's unit and of those below it."""
    return await repository.find_accounts(tx, caller.unit, window, unit_code, active)


@router.get("/accounts/{id}", response_model=AccountView)
async def get_account(id: Id, caller: Caller, tx: Tx) -> Account:
    """One account."""
    return await service.get_account(tx, caller, id)


@router.patch("/accounts/{id}", response_model=AccountView)
async def change_account(
    id: Id, change: AccountChange, caller: Serving, match: Match, tx: Tx, runtime: TheRuntime
) -> Account:
    """Changes an account and its card, or takes it out of use for good."""
    return await service.change_account(tx, runtime, caller, id, change, match.on(AccountView))


@router.post("/groups", status_code=201, response_model=GroupView)
async def open_group(new: NewGroup, caller: Serving, tx: Tx, runtime: TheRuntime) -> Group:
    """Makes a group known in which customers are served, or the direct line to one."""
    return await service.open_group(tx, runtime, caller, new)


@router.get("/groups", response_model=Page[GroupView])
async def list_groups(
    caller: Caller,
    tx: Tx,
    window: Paging,
    unit_code: Annotated[Code | None, Query()] = None,
    customer_id: Annotated[Id | None, Query()] = None,
) -> Listing[Group]:
    """The groups of the caller's unit and of those below it."""
    return await repository.find_groups(tx, caller.unit, window, unit_code, customer_id)


@router.get("/groups/{id}", response_model=GroupView)
async def get_group(id: Id, caller: Caller, tx: Tx) -> Group:
    """One group."""
    return await service.get_group(tx, caller, id)


@router.patch("/groups/{id}", response_model=GroupView)
async def change_group(
    id: Id, change: GroupChange, caller: Serving, match: Match, tx: Tx, runtime: TheRuntime
) -> Group:
    """Renames a group, or says which customers are in it."""
    return await service.change_group(tx, runtime, caller, id, change, match.on(GroupView))


@router.get("/groups/{id}/members", response_model=Page[MembershipView])
async def list_members(id: Id, caller: Caller, tx: Tx, window: CommonPaging) -> Listing[Membership]:
    """Which accounts are in a group, and which were."""
    group = await service.get_group(tx, caller, id)
    return await repository.find_members(tx, window, group.id)


@router.post("/groups/{id}/join", response_model=MembershipView)
async def join_group(id: Id, joining: Joining, caller: Serving, tx: Tx, runtime: TheRuntime) -> Membership:
    """Records that an account joined a group, and whether its bearer introduced themselves."""
    return await service.join(tx, runtime, caller, id, joining)


@router.post("/groups/{id}/leave", response_model=MembershipView)
async def leave_group(id: Id, leaving: Leaving, caller: Serving, tx: Tx, runtime: TheRuntime) -> Membership:
    """Records that an account left a group."""
    return await service.leave(tx, runtime, caller, id, leaving)


@router.post("/groups/{id}/inquiries", status_code=201, response_model=InquiryView)
async def record_inquiry(id: Id, new: NewInquiry, caller: Serving, tx: Tx, runtime: TheRuntime) -> Inquiry:
    """Records what a customer asked in a group."""
    return await asking.ask(tx, runtime, caller, id, new)


@router.get("/inquiries", response_model=Page[InquiryView])
async def list_inquiries(
    caller: Caller,
    tx: Tx,
    runtime: TheRuntime,
    window: Paging,
    unit_code: Annotated[Code | None, Query()] = None,
    group_id: Annotated[Id | None, Query()] = None,
    answered: Annotated[bool | None, Query()] = None,
) -> Listing[Inquiry]:
    """What was asked in the groups of the caller's unit and of those below it."""
    return await asking.list_inquiries(
        tx, runtime, caller, window, unit_code=unit_code, group_id=group_id, answered=answered
    )


@router.post("/inquiries/{id}/answer", response_model=InquiryView)
async def answer_inquiry(id: Id, reply: Reply, caller: Serving, tx: Tx, runtime: TheRuntime) -> Inquiry:
    """Records the answer to a question, and when it was given."""
    return await asking.answer(tx, runtime, caller, id, reply)


@router.get("/figures", response_model=FiguresList)
async def show_figures(
    caller: Caller,
    tx: Tx,
    runtime: TheRuntime,
    first_day: Annotated[Day | None, Query(alias="from", description="the first of the month, if left out")] = None,
    last_day: Annotated[Day | None, Query(alias="to", description="today, if left out")] = None,
    unit_code: Annotated[Code | None, Query(description="this unit and those below it")] = None,
    kind: Annotated[GroupKind | None, Query(description="`direct`: on the lines to single customers alone")] = None,
) -> dict[str, Any]:
    """How many questions were asked and answered online, and how long the answers took; by unit."""
    return await service.figures(tx, runtime, caller, first_day, last_day, unit_code, kind)
