"""`/v1/callback-tasks`: whom somebody is to call back, and until when."""

from typing import Annotated, Literal

from fastapi import Depends, Query

from appeal_tracker.appeals.endpoints import Worker
from appeal_tracker.callbacks import tasking
from appeal_tracker.callbacks.schemas import CompleteFollowUp, ScheduleCallback, TaskView
from appeal_tracker.tasks.models import CallbackTask
from chassis.web.auth import Caller, require
from chassis.web.paging import Gone, Listing, OrGone, Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Code, Id, QueryInstant
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx

router = Router(prefix="/v1", tags=["callbacks"])
Supervisor = Annotated[Principal, Depends(require("supervisor"))]


@router.get("/callback-tasks", response_model=Page[OrGone[TaskView]])
async def list_callback_tasks(
    caller: Caller,
    tx: Tx,
    window: Paging,
    unit: Annotated[Code | None, Query(description="of appeals raised or handled in this unit or below it")] = None,
    person: Annotated[Code | None, Query(description="whose it is")] = None,
    state: Literal["open", "done", "cancelled"] | None = None,
    kind: Literal["callback", "follow_up"] | None = None,
    due_from: Annotated[
        QueryInstant | None, Query(description="due then or later, or scheduled where it has no clock")
    ] = None,
    due_before: Annotated[QueryInstant | None, Query(description="due before then")] = None,
) -> Listing[CallbackTask | Gone]:
    """The callbacks and follow-ups that you may see, filtered. A feed tells by id of those whose appeal went to units
    that you do not see, or out of `unit`."""
    filters = {"person": person, "state": state, "kind": kind, "due_from": due_from, "due_before": due_before}
    return await tasking.listing(tx, caller, window, unit, **filters)


@router.get("/callback-tasks/{id}", response_model=TaskView)
async def show_callback_task(id: Id, caller: Caller, tx: Tx) -> CallbackTask:
    """One of them."""
    return await tasking.show(tx, caller, id)


@router.post("/appeals/{id}/callback-tasks", status_code=201, response_model=TaskView)
async def ask_for_callback(id: Id, caller: Supervisor, tx: Tx, runtime: TheRuntime) -> CallbackTask:
    """Ask that the customer be called back; where that is asked for already, you are given what is open."""
    return await tasking.ask(tx, runtime, caller, id)


@router.post("/callback-tasks/{id}/schedule", response_model=TaskView)
async def schedule_callback(
    id: Id, body: ScheduleCallback, caller: Worker, tx: Tx, runtime: TheRuntime
) -> CallbackTask:
    """Plan when the customer is called, from 21:00 to 08:00 only if they agreed on the time (000 §7.2.5.2)."""
    return await tasking.schedule(tx, runtime, caller, id, **body.model_dump())


@router.post("/callback-tasks/{id}/complete", response_model=TaskView)
async def complete_follow_up(
    id: Id, body: CompleteFollowUp, caller: Worker, tx: Tx, runtime: TheRuntime
) -> CallbackTask:
    """Record that a dissatisfied customer was followed up. A callback is recorded on its appeal instead."""
    return await tasking.complete(tx, runtime, caller, id, note=body.note)
