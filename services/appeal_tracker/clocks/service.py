"""What is done with clocks: they are started, stopped by acts, cancelled, and explained."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.calendars import service as calendars
from appeal_tracker.calendars.counting import Day, Hold, explain
from appeal_tracker.clocks import ladders, punctuality, replanning, repository
from appeal_tracker.clocks.calculation import is_met
from appeal_tracker.clocks.models import Clock, RecordedHold, Timer
from appeal_tracker.clocks.planning import NewClock, Planner, Subject, limit_of
from appeal_tracker.clocks.replanning import Open
from appeal_tracker.clocks.states import ClockState
from appeal_tracker.clocks.stood import Recorded, Stood, stood
from appeal_tracker.clocks.verdict import Verdict, verdict
from appeal_tracker.policies import service as policies
from appeal_tracker.policies.ladder import Phase
from appeal_tracker.policies.policy import Limit, Policy
from chassis.clock import Clock as DomainTime
from chassis.db import after_commit
from chassis.web.paging import Listing, Window

# A timer is late when it fires more than a minute after its moment; where time is scaled, a minute may be less than the
# loop needs for one turn, so it has two real seconds all the same.
PROMPT = timedelta(minutes=1)
PROMPT_REALLY = timedelta(seconds=2)


class Told(msgspec.Struct, frozen=True):
    """Whom a fired step tells, and by which packs."""

    step: str
    audience: list[str]
    late: bool
    packs: list[str]


class Stopped(msgspec.Struct, frozen=True):
    """A clock that an act changed; `told` where the act had to record the breach that nobody had recorded yet."""

    clock: Clock
    verdict: Verdict
    told: Told | None = None


class Deadline(msgspec.Struct, frozen=True):
    """A clock, the limit it was set by, and its timers."""

    clock: Clock
    limit: Limit
    timers: list[Timer]


class Explained(msgspec.Struct, frozen=True):
    """A clock with the rules it was set by, the holds in which it stood still, each as far as it did, and every day
    from its start to its deadline."""

    clock: Clock
    policy: Policy
    limit: Limit
    holds: list[tuple[RecordedHold, Stood]]
    days: tuple[Day, ...]


def promptly(time: DomainTime) -> datetime:
    """The instant before which a timer that has not fired until now is late."""
    return time.now() - max(PROMPT, PROMPT_REALLY * time.speed)


async def of_subject(tx: AsyncSession, kind: str, subject: UUID, *, lock: bool = False) -> Sequence[Clock]:
    """The clocks of a subject as they fall due; `lock` keeps them as they are until the transaction ends."""
    return await repository.of_subjects(tx, kind, [subject], lock=lock)


async def of_subjects(
    tx: AsyncSession, kind: str, subjects: Collection[UUID], *, lock: bool = False
) -> dict[UUID, list[Clock]]:
    """The clocks of each of `subjects`, round by round as they fall due; `lock` as above."""
    found: dict[UUID, list[Clock]] = {subject: [] for subject in subjects}
    for clock in await repository.of_subjects(tx, kind, subjects, lock=lock):
        found[clock.subject_id].append(clock)
    return found


async def held(tx: AsyncSession, ids: Collection[UUID]) -> Sequence[Clock]:
    """The clocks called `ids`, kept as they are until the transaction ends."""
    return await repository.held(tx, ids) if ids else ()


async def start(tx: AsyncSession, clocks: Sequence[NewClock], now: datetime) -> None:
    """Stores clocks and their timers."""
    await repository.insert(tx, clocks, now)


async def start_again(tx: AsyncSession, clocks: Sequence[NewClock], now: datetime) -> None:
    """Has cancelled clocks run again, as planned anew under the ids they bear; what their ladders told is not told
    again."""
    await repository.rewrite(tx, [(clock.id, replanning.running(clock)) for clock in clocks], now)


async def follow(tx: AsyncSession, following: Mapping[UUID, UUID | None]) -> None:
    """Has locked clocks follow others, or none any more."""
    await repository.follow(tx, following)


async def start_from(
    tx: AsyncSession,
    subject: Subject,
    fact: str,
    at: datetime,
    policy: Policy,
    but: Collection[str] = (),
    heard_at: datetime | None = None,
) -> list[NewClock]:
    """Starts the clocks that by a policy run from a fact on, `but` for those of some milestones; those that were past
    by `heard_at` are late arrivals."""
    if not any(limit.starts == fact for limit in policy.limits(subject.appeal_type or "")):
        return []
    planned = Planner(await calendars.newest(tx)).clocks_started(subject, fact, at, policy, heard_at)
    started = [clock for clock in planned if clock.milestone not in but]
    await repository.insert(tx, started, heard_at or at)
    return started


async def stop(
    tx: AsyncSession, clocks: Collection[Clock], at: datetime, time: DomainTime, still: Collection[UUID] = ()
) -> list[Stopped]:
    """Judges locked clocks by an act at its true time `at`, and has the timers that lost their object never fire. An
    escalation whose moment was before a late act fires all the same: what downtime ate is not skipped. Those that stood
    `still` up to the act are in time.

    A breach never writes a stop: `stopped_at` is written here only.
    """
    found_so = [(clock, Verdict.MET if clock.id in still else verdict(clock, at)) for clock in clocks]
    judged = [(clock, found) for clock, found in found_so if found is not None]
    stopped = []
    for clock, found in judged:
        told = None
        if found is Verdict.LATE:
            told = await _breach(tx, clock, at, time)
        elif found in (Verdict.MET, Verdict.CORRECTED):
            clock.state = ClockState.MET
        clock.stopped_at = at
        stopped.append(Stopped(clock, found, told))
    in_time = [clock.id for clock, found in judged if found in (Verdict.MET, Verdict.CORRECTED)]
    ended = [clock.id for clock, found in judged if found is Verdict.ENDED]
    if in_time:
        await ladders.cancel(tx, in_time)
    if ended:
        await ladders.cancel(tx, ended, after=at)
    return stopped


async def breach(tx: AsyncSession, clocks: Collection[Clock], time: DomainTime) -> list[Stopped]:
    """Records the breach of locked clocks that are past, or that kept with others a promise which was broken for one of
    them, and has them go up their ladders."""
    running = [clock for clock in clocks if clock.state == ClockState.RUNNING]
    broken = await repository.broken(tx, {clock.follows or clock.id for clock in running}) if running else set()
    over = ((clock, (clock.follows or clock.id, clock.due_at) in broken) for clock in running)
    past = [clock for clock, is_broken in over if is_broken or not may_be_met(clock, time.now())]
    return [Stopped(clock, Verdict.LATE, await _breach(tx, clock, None, time)) for clock in past]


async def _breach(tx: AsyncSession, clock: Clock, at: datetime | None, time: DomainTime) -> Told:
    """Records a breach that an act outran, one `at` which it stopped or another: the loop that would have done so comes
    too late now."""
    now = clock.breached_at = time.now()
    clock.state = ClockState.BREACHED
    fired = await ladders.fire_breach(tx, clock.id, at, now, promptly(time))
    lateness = (now - fired.could_at).total_seconds()
    after_commit(tx, partial(punctuality.count, {punctuality.Fired(Phase.DUE, lateness): 1}))
    return Told(fired.step, fired.tell, fired.late, fired.packs)


def may_be_met(clock: Open, now: datetime) -> bool:
    """Whether something done `now` would be in time for it: it is open, and not past with a breach still unrecorded."""
    return clock.state == ClockState.HELD or (clock.state == ClockState.RUNNING and is_met(now, clock.due_at))


async def cancel(tx: AsyncSession, clocks: Collection[Clock], now: datetime) -> list[Clock]:
    """Cancels those of locked clocks that still run, and the timers to come of all; returns those it cancelled.

    What was past by `now` is not among them: whoever fires timers records its breach, also where that was not done yet.
    """
    running = [clock for clock in clocks if may_be_met(clock, now)]
    for clock in running:
        clock.state = ClockState.CANCELLED
    if clocks:
        await ladders.cancel(tx, [clock.id for clock in clocks], after=now)
    return running


async def speak_up(tx: AsyncSession, clocks: Collection[Clock], now: datetime) -> None:
    """Has locked clocks whose breach was recorded while others spoke for them go up their own ladders from now on."""
    silent = [clock.id for clock in clocks if clock.state == ClockState.BREACHED and clock.stopped_at is None]
    if silent:
        await ladders.escalate_again(tx, silent, now)


async def timers(tx: AsyncSession, clocks: Collection[Clock]) -> dict[UUID, list[Timer]]:
    """The timers of each clock, as they fire."""
    found: dict[UUID, list[Timer]] = {clock.id: [] for clock in clocks}
    for timer in await ladders.of(tx, list(found)):
        found[timer.clock_id].append(timer)
    return found


async def find(tx: AsyncSession, id: UUID) -> Clock | None:
    """The clock called `id`."""
    return await repository.find(tx, id)


async def limits(tx: AsyncSession, clocks: Collection[Clock]) -> dict[UUID, Limit]:
    """The limit that each clock was set by."""
    shelf = await policies.shelf(tx)
    return {clock.id: _limit(shelf.labelled(clock.policy), clock) for clock in clocks}


async def deadlines(tx: AsyncSession, kind: str, subject: UUID, window: Window) -> Listing[Deadline]:
    """The clocks of a subject, with the limits they were set by and their timers; a feed gives all of them when any may
    have changed."""
    its = await repository.page(tx, kind, subject, window)
    its_limits, its_timers = await limits(tx, its.items), await timers(tx, its.items)
    return Listing([Deadline(clock, its_limits[clock.id], its_timers[clock.id]) for clock in its.items], its.next)


def _limit(policy: Policy, clock: Clock) -> Limit:
    limit = limit_of(policy, clock)
    assert limit is not None, "it was set by it"
    return limit


async def explained(tx: AsyncSession, clock: Clock, recorded: Sequence[Recorded]) -> Explained:
    """Why a clock is due when it is, day by day, by the versions it was set by and what was `recorded` of its subject;
    a hold without an end has moved nothing so far."""
    policy = (await policies.shelf(tx)).labelled(clock.policy)
    limit = _limit(policy, clock)
    calendar = await calendars.by_label(tx, clock.calendar)
    every = await repository.holds(tx, [clock.subject_id])
    holds = {hold.id: hold for hold in every if hold.stops(clock, holdable=limit.holdable)}
    its = stood(clock, holds.values(), recorded)
    ended = [Hold(each.since, each.until) for each in its if each.counted and each.until is not None]
    days = explain(clock.started_at, limit.within, calendar, ended)
    return Explained(clock, policy, limit, [(holds[each.hold], each) for each in its], days)
