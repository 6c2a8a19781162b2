"""HTTP of groups, duties and substitutes."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from chassis.web.auth import Caller, require
from chassis.web.etag import Match
from chassis.web.paging import Listing, Page, Paging
from chassis.web.route import Router
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from notifier.directory import keeping
from notifier.directory.models import Duty, Group, Substitute
from notifier.directory.schemas import (
    DutyBody,
    DutyView,
    GroupBody,
    GroupView,
    NewDuty,
    NewGroup,
    NewSubstitute,
    SubstituteBody,
    SubstituteView,
)

router = Router(prefix="/v1", tags=["people"])
Keeper = Annotated[Principal, Depends(require("supervisor"))]


@router.get("/groups", response_model=Page[GroupView])
async def list_groups(tx: Tx, caller: Caller, paging: Paging) -> Listing[Group]:
    """The groups of the caller's unit and of the units below it."""
    return await keeping.listed(tx, caller, paging, Group)


@router.post("/groups", status_code=201, response_model=GroupView)
async def add_group(tx: Tx, runtime: TheRuntime, caller: Keeper, body: NewGroup) -> Group:
    """Makes a group, which a route may name as `group:<id>`."""
    return await keeping.add_group(tx, caller, body, runtime.clock.now())


@router.get("/groups/{id}", response_model=GroupView)
async def get_group(tx: Tx, caller: Caller, id: UUID) -> Group:
    """One group."""
    return await keeping.one(tx, caller, id, Group)


@router.put("/groups/{id}", response_model=GroupView)
async def change_group(tx: Tx, runtime: TheRuntime, caller: Keeper, match: Match, id: UUID, body: GroupBody) -> Group:
    """Changes a group, or switches it off: then the supervisors of its unit are told in its place."""
    return await keeping.change(tx, caller, id, Group, body, runtime.clock.now(), match.on(GroupView))


@router.get("/duties", response_model=Page[DutyView])
async def list_duties(tx: Tx, caller: Caller, paging: Paging) -> Listing[Duty]:
    """The duty rosters of the caller's unit and of the units below it."""
    return await keeping.listed(tx, caller, paging, Duty)


@router.post("/duties", status_code=201, response_model=DutyView)
async def add_duty(tx: Tx, runtime: TheRuntime, caller: Keeper, body: NewDuty) -> Duty:
    """Puts somebody on duty in a unit, in a role, for a time."""
    return await keeping.add_duty(tx, caller, body, runtime.clock.now())


@router.get("/duties/{id}", response_model=DutyView)
async def get_duty(tx: Tx, caller: Caller, id: UUID) -> Duty:
    """One turn of duty."""
    return await keeping.one(tx, caller, id, Duty)


@router.put("/duties/{id}", response_model=DutyView)
async def change_duty(tx: Tx, runtime: TheRuntime, caller: Keeper, match: Match, id: UUID, body: DutyBody) -> Duty:
    """Changes a turn of duty, or switches it off. What waits to be told follows."""
    return await keeping.change(tx, caller, id, Duty, body, runtime.clock.now(), match.on(DutyView))


@router.get("/substitutes", response_model=Page[SubstituteView])
async def list_substitutes(tx: Tx, caller: Caller, paging: Paging) -> Listing[Substitute]:
    """Who stands in for the staff of the caller's unit and of the units below it."""
    return await keeping.listed(tx, caller, paging, Substitute)


@router.post("/substitutes", status_code=201, response_model=SubstituteView)
async def add_substitute(tx: Tx, runtime: TheRuntime, caller: Keeper, body: NewSubstitute) -> Substitute:
    """Has somebody stand in for another, for a time."""
    return await keeping.add_substitute(tx, caller, body, runtime.clock.now())


@router.get("/substitutes/{id}", response_model=SubstituteView)
async def get_substitute(tx: Tx, caller: Caller, id: UUID) -> Substitute:
    """One absence."""
    return await keeping.one(tx, caller, id, Substitute)


@router.put("/substitutes/{id}", response_model=SubstituteView)
async def change_substitute(
    tx: Tx, runtime: TheRuntime, caller: Keeper, match: Match, id: UUID, body: SubstituteBody
) -> Substitute:
    """Changes who stands in and until when, or ends it. What waits to be told follows."""
    return await keeping.change(tx, caller, id, Substitute, body, runtime.clock.now(), match.on(SubstituteView))
