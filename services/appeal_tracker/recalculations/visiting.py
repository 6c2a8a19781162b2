"""Visits that are brought to another policy: each of their clocks runs by what counts for the fact that started it.

What is about appeals goes by the policy they keep; a visit keeps none, and has its clocks by the policies of the days
on which its facts came true. A recalculation brings to its `target` what runs by the versions that are left, or would.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import repository as appeals
from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.clocks import service as clocks
from appeal_tracker.clocks.models import Clock
from appeal_tracker.clocks.planning import Planner, Subject
from appeal_tracker.clocks.recalculation import Replanner, Target
from appeal_tracker.clocks.states import ClockState
from appeal_tracker.policies import service as policies
from appeal_tracker.policies.policy import Policy
from appeal_tracker.recalculations import concerned
from appeal_tracker.recalculations.concerned import Scope
from appeal_tracker.recalculations.seen import Seen
from appeal_tracker.recalculations.starting import Starting
from appeal_tracker.recalculations.subjects import OnWhat
from appeal_tracker.visits import repository
from appeal_tracker.visits.course import Standing, facts, stops
from appeal_tracker.visits.following import fact_of, kept
from appeal_tracker.visits.models import SUBJECT, Visit

_OPEN = (ClockState.RUNNING, ClockState.HELD)


class _Outlook(msgspec.Struct):
    """What is to become of a visit's clocks: those that run by another policy, those that end, and those that begin."""

    visit: Visit
    moving: dict[UUID, Target] = {}
    ending: set[UUID] = set()
    starting: list[Starting] = []
    assumed: bool = False

    @property
    def running(self) -> set[UUID]:
        return self.moving.keys() | self.ending

    @property
    def changes(self) -> bool:
        return bool(self.running or self.starting) or self.assumed != self.visit.policy_assumed


class Visiting:
    """The visits that a job is about: those of its scope that are open."""

    def __init__(
        self,
        newest: Mapping[str, Calendar],
        scope: Scope,
        replanner: Replanner,
        planner: Planner,
        target: Policy | None,
    ) -> None:
        self._newest, self._scope, self._target = newest, scope, target
        self._replanner, self._planner = replanner, planner

    async def count(self, tx: AsyncSession) -> tuple[int, UUID | None]:
        return await repository.count_open(tx, self._scope.units, assumed=self._scope.assumed)

    async def next(self, tx: AsyncSession, after: UUID, most: int) -> list[UUID]:
        return await repository.next_open(tx, self._scope.units, after, most, assumed=self._scope.assumed)

    async def look(self, tx: AsyncSession, ids: Sequence[UUID], now: datetime, *, lock: bool) -> Seen:
        """What is to become of those of `ids` that are visits. One of which somebody holds a clock is left out."""
        visits = await repository.still_open(tx, ids, lock=lock)
        if not visits:
            return Seen()
        shelf = await policies.shelf(tx, {visit.unit_code for visit in visits})
        its = await clocks.of_subjects(tx, SUBJECT, [visit.id for visit in visits])
        standing = await appeals.on_visits(tx, [visit.id for visit in visits if visit.completed_at])
        outlooks = [self._outlook(shelf, each, its[each.id], standing.get(each.id, Standing()), now) for each in visits]
        wanted = {clock for outlook in outlooks for clock in outlook.running}
        found = {clock.id: clock for clock in await concerned.open_clocks(tx, wanted, lock=lock)} if wanted else {}
        free = [outlook for outlook in outlooks if outlook.running <= found.keys()]
        targets = {clock: target for outlook in free for clock, target in outlook.moving.items()}
        plans = await self._replanner.plan(tx, [found[clock] for clock in targets], targets, ())
        return Seen(
            plans=[(found[clock], plan) for clock, plan in plans.items()],
            ending=[
                found[clock] for outlook in free for clock in outlook.ending if clocks.may_be_met(found[clock], now)
            ],
            starting=[starting for outlook in free for starting in outlook.starting],
            visits={outlook.visit.id: outlook.assumed for outlook in free if outlook.changes},
            settled=len(free),
        )

    def _outlook(
        self, shelf: policies.Shelf, visit: Visit, its: Sequence[Clock], appeals: Standing, now: datetime
    ) -> _Outlook:
        held, latest = facts(visit, appeals), {clock.milestone: clock for clock in its}
        assumed = any(shelf.assumes(visit.unit_code, at, anew=True) for at in held.values())
        outlook = _Outlook(visit, assumed=visit.policy_assumed if self._target else assumed)
        every = [each for each in latest.values() if each.state in _OPEN]
        turned: dict[str, Policy] = {}
        for fact, at in held.items():
            running = [each for each in every if fact_of(shelf, each) == fact]
            policy = self._policy(shelf, visit.unit_code, at, running or every)
            if policy is not None:
                turned[fact] = policy
                self._bring(outlook, fact, policy, running)
        there = kept(shelf, [each for each in latest.values() if each.id not in outlook.ending], held, ())
        for fact, policy in turned.items():
            self._begin(outlook, fact, held[fact], policy, latest, there, now)
        return outlook

    def _policy(self, shelf: policies.Shelf, unit: str, at: datetime, running: Sequence[Clock]) -> Policy | None:
        """What is to count for a fact of a visit, whose clocks are `running`; None where that stays as it is."""
        choice = shelf.chosen(unit, at, anew=True)
        if self._target is None:
            return choice.policy
        by = {clock.policy for clock in running} or {shelf.chosen(unit, at).policy.label}
        return choice.calls_for(self._target, self._newest) if by <= {*(self._scope.policies or ())} else None

    def _bring(self, outlook: _Outlook, fact: str, policy: Policy, running: Sequence[Clock]) -> None:
        """Brings what runs from a fact to a policy; what that does not time from it ends."""
        timed = {limit.milestone for limit in policy.visits if limit.starts == fact}
        for clock in running:
            if clock.milestone not in timed:
                outlook.ending.add(clock.id)
            elif (clock.policy, clock.calendar.partition("@")[0]) != (policy.label, policy.calendar):
                outlook.moving[clock.id] = Target(policy, self._newest[policy.calendar])

    def _begin(
        self,
        outlook: _Outlook,
        fact: str,
        at: datetime,
        policy: Policy,
        latest: Mapping[str, Clock],
        there: Collection[str],
        now: datetime,
    ) -> None:
        """Begins what a policy times besides from a fact, with the next round."""
        visit = outlook.visit
        for limit in policy.visits:
            if limit.starts == fact and limit.milestone not in there:
                last = latest.get(limit.milestone)
                subject = Subject(SUBJECT, visit.id, last.round + 1 if last else 1)
                new = self._planner.clock_of(subject, limit, at, policy, now)
                outlook.starting.append(Starting(_on(visit), policy, new, again=False, done_at=stops(visit)[fact]))


def _on(visit: Visit) -> OnWhat:
    return OnWhat(visit.id, None, visit.id, visit.unit_code, visit.unit_code, visit.owner, None)
