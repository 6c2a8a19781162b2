"""Visits over HTTP."""

from typing import Annotated, Any

from fastapi import Depends, Query

from chassis.web.auth import Caller, require
from chassis.web.etag import Match
from chassis.web.paging import CommonPaging, Listing, Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Code, Id
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from visit_api.visits import arriving, handing, preparing, service
from visit_api.visits.lifecycle import Act, VisitState
from visit_api.visits.models import HandOver, Visit
from visit_api.visits.schemas import (
    Arrival,
    ArrivalView,
    Dropped,
    HandingOver,
    HandOverView,
    Moment,
    NewVisit,
    Preparation,
    PreparationView,
    Reason,
    VisitChange,
    VisitView,
)

router = Router(prefix="/v1/visits", tags=["visits"])

Visiting = Annotated[Principal, Depends(require("visitor", "supervisor", "integration"))]

Supervisor = Annotated[Principal, Depends(require("supervisor"))]
WhyOpened = Annotated[Reason, Query(description="why it has to be seen")]

_NOW = Moment()
_HERE = Arrival()
_NO_REASON = Dropped()


@router.post("", status_code=201, response_model=VisitView)
async def plan_visit(new: NewVisit, caller: Visiting, tx: Tx, runtime: TheRuntime) -> Visit:
    """Plans a visit."""
    return await service.plan_visit(tx, runtime, caller, new)


@router.get("", response_model=Page[VisitView])
async def list_visits(
    caller: Caller,
    tx: Tx,
    runtime: TheRuntime,
    window: Paging,
    state: Annotated[VisitState | None, Query()] = None,
    unit_code: Annotated[Code | None, Query()] = None,
    customer_id: Annotated[Id | None, Query()] = None,
    plan_item_id: Annotated[Id | None, Query()] = None,
) -> Listing[Visit]:
    """The visits of the caller's unit and of those below it."""
    return await service.list_visits(
        tx,
        runtime,
        caller,
        window,
        state=state,
        unit_code=unit_code,
        customer_id=customer_id,
        plan_item_id=plan_item_id,
    )


@router.get("/{id}", response_model=VisitView)
async def get_visit(id: Id, caller: Caller, tx: Tx, runtime: TheRuntime) -> Visit:
    """One visit."""
    return await service.show_visit(tx, runtime, caller, id)


@router.patch("/{id}", response_model=VisitView)
async def replan_visit(
    id: Id, change: VisitChange, caller: Visiting, match: Match, tx: Tx, runtime: TheRuntime
) -> Visit:
    """Changes the plan of a visit that has not begun."""
    return await service.replan_visit(tx, runtime, caller, id, change, match.on(VisitView))


@router.get("/{id}/preparation", response_model=PreparationView)
async def get_preparation(id: Id, caller: Caller, tx: Tx, runtime: TheRuntime) -> dict[str, Any]:
    """What was prepared for a visit, and what its channel asks for."""
    return await preparing.get_preparation(tx, runtime, caller, id)


@router.put("/{id}/preparation", response_model=PreparationView)
async def prepare_visit(
    id: Id, preparation: Preparation, caller: Visiting, match: Match, tx: Tx, runtime: TheRuntime
) -> dict[str, Any]:
    """Records what was prepared for a visit; directed and special ones cannot start without."""
    return await preparing.prepare_visit(tx, runtime, caller, id, preparation, match.on(PreparationView))


@router.post("/{id}/hand-over", response_model=VisitView)
async def hand_over_visit(id: Id, handing_over: HandingOver, caller: Visiting, tx: Tx, runtime: TheRuntime) -> Visit:
    """Has others make a visit that is not over; who was to make it stays on record."""
    return await handing.hand_over(tx, runtime, caller, id, handing_over)


@router.get("/{id}/hand-overs", response_model=Page[HandOverView])
async def list_hand_overs(
    id: Id, caller: Caller, tx: Tx, runtime: TheRuntime, window: CommonPaging
) -> Listing[HandOver]:
    """To whom a visit was handed."""
    return await handing.list_hand_overs(tx, runtime, caller, id, window)


@router.post("/{id}/arrive", response_model=VisitView)
async def arrive(id: Id, caller: Visiting, tx: Tx, runtime: TheRuntime, arrival: Arrival = _HERE) -> Visit:
    """Records that the visitors arrived; where, only with consent."""
    return await arriving.arrive(tx, runtime, caller, id, arrival)


@router.get("/{id}/arrival", response_model=ArrivalView)
async def show_arrival(id: Id, caller: Supervisor, tx: Tx, runtime: TheRuntime, reason: WhyOpened) -> ArrivalView:
    """When and where the visitors arrived; whoever reads where is put down in the trail, with the reason."""
    return await arriving.show_arrival(tx, runtime, caller, id, reason)


@router.post("/{id}/start", response_model=VisitView)
async def start_visit(id: Id, caller: Visiting, tx: Tx, runtime: TheRuntime, moment: Moment = _NOW) -> Visit:
    """Begins a visit."""
    return await service.start(tx, runtime, caller, id, moment.at)


@router.post("/{id}/complete", response_model=VisitView)
async def complete_visit(id: Id, caller: Visiting, tx: Tx, runtime: TheRuntime, moment: Moment = _NOW) -> Visit:
    """Ends a visit, whether or not what was raised on it is handled."""
    return await service.complete(tx, runtime, caller, id, moment.at)


@router.post("/{id}/cancel", response_model=VisitView)
async def cancel_visit(id: Id, caller: Visiting, tx: Tx, runtime: TheRuntime, why: Dropped = _NO_REASON) -> Visit:
    """Calls a planned visit off."""
    return await service.drop(tx, runtime, caller, id, Act.CANCEL, why.at, why.reason)


@router.post("/{id}/miss", response_model=VisitView)
async def miss_visit(id: Id, caller: Visiting, tx: Tx, runtime: TheRuntime, why: Dropped = _NO_REASON) -> Visit:
    """Records that a planned visit did not take place."""
    return await service.drop(tx, runtime, caller, id, Act.MISS, why.at, why.reason)
