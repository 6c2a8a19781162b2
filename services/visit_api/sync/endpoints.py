"""Sync over HTTP: what devices without a line bring and are given, and what people decide of it."""

from typing import Annotated, Literal

from fastapi import Depends, Query, Request

from chassis.web.answer import language_of
from chassis.web.auth import Caller, require
from chassis.web.compression import CompactRouter
from chassis.web.paging import Listing, Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Code, Id
from chassis.web.tokens import Principal
from chassis.web.work import HotStatements, TheRuntime, Tx, Work
from visit_api.appeals.confidence import confidence
from visit_api.sync import conflicts, pulling, repository, resolving, service, suspecting, suspicions
from visit_api.sync.clocks import Mark
from visit_api.sync.models import Brought, Conflict, Device, Suspected, Suspicion
from visit_api.sync.schemas import (
    BothVersions,
    BroughtView,
    ConflictView,
    DeviceView,
    Difference,
    Merging,
    PullView,
    Push,
    PushView,
    Resolution,
    SuspicionView,
)

router = Router(prefix="/v1/sync", tags=["sync"])
copies = CompactRouter(prefix="/v1/sync", tags=["sync"])

# A device works for whoever holds it: what it brings is recorded in their name.
Visitor = Annotated[Principal, Depends(require("visitor", "supervisor"))]
Supervisor = Annotated[Principal, Depends(require("supervisor"))]

_MOST_BYTES = 4 << 20  # of a push: 200 long appeals, with room; files go in parts
_MOST_PULLED = 500


@router.post("/push", response_model=PushView, response_model_exclude_none=True, max_body_size=_MOST_BYTES)
async def push(push: Push, caller: Visitor, work: Work, runtime: TheRuntime, request: Request) -> PushView:
    """Takes what a device brings, each item by itself; what it brings again is answered as before."""
    return await service.push(work, runtime, caller, push, language_of(request.scope))


@copies.get("/pull", response_model=PullView, response_model_exclude_none=True)
async def pull(
    caller: Visitor,
    tx: Tx,
    runtime: TheRuntime,
    cursor: Annotated[str | None, Query(max_length=500, description="`next` of the pull before")] = None,
    limit: Annotated[int, Query(ge=1, le=_MOST_PULLED, description="items at most")] = 200,
) -> PullView:
    """What changed for your device since the cursor; without one, all that it needs. 410: begin without one."""
    return await pulling.pull(tx, runtime, caller, cursor, limit)


@router.get("/items", response_model=Page[BroughtView])
async def list_brought(
    caller: Caller,
    tx: Tx,
    window: Paging,
    visit_id: Annotated[Id | None, Query()] = None,
    device: Annotated[Code | None, Query()] = None,
    clock: Annotated[Mark | None, Query()] = None,
) -> Listing[Brought]:
    """What devices brought, with what their clocks showed and what that was taken for; of what was said in confidence,
    what you may know of."""
    known = await confidence(tx, caller)
    return await repository.find_all_brought(
        tx, caller.unit, window, known=known, visit_id=visit_id, device=device, clock=clock
    )


@router.get("/devices", response_model=Page[DeviceView])
async def list_devices(
    caller: Caller,
    tx: Tx,
    window: Paging,
    wrong: Annotated[bool | None, Query(description="those whose clock is wrong, or right")] = None,
) -> Listing[Device]:
    """The devices that pushed, and how far their clocks are off."""
    return await repository.find_all_devices(tx, caller.unit, window, wrong=wrong)


@router.get("/conflicts", response_model=Page[ConflictView])
async def list_conflicts(
    caller: Caller,
    tx: Tx,
    window: Paging,
    state: Annotated[Literal["open", "resolved"] | None, Query()] = None,
    visit_id: Annotated[Id | None, Query()] = None,
) -> Listing[Conflict]:
    """What devices brought and the record says otherwise."""
    return await conflicts.list_conflicts(tx, caller, window, state=state, visit_id=visit_id)


@router.get("/conflicts/{id}", response_model=BothVersions)
async def get_conflict(id: Id, caller: Caller, tx: Tx, runtime: TheRuntime) -> BothVersions:
    """A conflict with both versions."""
    return await conflicts.show(tx, runtime, caller, await conflicts.get_conflict(tx, caller, id))


@router.post("/conflicts/{id}/resolve", response_model=BothVersions)
async def resolve_conflict(
    id: Id, resolution: Resolution, caller: Supervisor, tx: Tx, statements: HotStatements, runtime: TheRuntime
) -> BothVersions:
    """Decides which version holds; the other stays on record beside it."""
    return await resolving.resolve(tx, statements, runtime, caller, id, resolution)


@router.get("/suspicions", response_model=Page[SuspicionView])
async def list_suspicions(
    caller: Caller,
    tx: Tx,
    window: Paging,
    state: Annotated[Suspected | None, Query()] = None,
    visit_id: Annotated[Id | None, Query()] = None,
) -> Listing[Suspicion]:
    """Visits that may be one, recorded twice."""
    return await suspicions.find_all(tx, caller.unit, window, state=state, visit_id=visit_id)


@router.get("/suspicions/{id}", response_model=SuspicionView)
async def get_suspicion(id: Id, caller: Caller, tx: Tx) -> Suspicion:
    """Two visits that may be one."""
    return await suspecting.get_suspicion(tx, caller, id)


@router.post("/suspicions/{id}/merge", response_model=SuspicionView)
async def merge_visits(id: Id, merging: Merging, caller: Supervisor, tx: Tx, runtime: TheRuntime) -> Suspicion:
    """Says that they are one, and which record counts; the other stays, and counts no more."""
    return await suspecting.merge(tx, runtime, caller, id, merging)


@router.post("/suspicions/{id}/different", response_model=SuspicionView)
async def tell_visits_apart(id: Id, why: Difference, caller: Supervisor, tx: Tx, runtime: TheRuntime) -> Suspicion:
    """Says that they are two."""
    return await suspecting.tell_apart(tx, runtime, caller, id, why)
