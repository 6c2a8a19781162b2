"""The clocks of some held visits in the making: which do not belong there any more, which are missing, which end."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.calendars import service as calendars
from appeal_tracker.clocks import service as clocks
from appeal_tracker.clocks import telling, timeline
from appeal_tracker.clocks.models import Clock
from appeal_tracker.clocks.planning import Planner, Subject, limit_of
from appeal_tracker.clocks.states import ClockState
from appeal_tracker.clocks.timeline import Entry
from appeal_tracker.policies.policy import Limit, Policy
from appeal_tracker.policies.service import Shelf
from appeal_tracker.visits.course import Standing, facts, gone_at, is_open, stops
from appeal_tracker.visits.hearing import News
from appeal_tracker.visits.models import SUBJECT, Visit
from chassis.runtime import Runtime
from contracts.envelope import Event


class Lacking(NamedTuple):
    """A clock that a visit should have and has not: by which limit of which policy, from when on, in which round."""

    limit: Limit
    at: datetime
    policy: Policy
    round: int


def kept(shelf: Shelf, its: Sequence[Clock], held: Mapping[str, datetime], ended: Collection[UUID]) -> set[str]:
    """The milestones of which the latest clock runs from a fact that holds. One that was given up runs from none any
    more, though the fact came back; but what a recalculation `ended` stays ended."""
    latest = {clock.milestone: clock for clock in its}  # they come round by round
    return {
        clock.milestone
        for clock in latest.values()
        if held.get(fact_of(shelf, clock)) == clock.started_at
        and (clock.state != ClockState.CANCELLED or clock.id in ended)
    }


def lacking(
    shelf: Shelf, visit: Visit, its: Sequence[Clock], held: Mapping[str, datetime], ended: Collection[UUID]
) -> Iterator[Lacking]:
    """What a visit of these clocks should have besides, by the facts that hold, but for what was `ended`."""
    rounds, there = {clock.milestone: clock.round for clock in its}, kept(shelf, its, held, ended)
    for fact, at in held.items():
        policy = shelf.chosen(visit.unit_code, at).policy
        for limit in policy.visits:
            if limit.starts == fact and limit.milestone not in there:
                yield Lacking(limit, at, policy, rounds.get(limit.milestone, 0) + 1)


def fact_of(shelf: Shelf, clock: Clock) -> str:
    """The fact that a clock of a visit runs from."""
    limit = limit_of(shelf.labelled(clock.policy), clock)
    assert limit is not None, "it was set by it"
    return limit.starts


class Following:
    """One batch: what it changes and what it tells; `settle` writes what is told."""

    def __init__(self, tx: AsyncSession, runtime: Runtime, shelf: Shelf, told: Sequence[News] = ()) -> None:
        self._tx, self._runtime, self._shelf = tx, runtime, shelf
        self._told = {news.visit_id: news for news in told}
        self._now = runtime.clock.now()
        self._missing: list[tuple[Visit, Lacking]] = []
        self._events: list[Event] = []
        self._traces: list[str | None] = []  # of each event, that of its cause
        self._entries: list[Entry] = []

    async def look(self, visit: Visit, its: Sequence[Clock], appeals: Standing, ended: Collection[UUID]) -> None:
        """Gives up the clocks of a visit that no longer run from a fact, and marks those that are to be started; what
        a recalculation `ended` is not.

        A clock that is replaced keeps its round, and its breach if it was breached; the next one has the next round.
        """
        held = facts(visit, appeals)
        assumed = any(self._shelf.assumes(visit.unit_code, at) for at in held.values())
        visit.policy_assumed = visit.is_open and assumed
        there = kept(self._shelf, its, held, ended)
        for clock in {clock.milestone: clock for clock in its}.values():
            if clock.milestone not in there and is_open(clock):
                await self._give_up(visit, clock)
        self._missing += [(visit, each) for each in lacking(self._shelf, visit, its, held, ended)]

    async def start(self) -> bool:
        """Starts what is missing; False if nothing is."""
        if not self._missing:
            return False
        planner, started = Planner(await calendars.newest(self._tx)), []
        for visit, its in self._missing:
            subject = Subject(SUBJECT, visit.id, its.round)
            clock = planner.clock_of(subject, its.limit, its.at, its.policy, heard_at=self._now)
            started.append(clock)
            self._entries.append(telling.started_entry(visit, clock, None))
        await clocks.start(self._tx, started, self._now)
        return True

    async def stop(self, visit: Visit, its: Sequence[Clock]) -> None:
        """Judges the clocks of a visit by what they waited for, where that has happened."""
        happened = stops(visit)
        for clock in {clock.milestone: clock for clock in its}.values():
            at = happened[fact_of(self._shelf, clock)]
            for stopped in await clocks.stop(self._tx, [clock] if at else [], at or self._now, self._runtime.clock):
                self._entries.append(telling.entry(visit, stopped, None, self._now))
                if event := telling.event(visit, stopped, None, self._now):
                    self._events.append(event)
                    self._traces.append(self._trace(visit, at or self._now))

    async def settle(self) -> None:
        """Writes timeline and outbox."""
        await self._tx.flush()
        if self._entries:
            await timeline.note(self._tx, self._entries, self._now)
        await self._runtime.outbox.append(self._tx, self._events, at=self._now, traces=self._traces)

    async def _give_up(self, visit: Visit, clock: Clock) -> None:
        moved = visit.appointed_at if fact_of(self._shelf, clock) == "appointed" else None
        at = gone_at(visit) or moved or self._now
        if await clocks.cancel(self._tx, [clock], at):
            self._entries.append(telling.cancelled_entry(visit, clock, at))
            self._events.append(telling.cancelled(visit, clock, self._now))
            self._traces.append(self._trace(visit, at))

    def _trace(self, visit: Visit, at: datetime) -> str | None:
        news = self._told.get(visit.id)
        return news.trace_of(at) if news else None
