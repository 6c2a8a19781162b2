"""The frame of every act on an appeal, in one transaction: lock, check, change, and tell.

The appeal's row is locked first and its clocks after it. Whoever fires timers never waits for a lock, so there is no
other order in which two could wait for each other.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import lifecycle, repository
from appeal_tracker.appeals.errors import (
    AppealIsClosed,
    AppealNotFound,
    AppealUnanswered,
    BeforeReceived,
)
from appeal_tracker.appeals.lifecycle import Act, Refused, Rule, State
from appeal_tracker.appeals.models import SUBJECT, Appeal
from appeal_tracker.appeals.repository import Entry
from appeal_tracker.clocks import service as clocks
from appeal_tracker.clocks import telling
from appeal_tracker.clocks.models import Clock
from appeal_tracker.clocks.planning import Subject
from appeal_tracker.policies import service as policies
from appeal_tracker.policies.policy import Policy
from chassis.runtime import Runtime
from chassis.web.errors import Problem
from chassis.web.moments import happened
from chassis.web.tokens import Principal
from contracts.envelope import Event

_PROBLEMS: dict[Rule, type[Problem]] = {Rule.CLOSED: AppealIsClosed, Rule.UNANSWERED: AppealUnanswered}


class Deed:
    """One act in the making: what it changes and what it tells; `settle` writes what is told, in the order it was said.

    Its clocks are those of the appeal's present round.
    """

    def __init__(
        self,
        tx: AsyncSession,
        runtime: Runtime,
        caller: Principal,
        appeal: Appeal,
        policy: Policy,
        its_clocks: Sequence[Clock],
    ) -> None:
        self.tx, self.caller, self.appeal, self.policy = tx, caller, appeal, policy
        self.clocks = [clock for clock in its_clocks if clock.round == appeal.round]
        self.now = runtime.clock.now()
        self._runtime = runtime
        self._events: list[Event] = []
        self._entries: list[Entry] = []

    def clock(self, milestone: str) -> Clock | None:
        """The clock of a milestone, if the policy gives one."""
        return next((clock for clock in self.clocks if clock.milestone == milestone), None)

    def facts(self, at: datetime) -> dict[str, Any]:
        """What every event of an act says."""
        appeal = self.appeal
        its = {"appeal_id": appeal.id, "visit_id": appeal.visit_id, "unit_code": appeal.unit_code}
        return {**its, "round": appeal.round, "at": at, "by": self.caller.sub}

    def say(self, kind: str, at: datetime, event: Event | None = None, **data: object) -> None:
        """Keeps the act for the timeline, and for the bus where it has an event."""
        self._entries.append(Entry(self.appeal.id, kind, at, self.caller.sub, data))
        if event is not None:
            self._events.append(event)

    async def move(self, act: Act, at: datetime) -> None:
        """Takes the act as the state machine says, and starts the clocks that run from what it brought about.

        Raises `AppealIsClosed`, `AppealUnanswered`.
        """
        appeal, before = self.appeal, State(self.appeal.state)
        try:
            now = lifecycle.after(before, act)
        except Refused as refused:
            raise _PROBLEMS[refused.rule](rule=refused.rule) from refused
        appeal.state = now
        subject = Subject(SUBJECT, appeal.id, appeal.round, appeal.type)
        for fact in lifecycle.facts(before, now):
            for clock in await clocks.start_from(self.tx, subject, fact, at, self.policy):
                self._entries.append(telling.started_entry(appeal, clock, self.caller.sub))

    async def stop(self, milestone: str, at: datetime) -> None:
        """Stops the clock of a milestone by what was done at `at`."""
        its = [clock for clock in self.clocks if clock.milestone == milestone]
        for stopped in await clocks.stop(self.tx, its, at, self._runtime.clock):
            self._entries.append(telling.entry(self.appeal, stopped, self.caller.sub, self.now))
            if event := telling.event(self.appeal, stopped, self.caller.sub, self.now):
                self._events.append(event)

    async def settle(self) -> None:
        """Writes timeline and outbox, and marks the appeal as changed."""
        self.appeal.updated_at = self.now
        await self.tx.flush()
        await repository.note(self.tx, self._entries, self.now)
        await self._runtime.outbox.append(self.tx, self._events, at=self.now)


async def begin(
    tx: AsyncSession, runtime: Runtime, caller: Principal, appeal: UUID, at: datetime | None = None
) -> Deed:
    """Begins an act that was done at `at`, now where it is left out; until the transaction ends nobody else acts on the
    appeal. Raises `AppealNotFound`, also for another unit's; `BeforeReceived`, `InTheFuture`.
    """
    found = await repository.lock(tx, appeal, caller.unit)
    if found is None:
        raise AppealNotFound
    if at is not None and at < found.received_at:
        raise BeforeReceived(found.received_at)
    if at is not None:
        happened(at, runtime.clock.now())
    shelf = await policies.shelf(tx, [found.unit_code])
    policy = shelf.kept(found.policy, found.unit_code, found.received_at)
    its_clocks = await clocks.of_subject(tx, SUBJECT, appeal, lock=True)
    return Deed(tx, runtime, caller, found, policy, its_clocks)
