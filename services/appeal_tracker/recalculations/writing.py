"""What was seen is written: clocks and their timers, the timelines, and what is told of it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import counting
from appeal_tracker.clocks import service as clocks
from appeal_tracker.clocks import telling
from appeal_tracker.clocks.planning import no_clock_reason
from appeal_tracker.clocks.recalculation import Recalculated, write
from appeal_tracker.clocks.replanning import moves
from appeal_tracker.clocks.states import ClockState
from appeal_tracker.clocks.timeline import Entry, note
from appeal_tracker.recalculations import repository
from appeal_tracker.recalculations.models import Recalculation
from appeal_tracker.recalculations.seen import Seen
from appeal_tracker.recalculations.subjects import OpenClock
from appeal_tracker.visits import repository as visits
from chassis.runtime import Runtime
from chassis.worker import breathing
from contracts.envelope import Event

CANCELLED, RULED_ANEW = "deadline_cancelled", "policy_changed"
_MOMENT = 0.01  # seconds that whoever waits is let go before what moves is written; no more, for it is held


class Written(NamedTuple):
    """How many deadlines moved, began or ended; and how many of those are past now that were not."""

    moved: int
    breaching: int


class _Told:
    """What is said of a batch, and of whom."""

    def __init__(self, job: Recalculation, now: datetime) -> None:
        self.job, self.now = job, now
        self.entries: list[Entry] = []
        self.events: list[Event] = []

    def add(self, entry: Entry, event: Event | None = None) -> None:
        self.entries.append(entry)
        if event is not None:
            self.events.append(event)

    def add_ours(self, entry: Entry, event: Event | None = None) -> None:
        """The same, naming the job that it comes of."""
        its = {"cause": self.job.cause, "recalculation_id": self.job.id}
        self.add(msgspec.structs.replace(entry, data={**entry.data, **its}), event)


async def write_seen(tx: AsyncSession, runtime: Runtime, job: Recalculation, seen: Seen, now: datetime) -> Written:
    """Writes what was seen under lock, and tells of every deadline that is another one `now`; of what other versions
    left where it was, the timelines keep that they did."""
    told = _Told(job, now)
    if seen.plans:
        await runtime.db.leisure(_MOMENT)
    marked = {each.appeal.id for each in seen.relabelled}  # as changed, by that
    mark = {clock.id for clock, plan in seen.plans if clock.subject_id not in marked and moves(clock, plan)}
    every = await write(tx, seen.plans, now, mark)
    moved = [done for done in every if done.moved]
    await _tell(tx, runtime, moved, told)
    for done in every:
        if done.kept:
            told.add(telling.kept(done.clock.subject_id, done, job.cause, job.requested_by, now, job.id))
    ended = await _end(tx, seen.ending, told)
    await _start(tx, runtime, seen, told)
    _note_others(seen, {done.clock.subject_id for done in moved}, told)
    if told.entries:
        await note(tx, told.entries, told.now)
        await runtime.outbox.append(tx, told.events, at=told.now)
    if seen.relabelled:
        relabelled = [
            (its.id, policy.label, policy.calendar, each.assumed, no_clock_reason(its.type, policy))
            for each in seen.relabelled
            for its, policy in [(each.appeal, each.policy)]
        ]
        await repository.relabel(tx, relabelled, told.now)
    await visits.assume(tx, seen.visits)
    running = [(done.clock.id, done.clock.due_at) for done in moved if done.clock.state == ClockState.RUNNING]
    running += [(each.clock.id, each.clock.due_at) for each in seen.starting if each.done_at is None]
    past = sum(seen.is_past(clock, due_at, told.now) for clock, due_at in running)
    because = counting.Because(job.cause, job.id, job.requested_by)
    for leader, appeals in seen.counting.items():
        await counting.count_anew(tx, runtime, because, leader, appeals)
    return Written(len(moved) + ended + len(seen.starting), past)


def _note_others(seen: Seen, moved: Collection[UUID], told: _Told) -> None:
    """Keeps of each appeal that goes by other rules who had it do so, where no line about a clock of its says it."""
    about = {*moved, *(entry.appeal_id for entry in told.entries)}
    for appeal, policy in ((each.appeal, each.policy) for each in seen.relabelled if each.appeal.id not in about):
        old, its = (appeal.policy, appeal.calendar or policy.calendar), (policy.label, policy.calendar)
        if old != its:
            data: dict[str, object] = {"cause": told.job.cause, "recalculation": told.job.id}
            data |= {"old_policy": old[0], "policy": its[0], "old_calendar": old[1], "calendar": its[1]}
            told.add(Entry(appeal.id, RULED_ANEW, told.now, told.job.requested_by, data))


async def _tell(tx: AsyncSession, runtime: Runtime, moved: Sequence[Recalculated], told: _Told) -> None:
    """Keeps and tells of each deadline that moved, all at once: there may be a million of them."""
    if not moved:
        return
    entries, rows = [], []
    cause, actor, now, job = told.job.cause, told.job.requested_by, told.now, told.job.id
    async for done in breathing(moved):
        assert isinstance(done.clock, OpenClock)
        its = telling.recalculated(done.clock.on, done, cause, actor, now, job)
        entries.append(its[0])
        rows.append(runtime.outbox.row(its[1], now))
    await runtime.db.leisure(_MOMENT)
    await note(tx, entries, now)
    await runtime.db.leisure(_MOMENT)
    await runtime.outbox.put(tx, rows)


async def _end(tx: AsyncSession, ending: list[OpenClock], told: _Told) -> int:
    """Ends what the other policy does not time. What it was, and by which rules, the timeline keeps. Returns how many
    that are."""
    await clocks.cancel(tx, await clocks.held(tx, {clock.id for clock in ending}), told.now)
    for clock in ending:
        data: dict[str, object] = {"clock_id": clock.id, "milestone": clock.milestone}
        data |= {"old_due_at": clock.due_at, "old_provisional": clock.provisional}
        data |= {"old_policy": clock.policy, "old_calendar": clock.calendar}
        entry = Entry(clock.subject_id, CANCELLED, told.now, told.job.requested_by, data)
        told.add_ours(entry, telling.cancelled(clock.on, clock, told.now))
    await tx.flush()
    return len(ending)


async def _start(tx: AsyncSession, runtime: Runtime, seen: Seen, told: _Told) -> None:
    """Starts what the other policy times besides; what it waits for may have been done before, and stops it then."""
    starting = seen.starting
    again = await clocks.held(tx, [each.clock.id for each in starting if each.again])
    old = {clock.id: (clock.due_at, clock.provisional, clock.policy, clock.calendar) for clock in again}
    await clocks.start(tx, [each.clock for each in starting if not each.again], told.now)
    await clocks.start_again(tx, [each.clock for each in starting if each.again], told.now)
    await write(tx, seen.bound, told.now)
    await clocks.follow(tx, seen.following)
    if not starting:
        return
    for each in starting:
        entry = telling.started_entry(each.on, each.clock, told.job.requested_by)
        its = {"provisional": each.clock.provisional, "policy": each.clock.policy, "calendar": each.clock.calendar}
        who = (told.job.cause, told.job.requested_by, told.now, told.job.id)
        event: Event = telling.started(each.on, each.as_open(), *who)
        if each.again:  # they heard that it was cancelled
            back = Recalculated(each.as_open(), *old[each.clock.id], moved=True)
            _, event = telling.recalculated(each.on, back, *who)
        told.add_ours(msgspec.structs.replace(entry, data={**entry.data, **its}), event)
    done = {each.clock.id: each for each in starting if each.done_at is not None}
    for clock in await clocks.held(tx, done.keys()):
        each = done[clock.id]
        assert each.done_at is not None
        for stopped in await clocks.stop(tx, [clock], each.done_at, runtime.clock):
            actor = told.job.requested_by
            entry = telling.entry(each.on, stopped, actor, told.now)
            told.add(entry, telling.event(each.on, stopped, actor, told.now))
    await tx.flush()
