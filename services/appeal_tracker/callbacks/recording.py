"""A callback is recorded, whoever made it: what it changes, which tasks are done by it, and what a low rating leads to.

One that nobody answered is a callback once there were enough of them, as with contacts. Who is dissatisfied (the lowest
two ratings) is followed up, or the answered appeal comes to its end and a new round of it begins, as the policy says.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from appeal_tracker.appeals import asking, ending, reopening
from appeal_tracker.appeals import service as appeals
from appeal_tracker.appeals.cases import Case
from appeal_tracker.appeals.deeds import Deed
from appeal_tracker.appeals.lifecycle import Act, State
from appeal_tracker.calendars.civil import ticks_of
from appeal_tracker.callbacks import repository
from appeal_tracker.callbacks.models import Callback
from appeal_tracker.clocks.acceptance import Attempt, called_back_at
from appeal_tracker.directory import service as directory
from appeal_tracker.tasks import service as tasks
from appeal_tracker.tasks.models import TaskKind, TaskState
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.vault import Place
from contracts.appeals import AppealCalledBack

COMPLETED, UNREACHABLE, REFUSED, NOT_RATED = "completed", "unreachable", "refused", "not_rated"
LINK = "link"
LOW = ("1", "2")
ABOUT = timedelta(minutes=30)  # from the time that the customer agreed on


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A callback at its true time: how the customer was asked, what came of it, what they think, or why not."""

    at: datetime
    result: str
    channel: str = "phone"
    satisfaction: str | None = None
    opinion: str | None = None
    failure_reason: str | None = None
    agreed_at: datetime | None = None


def rating(satisfaction: str | None) -> int | str | None:
    """A rating as it is shown over HTTP; it is stored and told on topics as text, as every code is."""
    return int(satisfaction) if satisfaction is not None and satisfaction.isdecimal() else satisfaction


def place(callback: Callback) -> Place:
    """Where an opinion is sealed."""
    return Place("callbacks", "opinion_sealed", callback.id)


async def record(deed: Deed, runtime: Runtime, said: Said) -> Callback:
    """Records a callback about an answer, of the appeal and of those merged into it. Raises what the state machine
    refuses by."""
    concerned = deed.concerned(Act.CALL_BACK, said.at)
    # What came before the answer was not about it: it moves nothing, and stops nothing that waits for a call since.
    answered = [await _answered_at(deed, case) for case in concerned]
    made = [
        await keep(deed, runtime, case, said, counts=said.at >= since)
        for case, since in zip(concerned, answered, strict=True)
    ]
    its = await tasks.of_appeals(deed.tx, [case.appeal.id for case in concerned])
    for case, callback, since in zip(concerned, made, answered, strict=True):
        called_at = await _called_back_at(deed, case, since)
        await deed.move(Act.TRY_BACK if called_at is None else Act.CALL_BACK, called_at or said.at, [case])
        if called_at is not None:
            await deed.stop("callback", called_at, [case])
        reached = said.result == COMPLETED and said.at >= since
        for task in its:
            if task.appeal_id != case.appeal.id:
                continue
            task.attempts += said.result == UNREACHABLE
            task.updated_at = deed.now
            if reached or (called_at is not None and task.kind == TaskKind.CALLBACK):
                tasks.end(task, TaskState.DONE, deed.now, deed.by, callback.id)
    await deed.tx.flush()
    if said.satisfaction in LOW and said.at >= answered[0]:
        await dissatisfied(deed, said.satisfaction)
    return made[0]


async def _answered_at(deed: Deed, case: Case) -> datetime:
    clock, since = case.clock("callback"), await appeals.first_answered(deed.tx, case.appeal)
    return max(since, clock.started_at) if clock is not None else since


async def keep(deed: Deed, runtime: Runtime, case: Case, said: Said, *, counts: bool = True) -> Callback:
    """Stores a callback of one appeal, its opinion sealed, and tells of it, and whether it counts; marked where it fell
    into the night and the customer neither agreed on about that time nor came by themselves."""
    quiet = case.policy.quiet
    agreed = said.agreed_at is not None and abs(said.at - said.agreed_at) <= ABOUT
    asked = agreed or said.channel == LINK
    by_night = not asked and quiet is not None and quiet.stretch(ticks_of(said.at)) is not None
    its = Callback(
        id=new_id(),
        appeal_id=case.appeal.id,
        round=case.appeal.round,
        at=said.at,
        recorded_at=deed.now,
        by=deed.caller.sub,
        result=said.result,
        channel=said.channel,
        satisfaction=said.satisfaction,
        agreed_at=said.agreed_at,
        quiet_hours=by_night,
    )
    if said.opinion is not None:
        owner = await directory.top_of(deed.tx, case.appeal.unit_code)
        its.opinion_sealed = await runtime.vault.seal(deed.tx, owner, place(its), said.opinion)
    deed.write(case, its.id, {"failure_reason": said.failure_reason})
    deed.tx.add(its)
    told: dict[str, Any] = {"result": said.result, "satisfaction": said.satisfaction, "channel": said.channel}
    marks = {**told, "satisfaction": rating(said.satisfaction), "quiet_hours": by_night}
    event = AppealCalledBack(**deed.facts(case, said.at), **told, counts=counts)
    deed.say(case, "called_back", said.at, event, callback_id=its.id, **marks)
    return its


async def dissatisfied(deed: Deed, satisfaction: str) -> None:
    """Has the customer followed up, or a new round begin. One that is open again already needs neither; one that cannot
    end yet, for it is merged, or others are merged into it that nobody answered, is followed up, so that no rating is
    turned away."""
    case, ended = deed.case, deed.appeal.state == State.CLOSED
    if not ended and deed.appeal.standing.progress not in (State.ANSWERED, State.CALLED_BACK):
        return
    anew = case.policy.callback.dissatisfied == "new_round" and not deed.appeal.is_merged
    if anew and (ended or await ending.may_resolve(deed)):
        reason = f"satisfaction {satisfaction}"
        if not ended:
            await ending.resolve(deed)
        await reopening.again(deed, reason=reason)
        return
    its = await tasks.of_appeals(deed.tx, [case.appeal.id])
    if all(task.kind != TaskKind.FOLLOW_UP for task in its):
        await asking.ask(deed, case, TaskKind.FOLLOW_UP)


async def _called_back_at(deed: Deed, case: Case, since: datetime) -> datetime | None:
    """When the customer counts as called back since an instant: reached, or tried often enough."""
    await deed.tx.flush()
    its = await repository.since_round(deed.tx, case.appeal.id, case.appeal.counts_from)
    attempts = [Attempt(each.at, each.result) for each in its]
    return called_back_at(attempts, case.policy.callback, since, deed.now)
