"""Improvement measures over HTTP."""

from typing import Annotated

from fastapi import Depends, Query

from chassis.web.auth import Caller, require
from chassis.web.paging import CommonPaging, Listing, Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Code, Day, Id
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from visit_api.measures import service
from visit_api.measures.lifecycle import MeasureState
from visit_api.measures.models import MeasureAct
from visit_api.measures.schemas import Changed, MeasureActView, MeasureView, NewMeasure, Said

router = Router(prefix="/v1/measures", tags=["measures"])

Improving = Annotated[Principal, Depends(require("visitor", "handler", "callback", "supervisor"))]
Supervisor = Annotated[Principal, Depends(require("supervisor"))]


@router.post("", status_code=201)
async def record_measure(new: NewMeasure, caller: Improving, tx: Tx, runtime: TheRuntime) -> MeasureView:
    """Records what was found, and what is done about it, by whom and until when."""
    return await service.record(tx, runtime, caller, new)


@router.get("", response_model=Page[MeasureView])
async def list_measures(
    caller: Caller,
    tx: Tx,
    runtime: TheRuntime,
    window: Paging,
    unit_code: Annotated[Code | None, Query()] = None,
    state: Annotated[MeasureState | None, Query()] = None,
    owner: Annotated[Code | None, Query()] = None,
    visit_id: Annotated[Id | None, Query()] = None,
    appeal_id: Annotated[Id | None, Query()] = None,
    due_until: Annotated[Day | None, Query(description="due on this day at the latest")] = None,
    overdue: Annotated[bool | None, Query(description="open past its day, or not")] = None,
) -> Listing[MeasureView]:
    """The measures of the caller's unit and of those below it, by the day they are due on."""
    wanted = {"unit_code": unit_code, "state": state, "owner": owner, "visit_id": visit_id, "appeal_id": appeal_id}
    return await service.list_measures(tx, runtime, caller, window, due_until=due_until, overdue=overdue, **wanted)


@router.get("/{id}")
async def get_measure(id: Id, caller: Caller, tx: Tx, runtime: TheRuntime) -> MeasureView:
    """One measure."""
    return service.shown(await service.get_measure(tx, caller, id), runtime.clock.now())


@router.get("/{id}/acts", response_model=Page[MeasureActView])
async def list_measure_acts(id: Id, caller: Caller, tx: Tx, window: CommonPaging) -> Listing[MeasureAct]:
    """What was done with a measure, by whom and why."""
    return await service.list_acts(tx, caller, id, window)


@router.post("/{id}/change")
async def change_measure(id: Id, change: Changed, caller: Improving, tx: Tx, runtime: TheRuntime) -> MeasureView:
    """Gives an open measure to somebody else, or another day, and says why."""
    return await service.change(tx, runtime, caller, id, change)


@router.post("/{id}/done")
async def do_measure(id: Id, said: Said, caller: Improving, tx: Tx, runtime: TheRuntime) -> MeasureView:
    """Records what was done."""
    return await service.done(tx, runtime, caller, id, said.words)


@router.post("/{id}/verify")
async def verify_measure(id: Id, said: Said, caller: Supervisor, tx: Tx, runtime: TheRuntime) -> MeasureView:
    """Records that it helped; by a supervisor who neither owned it nor did it."""
    return await service.verify(tx, runtime, caller, id, said.words)


@router.post("/{id}/send-back")
async def send_back_measure(id: Id, said: Said, caller: Supervisor, tx: Tx, runtime: TheRuntime) -> MeasureView:
    """Has a measure that was done open again, and says why."""
    return await service.send_back(tx, runtime, caller, id, said.words)
