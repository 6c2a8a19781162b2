"""Clocks that run already are planned anew: one mechanism for every cause."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from appeal_tracker.calendars import service as calendars
from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.clocks import repository
from appeal_tracker.clocks.calculation import Hold, due
from appeal_tracker.clocks.models import Clock, RecordedHold
from appeal_tracker.clocks.planning import limit_of
from appeal_tracker.clocks.replanning import Courses, Facts, Open, Plan, moves, replan
from appeal_tracker.policies import service as policies
from appeal_tracker.policies.policy import Limit, Policy
from chassis.worker import breathing


class Running(Open, Protocol):
    """What is asked about a locked clock that is open."""

    id: UUID
    subject_kind: str
    subject_id: UUID
    round: int
    milestone: str
    appeal_type: str | None
    follows: UUID | None


class Target(msgspec.Struct, frozen=True):
    """What a clock is to be planned by from now on, where that is not what it was set by. `resumed_at`: a hold that has
    no end yet counts up to there, for this clock alone."""

    policy: Policy | None = None
    calendar: Calendar | None = None
    started_at: datetime | None = None
    resumed_at: datetime | None = None


class Recalculated(msgspec.Struct, frozen=True):
    """A clock as it is now, what it was before, and whether its deadline moved."""

    clock: Running
    old_due_at: datetime
    old_provisional: bool
    old_policy: str
    old_calendar: str
    moved: bool

    @property
    def kept(self) -> bool:
        """Whether it runs by other versions now, and is due when it was."""
        return not self.moved and (self.clock.policy, self.clock.calendar) != (self.old_policy, self.old_calendar)


class Replanner:
    """Plans many clocks by rules that were read once, and remembers what clocks have in common."""

    def __init__(self, shelf: policies.Shelf, newest: Mapping[str, Calendar]) -> None:
        self._shelf, self._newest, self._courses = shelf, newest, Courses()
        self._rules: dict[tuple[str, str, str | None, str], tuple[Policy, Limit]] = {}

    async def plan(
        self,
        tx: AsyncSession,
        clocks: Collection[Running],
        to: Mapping[UUID, Target],
        held: Collection[UUID] | None = None,
        merged: Collection[UUID] | None = None,
    ) -> dict[UUID, Plan]:
        """What open clocks should be, by their ids; all that are merged with one must be among them. `held` names the
        subjects among theirs that were ever held, `merged` the clocks that are merged, where that is known.

        There is no plan for a clock that kept a promise which was broken: it is about to be breached as well, and
        nothing moves it any more.
        """
        together = [clock for clock in clocks if merged is None or clock.id in merged]
        broken = await repository.broken(tx, {clock.follows or clock.id for clock in together}) if together else set()
        over = {clock.id for clock in together if (clock.follows or clock.id, clock.due_at) in broken}
        subjects = {clock.subject_id for clock in clocks} if held is None else held
        holds = await _holds(tx, subjects) if subjects else {}
        groups: dict[UUID, dict[UUID, Facts]] = {}
        async for clock in breathing(clock for clock in clocks if clock.id not in over):
            facts = self._facts(clock, to.get(clock.id, _AS_SET), holds.get(clock.subject_id, ()))
            groups.setdefault(clock.follows or clock.id, {})[clock.id] = facts
        plans: dict[UUID, Plan] = {}
        async for group in breathing(groups.values()):
            plans |= replan(group, self._courses)
        return plans

    def _facts(self, clock: Running, target: Target, holds: Collection[RecordedHold]) -> Facts:
        policy, limit = target.policy, limit_of(target.policy, clock) if target.policy else None
        if policy is None or limit is None:
            policy, limit = self._set_by(clock)
        facts = Facts(
            started_at=target.started_at or clock.started_at,
            limit=limit,
            policy=policy,
            calendar=target.calendar or self._newest[clock.calendar.partition("@")[0]],
            follows=clock.follows is not None,
        )
        its = [hold for hold in holds if hold.stops(clock, target.started_at, holdable=limit.holdable)]
        return _held(facts, its, target.resumed_at) if its else facts

    def _set_by(self, clock: Running) -> tuple[Policy, Limit]:
        key = (clock.policy, clock.subject_kind, clock.appeal_type, clock.milestone)
        if key not in self._rules:
            policy = self._shelf.labelled(clock.policy)
            limit = limit_of(policy, clock)
            assert limit is not None, "it was set by it"
            self._rules[key] = policy, limit
        return self._rules[key]


def _held(facts: Facts, holds: Collection[RecordedHold], resumed_at: datetime | None) -> Facts:
    ends = ((hold.since, hold.until or resumed_at) for hold in holds)
    return msgspec.structs.replace(
        facts,
        holds=tuple(Hold(since, max(since, until)) for since, until in ends if until is not None),
        held_since=next((hold.since for hold in holds if hold.until is None and resumed_at is None), None),
    )


_AS_SET = Target()


async def recalculate(
    tx: AsyncSession, clocks: Collection[Clock], now: datetime, to: Mapping[UUID, Target] = MappingProxyType({})
) -> list[Recalculated]:
    """Plans those of locked clocks that are open anew, with the clocks merged with them, and writes what that changes.

    Recorded breaches and whatever ended stay as they were, steps that fired stay fired. An open clock goes by its
    calendar's newest version: under an older one are only those that the newer did not touch where they stood. `to`
    names, by clock, other rules than those a clock was set by; one whose milestone the other policy does not time
    keeps its own.
    """
    every = await repository.group(tx, [clock.id for clock in clocks])
    replanner = Replanner(await policies.shelf(tx), await calendars.newest(tx))
    plans = await replanner.plan(tx, every, to)
    return await write(tx, [(clock, plans[clock.id]) for clock in every if clock.id in plans], now)


async def write(
    tx: AsyncSession,
    plans: Sequence[tuple[Running, Plan]],
    now: datetime,
    mark: Collection[UUID] = (),
) -> list[Recalculated]:
    """Writes locked clocks as planned; from `now` on each bears what its plan says. Those to `mark` change by
    themselves: nobody marks what they run on."""
    await repository.rewrite(tx, [(clock.id, plan) for clock, plan in plans], now, mark)
    return [_written(clock, plan) for clock, plan in plans]


async def astray(tx: AsyncSession, clocks: Collection[UUID], *, lock: bool = False) -> list[Clock]:
    """The open clocks among `clocks`, and those merged with them, that are not due when the versions they name say; or
    that name what was never published, so that nothing can be said of those merged with them either."""
    every = await repository.group(tx, clocks, lock=lock)
    shelf = await policies.shelf(tx)
    named = {clock: Target(calendar=calendar) for clock, (_, calendar) in (await _named(tx, shelf, every)).items()}
    lost = {clock.follows or clock.id for clock in every if clock.id not in named}
    sound = [clock for clock in every if (clock.follows or clock.id) not in lost]
    plans = await Replanner(shelf, {}).plan(tx, sound, named)
    return [clock for clock in every if clock.id not in named or (clock.id in plans and moves(clock, plans[clock.id]))]


async def breached_astray(tx: AsyncSession, clocks: Collection[UUID]) -> list[Clock]:
    """The breached clocks among `clocks` that were not due when the versions they name say, by the holds that were
    recorded by then; one that kept another's promise, when that one was. Nothing moves them any more."""
    every = {clock.id: clock for clock in await repository.with_promisers(tx, clocks)}
    named = await _named(tx, await policies.shelf(tx), every.values())
    holds = await _holds(tx, {clock.subject_id for clock in every.values()})

    def is_right(clock: Clock) -> bool:
        way = every[clock.promised_by or clock.id]
        if clock.breached_at is None or way.id not in named:
            return False
        limit, calendar = named[way.id]
        its = [hold for hold in holds.get(way.subject_id, ()) if hold.recorded_at <= clock.breached_at]
        its = [hold for hold in its if hold.stops(way, holdable=limit.holdable)]
        left_out = [Hold(hold.since, hold.until) for hold in its if hold.until is not None]
        deadline = due(way.started_at, limit.within, calendar, left_out)
        return (clock.due_at, clock.provisional) == (deadline.due_at, deadline.provisional)

    return [clock async for clock in breathing(every[each] for each in clocks) if not is_right(clock)]


async def _holds(tx: AsyncSession, subjects: Collection[UUID]) -> dict[UUID, list[RecordedHold]]:
    """The holds of `subjects`, by these; each subject's as they began."""
    holds: dict[UUID, list[RecordedHold]] = {}
    for hold in await repository.holds(tx, subjects):
        holds.setdefault(hold.subject_id, []).append(hold)
    return holds


async def _named(
    tx: AsyncSession, shelf: policies.Shelf, clocks: Collection[Clock]
) -> dict[UUID, tuple[Limit, Calendar]]:
    """The limit and the calendar that clocks name, by their ids; of none that names what was never published."""
    published = {calendar: await calendars.published(tx, calendar) for calendar in {clock.calendar for clock in clocks}}
    named = {}
    for clock in clocks:
        policy, calendar = shelf.published(clock.policy), published[clock.calendar]
        limit = limit_of(policy, clock) if policy is not None else None
        if limit is not None and calendar is not None:
            named[clock.id] = limit, calendar
    return named


def _written(clock: Running, plan: Plan) -> Recalculated:
    old = (clock.due_at, clock.provisional, clock.policy, clock.calendar)
    done = Recalculated(clock, *old, moved=moves(clock, plan))
    if isinstance(clock, Clock):
        for field in ("started_at", "due_at", "provisional", "policy", "calendar", "state", "promised_by"):
            set_committed_value(clock, field, getattr(plan, field))  # the database has it already
    else:
        clock.started_at, clock.due_at, clock.provisional = plan.started_at, plan.due_at, plan.provisional
        clock.policy, clock.calendar = plan.policy, plan.calendar
        clock.state, clock.promised_by = plan.state, plan.promised_by
    return done
