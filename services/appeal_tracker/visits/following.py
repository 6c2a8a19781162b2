"""The clocks of some held visits in the making: which do not belong there any more, which are missing, which end."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.calendars import service as calendars
from appeal_tracker.clocks import service as clocks
from appeal_tracker.clocks import telling, timeline
from appeal_tracker.clocks.models import Clock
from appeal_tracker.clocks.planning import Planner, Subject, limit_of
from appeal_tracker.clocks.timeline import Entry
from appeal_tracker.policies.policy import Limit, Policy
from appeal_tracker.policies.service import Shelf
from appeal_tracker.visits.course import Standing, facts, gone_at, is_open, stops
from appeal_tracker.visits.hearing import News
from appeal_tracker.visits.models import SUBJECT, Visit
from chassis.runtime import Runtime
from contracts.envelope import Event


class Following:
    """One batch: what it changes and what it tells; `settle` writes what is told."""

    def __init__(self, tx: AsyncSession, runtime: Runtime, shelf: Shelf, told: Sequence[News] = ()) -> None:
        self._tx, self._runtime, self._shelf = tx, runtime, shelf
        self._told = {news.visit_id: news for news in told}
        self._now = runtime.clock.now()
        self._missing: list[tuple[Visit, Subject, Limit, datetime, Policy]] = []
        self._events: list[Event] = []
        self._traces: list[str | None] = []  # of each event, that of its cause
        self._entries: list[Entry] = []

    async def look(self, visit: Visit, its: Sequence[Clock], appeals: Standing) -> None:
        """Gives up the clocks of a visit that no longer run from a fact, and marks those that are to be started.

        A clock that is replaced keeps its round, and its breach if it was breached; the next one has the next round.
        """
        held = facts(visit, appeals)
        assumed = any(self._shelf.assumes(visit.unit_code, at) for at in held.values())
        visit.policy_assumed = visit.is_open and assumed
        latest = {clock.milestone: clock for clock in its}  # they come round by round
        kept = {clock.milestone for clock in latest.values() if held.get(self._fact(clock)) == clock.started_at}
        for clock in latest.values():
            if clock.milestone not in kept and is_open(clock):
                await self._give_up(visit, clock)
        for fact, at in held.items():
            policy = self._shelf.chosen(visit.unit_code, at).policy
            for limit in policy.visits:
                if limit.starts == fact and limit.milestone not in kept:
                    last = latest.get(limit.milestone)
                    subject = Subject(SUBJECT, visit.id, last.round + 1 if last else 1)
                    self._missing.append((visit, subject, limit, at, policy))

    async def start(self) -> bool:
        """Starts what is missing; False if nothing is."""
        if not self._missing:
            return False
        planner, started = Planner(await calendars.newest(self._tx)), []
        for visit, subject, limit, at, policy in self._missing:
            clock = planner.clock_of(subject, limit, at, policy, heard_at=self._now)
            started.append(clock)
            self._entries.append(telling.started_entry(visit, clock, None))
        await clocks.start(self._tx, started)
        return True

    async def stop(self, visit: Visit, its: Sequence[Clock]) -> None:
        """Judges the clocks of a visit by what they waited for, where that has happened."""
        happened = stops(visit)
        for clock in {clock.milestone: clock for clock in its}.values():
            at = happened[self._fact(clock)]
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
        moved = visit.appointed_at if self._fact(clock) == "appointed" else None
        at = gone_at(visit) or moved or self._now
        if await clocks.cancel(self._tx, [clock], at):
            self._entries.append(telling.cancelled_entry(visit, clock, at))
            self._events.append(telling.cancelled(visit, clock, self._now))
            self._traces.append(self._trace(visit, at))

    def _trace(self, visit: Visit, at: datetime) -> str | None:
        news = self._told.get(visit.id)
        return news.trace_of(at) if news else None

    def _fact(self, clock: Clock) -> str:
        limit = limit_of(self._shelf.labelled(clock.policy), clock)
        assert limit is not None, "it was set by it"
        return limit.starts
