"""Who is to be called back is asked for once an appeal was answered, where the pack requires it, and no more once there
is nothing to ask about: it began anew, ended, or another appeal speaks for it.

It is for whoever the pack says (谁受理、谁回访, 002 §6.4.5.4): under `acceptor` the first-contact person, or somebody
of their unit; if they handled it themselves, their supervisor. Of what may be about those of the unit it is asked of
the unit above; which is told, too, when nothing is left but to judge and close it, and no handler is there for that.
"""

from collections.abc import Collection

from appeal_tracker.appeals.cases import Case
from appeal_tracker.appeals.deeds import Deed
from appeal_tracker.appeals.entitled import handled_by, may_call
from appeal_tracker.appeals.insiders import accuses_inside, asked_of, may_conclude
from appeal_tracker.appeals.lifecycle import State
from appeal_tracker.clocks import service as clocks
from appeal_tracker.clocks import telling
from appeal_tracker.clocks.models import Clock
from appeal_tracker.clocks.states import ClockState
from appeal_tracker.directory import service as directory
from appeal_tracker.tasks import service as tasks
from appeal_tracker.tasks.models import CallbackTask, TaskKind, TaskState
from chassis.web.tokens import Principal
from contracts.appeals import AppealCallbackAsked, AppealConclusionAsked

BY_THE_ACCEPTOR, BY_A_SUPERVISOR = "acceptor", "supervisor"
_ANSWERED = (State.ANSWERED, State.CALLED_BACK)


async def settle(deed: Deed) -> None:
    """Opens and ends the tasks of the appeals that an act moved, and of those that are merged with them."""
    if not any(case.moved for case in deed.group) or not any(_may_have_tasks(case) for case in deed.group):
        return
    await deed.tx.flush()
    its = await tasks.of_appeals(deed.tx, [case.appeal.id for case in deed.group])
    asked_by: str | None = None  # about one for which the leader speaks by now
    for case in (*deed.group[1:], deed.leader):
        appeal, progress, needed = case.appeal, case.appeal.standing.progress, wanted(deed, case)
        here = next((each for each in its if each.appeal_id == appeal.id and each.kind == TaskKind.CALLBACK), None)
        called = progress is State.CALLED_BACK and case.stood is not progress  # by what was recorded before
        if here is not None and (called or _is_over(deed, case, here) or _stale(case, here, needed=needed)):
            asked_by = asked_by or (here.asked_by if appeal.is_merged and not called else None)
            tasks.end(here, TaskState.DONE if called else TaskState.CANCELLED, deed.now, deed.by)
            here = None
            await deed.tx.flush()
        if here is not None:
            await turn_outside(deed, case, here)
        elif appeal.is_merged or progress not in _ANSWERED:
            continue
        elif needed:
            await required(deed, case)
        elif asked_by is not None and case is deed.leader:
            await ask(deed, case, TaskKind.CALLBACK, asked_by)
        elif case.moved and not await may_conclude(deed.tx, deed.caller, appeal):
            await _ask_to_conclude(deed, case)


def _is_over(deed: Deed, case: Case, task: CallbackTask) -> bool:
    """Whether there is nothing more to ask about. What somebody asked for about an appeal that is merged waits there
    until the one that speaks for it was answered too, and is asked of that one then."""
    if case.appeal.anonymous or case.appeal.standing.progress not in _ANSWERED:
        return True
    return case.appeal.is_merged and (task.asked_by is None or deed.leader.appeal.standing.progress in _ANSWERED)


async def returned(deed: Deed) -> None:
    """Tells those outside that the appeal acted on is theirs to end, since its handler gave it back, where that is all
    there is left to do about it."""
    if deed.appeal.standing.progress in _ANSWERED and accuses_inside(deed.appeal):
        its = await tasks.of_appeals(deed.tx, [deed.appeal.id])
        if all(task.kind != TaskKind.CALLBACK for task in its):
            await _ask_to_conclude(deed, deed.case)


async def _ask_to_conclude(deed: Deed, case: Case) -> None:
    """Tells those outside that an appeal is theirs to end, unless its handler does."""
    handler, unit = case.appeal.handler, await asked_of(deed.tx, case.appeal)
    if unit is None or (handler is not None and (await directory.active(deed.tx, [handler])).get(handler, True)):
        return
    deed.announce(AppealConclusionAsked(**deed.facts(case, deed.now), asked_unit_code=unit))


def wanted(deed: Deed, case: Case) -> bool:
    """Whether a pack requires that the customer of an appeal be called back now: its own, or that of one merged into
    it, for which it speaks."""
    if case.appeal.is_merged or case.appeal.standing.progress not in _ANSWERED:
        return False
    return any(_lacks_callback(each) for each in _spoken_for(deed, case))


def _lacks_callback(case: Case) -> bool:
    rule, appeal = case.policy.callback, case.appeal
    answered = appeal.standing.progress is State.ANSWERED
    return answered and rule.is_required(appeal.type, anonymous=appeal.anonymous)


def _spoken_for(deed: Deed, case: Case) -> list[Case]:
    """An appeal that speaks for itself, and those that are merged into it."""
    its = case.appeal.id
    return [case, *(each for each in deed.group if each.appeal.is_merged and each.appeal.merged_into == its)]


async def end_others(deed: Deed) -> None:
    """Ends what was asked for in another round of the appeal acted on, and has stayed open."""
    for task in await tasks.of_appeals(deed.tx, [deed.appeal.id]):
        if task.kind == TaskKind.CALLBACK and task.round != deed.appeal.round:
            tasks.end(task, TaskState.CANCELLED, deed.now, deed.by)
    await deed.tx.flush()


async def required(deed: Deed, case: Case) -> None:
    """Asks for the callback that the pack requires."""
    await ask(deed, case, TaskKind.CALLBACK)


async def ask(deed: Deed, case: Case, kind: TaskKind, asked_by: str | None = None) -> CallbackTask:
    """Opens a task of an appeal, and tells of it."""
    appeal, clock = case.appeal, _clock(deed, case) if kind is TaskKind.CALLBACK else None
    whose, person = await _whose_now(deed, case)
    task = tasks.opened(
        deed.tx,
        appeal.id,
        appeal.round,
        await asked_of(deed.tx, appeal) or appeal.unit_code,
        kind=kind,
        whose=whose,
        person=person,
        at=deed.now,
        asked_by=asked_by,
        clock_id=clock.id if clock else None,
    )
    said = {"callback_kind": kind.value, "required": task.required, "whose": whose, "person": person}
    deed.say(case, "callback_asked", deed.now, _asked(deed, case, task), task_id=task.id, **said)
    return task


async def turn_outside(deed: Deed, case: Case, task: CallbackTask) -> None:
    """Asks of those outside what was asked of whom a hidden appeal may be about: by older code, or before the unit that
    took it went elsewhere, or before it was a charge."""
    unit = await asked_of(deed.tx, case.appeal)
    if unit is None or (task.unit_code == unit and task.whose != BY_THE_ACCEPTOR):
        return
    asked, task.unit_code, task.updated_at = task.person, unit, deed.now
    task.whose, task.person = await _whose_now(deed, case)
    said = {"task_id": task.id, "from_person": asked, "person": task.person}
    deed.say(case, "callback_handed_over", deed.now, _asked(deed, case, task), **said)


async def put_right(deed: Deed) -> None:
    """Does about the hidden appeal acted on what older code did not: nobody is asked to call a customer who gave no
    name, nor timed to; and of what may be about those who took it others are asked."""
    appeal, clock = deed.appeal, deed.case.clock("callback")
    for task in await tasks.of_appeals(deed.tx, [appeal.id]):
        if appeal.anonymous and task.kind == TaskKind.CALLBACK:
            tasks.end(task, TaskState.CANCELLED, deed.now, deed.by)
        else:
            await turn_outside(deed, deed.case, task)
    for each in await clocks.cancel(deed.tx, [clock] if clock is not None and appeal.anonymous else [], deed.now):
        deed.tell(telling.cancelled_entry(appeal, each, deed.now), telling.cancelled(appeal, each, deed.now))


async def hand_over(deed: Deed, leaver: str, taker: Principal | None) -> bool:
    """Gives what `leaver` has to call about the appeal acted on to `taker`, or to nobody in particular where they may
    not call: then whoever else may does. Whether there was any."""
    case, appeal = deed.case, deed.appeal
    theirs = [each for each in await tasks.of_appeals(deed.tx, [appeal.id]) if each.person == leaver]
    may = taker is not None and bool(theirs) and await may_call(deed.tx, taker, case)
    for task in theirs:
        task.person, task.updated_at = taker.sub if taker is not None and may else None, deed.now
        said = {"task_id": task.id, "from_person": leaver, "person": task.person}
        deed.say(case, "callback_handed_over", deed.now, _asked(deed, case, task), **said)
    return bool(theirs)


def _clock(deed: Deed, case: Case) -> Clock | None:
    """The clock by which the customer is to be called back: of those that an appeal speaks for, the one that is due
    first and still waits for that."""
    its = [clock for each in _spoken_for(deed, case) if (clock := each.clock("callback")) is not None]
    waiting = (clock for clock in its if clock.stopped_at is None and clock.state != ClockState.CANCELLED)
    return min(waiting, key=lambda clock: clock.due_at, default=None)


def _asked(deed: Deed, case: Case, task: CallbackTask) -> AppealCallbackAsked:
    clock = next((each for its in deed.group for each in its.clocks if each.id == task.clock_id), None)
    return AppealCallbackAsked(
        **deed.facts(case, deed.now),
        task_id=task.id,
        kind=task.kind,
        required=task.required,
        handling_unit_code=case.appeal.handling_unit_code,
        person=task.person,
        due_at=clock.due_at if clock else None,
        asked_unit_code=asked_unit(case, task),
    )


def asked_unit(case: Case, task: CallbackTask) -> str | None:
    """The unit that a task was asked of, where that is not for the handling unit to do."""
    return task.unit_code if accuses_inside(case.appeal) else None


async def _whose_now(deed: Deed, case: Case) -> tuple[str, str | None]:
    whose, person = _whose(case, await handled_by(deed.tx, case.appeal))
    if person is not None and not (await directory.active(deed.tx, [person])).get(person, True):
        person = None  # who left calls nobody: it is for whoever else may
    return whose, person


def _whose(case: Case, handled_by: Collection[str | None]) -> tuple[str, str | None]:
    rule, first = case.policy.callback, case.appeal.first_contact
    if accuses_inside(case.appeal):  # whoever heard it may be the one who is charged
        by = BY_A_SUPERVISOR if rule.by == BY_THE_ACCEPTOR else rule.by
        return by, case.appeal.handler if rule.by == "anyone" else None
    if rule.by == "anyone":
        return rule.by, case.appeal.owner
    if first is not None and first not in handled_by:
        return rule.by, first
    return (BY_A_SUPERVISOR if first is not None and rule.by == BY_THE_ACCEPTOR else rule.by), None


def _may_have_tasks(case: Case) -> bool:
    """Whether it was answered by now, or had been: before that there is nothing to ask about."""
    return case.appeal.standing.progress in _ANSWERED or case.stood in _ANSWERED


def _stale(case: Case, task: CallbackTask, *, needed: bool) -> bool:
    """Whether it is about another round, an appeal of another type, or one that this speaks for no more."""
    return task.round != case.appeal.round if needed else task.required
