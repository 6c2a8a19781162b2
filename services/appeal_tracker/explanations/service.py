"""What is known of one deadline: the days that make it, the rules they were counted by, and all that moved it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import repository as appeals
from appeal_tracker.appeals import showing
from appeal_tracker.appeals.confidence import Shown, veiled
from appeal_tracker.calendars.counting import Day
from appeal_tracker.clocks import service as clocks
from appeal_tracker.clocks import timeline
from appeal_tracker.clocks.holding import CLOSED
from appeal_tracker.clocks.models import Clock, RecordedHold, Timer
from appeal_tracker.clocks.stood import Stood
from appeal_tracker.clocks.timeline import TimelineEntry
from appeal_tracker.explanations.errors import DeadlineNotFound
from appeal_tracker.policies import service as policies
from appeal_tracker.policies.policy import Limit, Policy
from appeal_tracker.texts import service as texts
from appeal_tracker.visits import service as visits
from appeal_tracker.visits.models import SUBJECT as VISIT
from chassis.runtime import Runtime
from chassis.web.tokens import Principal

_MOVED, _KEPT = "deadline_recalculated", "deadline_kept"  # the latter by other versions
_TURNED = ("deadline_started", "deadline_cancelled")  # also by what another policy times, or does not
# What became of a clock. The timeline tells more of it, warnings and escalations; those the timers tell.
_BECAME = ("deadline_breached", "deadline_met", "deadline_corrected", "deadline_ended", "deadline_cancelled")


class Recalculation(msgspec.Struct, frozen=True):
    """The deadline was put elsewhere, or became certain, or stayed where it was by other versions, or began or ended by
    them: when, by whom (nobody, where the service did it by itself), why, from what to what. What began then has
    nothing old, what ended nothing new."""

    at: datetime
    actor: str | None
    cause: str
    old_due_at: datetime | None = None
    due_at: datetime | None = None
    old_provisional: bool | None = None
    provisional: bool | None = None
    old_policy: str | None = None
    policy: str | None = None
    old_calendar: str | None = None
    calendar: str | None = None
    recalculation_id: UUID | None = None


class Promise(msgspec.Struct, frozen=True):
    """The clock of another appeal, merged with this one, whose earlier deadline is kept: by which days it is due.

    `appeal_no` is None where the caller may not see that appeal.
    """

    clock: Clock
    appeal_no: str | None
    limit: Limit
    days: tuple[Day, ...]


class Subject(msgspec.Struct, frozen=True):
    """What a clock runs on: an appeal by its number and the type that it times, or a visit, which has neither;
    `readable`: the caller may read what was said about it, and where it is `hidden` leaves a trail."""

    kind: str
    id: UUID
    unit_code: str
    handling_unit_code: str
    number: str | None = None
    type: str | None = None
    readable: bool = True
    hidden: bool = False


class Explanation(msgspec.Struct, frozen=True):
    """A clock with everything that says why it is due when it is, and what became of it.

    `days` are those of its own period; where there is a `promise`, that one's are what it is due by. `facts` are its
    breach, stop, correction and cancellation in the order they became known, each with its true time and when it was
    recorded.
    `standard` is the title of the pack whose clause states the figure.
    """

    clock: Clock
    subject: Subject
    policy: Policy
    limit: Limit
    standard: str
    days: tuple[Day, ...]
    timers: Sequence[Timer]
    holds: Sequence[Any]
    promise: Promise | None
    recalculations: Sequence[Recalculation]
    facts: Sequence[TimelineEntry]
    as_of: datetime


async def explain(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID) -> Explanation:
    """Explains a clock of an appeal or a visit. Raises `DeadlineNotFound`, also for another unit's."""
    clock = await clocks.find(tx, id)
    subject = None if clock is None else await _subject(tx, caller, clock)
    if clock is None or subject is None:
        raise DeadlineNotFound
    told = await timeline.of(tx, clock.subject_id)
    its = await clocks.explained(tx, clock, told)
    about = [entry for entry in told if entry.data.get("clock_id") == str(clock.id)]
    return Explanation(
        clock=clock,
        subject=subject,
        policy=its.policy,
        limit=its.limit,
        standard=(await policies.shelf(tx)).labelled(its.limit.stated_by).title,
        days=its.days,
        timers=(await clocks.timers(tx, [clock]))[clock.id],
        holds=await _shown(tx, runtime, caller, subject, its.holds),
        promise=await _promise(tx, caller, clock.promised_by),
        recalculations=[_recalculation(entry) for entry in about if _recalculates(entry)],
        facts=[entry for entry in about if entry.kind in _BECAME],
        as_of=runtime.clock.now(),
    )


async def _shown(
    tx: AsyncSession, runtime: Runtime, caller: Principal, subject: Subject, its: Sequence[tuple[RecordedHold, Stood]]
) -> list[Any]:
    """Holds, as far as the clock stood still in them, with their words; without where the caller may not read them."""
    readable = {hold.id for hold, _ in its if subject.readable or hold.held_by == caller.sub}
    said = await texts.read(tx, runtime, readable)
    if subject.readable and any(hold.held_by != caller.sub and hold.id in said for hold, _ in its):
        await showing.note_read(tx, runtime, caller, subject, "holds")
    return [
        Shown(each, **said.get(hold.id, {}))
        if hold.id in readable or hold.reason == CLOSED
        else veiled(caller, each, hold.held_by, "reason", "note")
        for hold, stood in its
        for each in [_as_stood(hold, stood)]
    ]


def _as_stood(hold: RecordedHold, stood: Stood) -> Any:
    resumed_by = hold.resumed_by if stood.until == hold.until else None
    return Shown(hold, until=stood.until, counted=stood.counted, resumed_by=resumed_by)


def _recalculates(entry: TimelineEntry) -> bool:
    return entry.kind in (_MOVED, _KEPT) or (entry.kind in _TURNED and "recalculation_id" in entry.data)


def _recalculation(entry: TimelineEntry) -> Recalculation:
    data = {"recalculation_id": entry.data.get("recalculation"), **entry.data}
    return msgspec.convert({**data, "at": entry.recorded_at, "actor": entry.actor}, Recalculation)


async def _subject(tx: AsyncSession, caller: Principal, clock: Clock) -> Subject | None:
    """What the clock runs on, if the caller may see it."""
    if clock.subject_kind == VISIT:
        visit = await visits.find(tx, caller, clock.subject_id)
        return Subject(VISIT, visit.id, visit.unit_code, visit.handling_unit_code) if visit else None
    appeal = await appeals.find(tx, clock.subject_id, caller.unit)
    if appeal is None:
        return None
    units = (appeal.unit_code, appeal.handling_unit_code)
    readable = await showing.reads_words(tx, caller, appeal)
    about = (appeal.appeal_no, clock.appeal_type or appeal.type)
    return Subject(clock.subject_kind, appeal.id, *units, *about, readable, appeal.hidden)


async def _promise(tx: AsyncSession, caller: Principal, id: UUID | None) -> Promise | None:
    clock = await clocks.find(tx, id) if id is not None else None
    if clock is None:
        return None
    appeal = await appeals.find(tx, clock.subject_id, caller.unit)
    its = await clocks.explained(tx, clock, await timeline.of(tx, clock.subject_id))
    return Promise(clock, appeal.appeal_no if appeal else None, its.limit, its.days)
