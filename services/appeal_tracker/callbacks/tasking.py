"""What is done with callback tasks: asked for, planned, and a follow-up done. A callback itself is recorded on its
appeal, and that does the task."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.absences.errors import UnknownStaff
from appeal_tracker.appeals import asking
from appeal_tracker.appeals.acting import begin
from appeal_tracker.appeals.deeds import Deed
from appeal_tracker.appeals.entitled import may_call
from appeal_tracker.appeals.faults import HandlerLeft
from appeal_tracker.appeals.insiders import demand_outside
from appeal_tracker.appeals.lifecycle import Act
from appeal_tracker.appeals.responsible import supervises
from appeal_tracker.calendars.civil import ticks_of
from appeal_tracker.callbacks import repository
from appeal_tracker.callbacks.errors import (
    CallbackAtNight,
    CallbackIsRecorded,
    CallbackNotYoursToGive,
    CallbackPast,
    CallbackTooFar,
    NotTheirsToCallBack,
    TaskEnded,
    TaskNotFound,
)
from appeal_tracker.callbacks.service import demand_entitled, demand_named
from appeal_tracker.directory import service as directory
from appeal_tracker.tasks import service as tasks
from appeal_tracker.tasks.models import CallbackTask, TaskKind, TaskState
from chassis.runtime import Runtime
from chassis.web.paging import Gone, Listing, Window
from chassis.web.tokens import Principal
from contracts.appeals import AppealCallbackScheduled, AppealFollowedUp

FURTHEST = timedelta(days=90)  # ahead, that a call is planned for: beyond that nobody has it in mind


async def listing(
    tx: AsyncSession, caller: Principal, window: Window, unit: str | None, **filters: Any
) -> Listing[CallbackTask | Gone]:
    """The tasks about appeals that `caller` may see, filtered."""
    return await repository.tasks_page(tx, window, caller.unit, unit, **filters)


async def show(tx: AsyncSession, caller: Principal, id: UUID) -> CallbackTask:
    """A task. Raises `TaskNotFound`, also for another unit's."""
    found = await repository.task(tx, id, caller.unit)
    if found is None:
        raise TaskNotFound
    return found


async def ask(tx: AsyncSession, runtime: Runtime, caller: Principal, appeal: UUID) -> CallbackTask:
    """Asks for a callback that the pack does not require, or for another one; what is asked for already is given.
    Raises `NobodyToCall`, `ConcludedFromOutside`."""
    deed = await begin(tx, runtime, caller, appeal)
    demand_named(deed)
    await demand_outside(tx, deed.caller, deed.appeal)
    await deed.move(Act.ASK_BACK, deed.now)
    its = await tasks.of_appeals(tx, [appeal])
    found = next((each for each in its if each.kind == TaskKind.CALLBACK), None)
    if found is None:
        found = await asking.ask(deed, deed.case, TaskKind.CALLBACK, caller.sub)
    else:
        await asking.turn_outside(deed, deed.case, found)
    await deed.settle()
    return await show(tx, caller, found.id)


async def schedule(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    id: UUID,
    *,
    at: datetime,
    agreed: bool,
    person: str | None,
) -> CallbackTask:
    """Plans when the customer is called, and by whom; by night only where they agreed on the time (000 §7.2.5.2).

    Raises `CallbackAtNight`, `CallbackPast`, `CallbackTooFar`, `CallbackNotYoursToGive`, `NotYoursToCallBack`,
    `UnknownStaff`, `NotTheirsToCallBack`, `TaskEnded`, `TaskNotFound`.
    """
    deed, task = await _begin(tx, runtime, caller, id)
    await demand_entitled(deed)
    if at < deed.now:
        raise CallbackPast
    quiet = deed.case.policy.quiet
    if not agreed and quiet is not None and quiet.stretch(ticks_of(at)) is not None:
        raise CallbackAtNight(quiet=str(quiet))
    if person not in (None, task.person, caller.sub) and not supervises(caller):
        raise CallbackNotYoursToGive
    if at > deed.now + FURTHEST:
        raise CallbackTooFar(str(FURTHEST.days))
    if person is not None and not (await directory.active(tx, [person])).get(person, True):
        raise HandlerLeft("person")
    if person not in (None, caller.sub):
        await _demand_caller(deed, person)
    task.scheduled_at, task.agreed, task.updated_at = at, agreed, deed.now
    task.person = person or task.person
    said: dict[str, Any] = {"task_id": task.id, "scheduled_at": at, "agreed": agreed, "person": task.person}
    its = {**said, "kind": task.kind, "asked_unit_code": asking.asked_unit(deed.case, task)}
    event = AppealCallbackScheduled(**deed.facts(deed.case, deed.now), **its)
    deed.say(deed.case, "callback_scheduled", deed.now, event, **said)
    await deed.settle()
    return await show(tx, caller, id)


async def _demand_caller(deed: Deed, person: str) -> None:
    """Raises `UnknownStaff`, `NotTheirsToCallBack` where `person` would never see what they are to call about, or may
    not call: then it would be in nobody's day."""
    known, its = await directory.staff_member(deed.tx, person), deed.appeal
    seen = {its.unit_code, its.handling_unit_code}
    if known is None or not await directory.visible(deed.tx, seen, known.unit_code):
        raise UnknownStaff("person")
    who = await directory.today(deed.tx, Principal(person, known.unit_code, frozenset(known.roles)))
    if not await may_call(deed.tx, who, deed.case):
        raise NotTheirsToCallBack


async def complete(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, *, note: str) -> CallbackTask:
    """Records that a dissatisfied customer was followed up, and what came of it. Raises `CallbackIsRecorded`,
    `NotYoursToCallBack`, `TaskEnded`, `TaskNotFound`."""
    deed, task = await _begin(tx, runtime, caller, id)
    await demand_entitled(deed)
    if task.kind != TaskKind.FOLLOW_UP:
        raise CallbackIsRecorded
    tasks.end(task, TaskState.DONE, deed.now, caller.sub)
    event = AppealFollowedUp(**deed.facts(deed.case, deed.now), task_id=task.id)
    deed.say(deed.case, "followed_up", deed.now, event, task_id=task.id, note=note)
    await deed.settle()
    return await show(tx, caller, id)


async def _begin(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID) -> tuple[Deed, CallbackTask]:
    """An act about a task; its appeal is locked before it is looked at."""
    deed = await begin(tx, runtime, caller, (await show(tx, caller, id)).appeal_id)
    task = await show(tx, caller, id)
    if task.state != TaskState.OPEN:
        raise TaskEnded(state=task.state)
    return deed, task
