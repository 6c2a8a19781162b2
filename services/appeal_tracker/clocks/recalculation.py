"""Clocks that run already are planned anew: one mechanism for every cause."""

from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from appeal_tracker.calendars import service as calendars
from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.calendars.counting import Hold
from appeal_tracker.clocks import repository
from appeal_tracker.clocks.models import Clock
from appeal_tracker.clocks.planning import limit_of
from appeal_tracker.clocks.replanning import Facts, Plan, moves, replan
from appeal_tracker.policies import service as policies
from appeal_tracker.policies.policy import Policy


class Target(msgspec.Struct, frozen=True):
    """What a clock is to be planned by from now on, where that is not what it was set by."""

    policy: Policy | None = None
    calendar: Calendar | None = None
    started_at: datetime | None = None


class Recalculated(msgspec.Struct, frozen=True):
    """A clock as it is now, what it was before, and whether its deadline moved."""

    clock: Clock
    old_due_at: datetime
    old_provisional: bool
    old_policy: str
    old_calendar: str
    moved: bool


async def recalculate(
    tx: AsyncSession, clocks: Collection[Clock], to: Mapping[UUID, Target] = MappingProxyType({})
) -> list[Recalculated]:
    """Plans those of locked clocks that are open anew, with the clocks merged with them, and writes what that changes.

    Recorded breaches and whatever ended stay as they were, steps that fired stay fired. `to` names, by clock, other
    versions than those a clock was set by; one whose milestone the other policy does not time keeps its own.
    """
    groups: dict[UUID, dict[UUID, Clock]] = {}
    for clock in await repository.group(tx, [clock.id for clock in clocks]):
        groups.setdefault(clock.follows or clock.id, {})[clock.id] = clock
    every = [clock for group in groups.values() for clock in group.values()]
    facts = await _facts(tx, every, to)
    plans: dict[UUID, Plan] = {}
    for group in groups.values():
        plans |= replan({clock: facts[clock] for clock in group})
    await repository.rewrite(tx, [*plans.items()])
    return [_rewritten(clock, plans[clock.id]) for clock in every]


async def _facts(tx: AsyncSession, clocks: Collection[Clock], to: Mapping[UUID, Target]) -> dict[UUID, Facts]:
    shelf = await policies.shelf(tx)
    holds = await repository.holds(tx, {clock.subject_id for clock in clocks})
    facts = {}
    for clock in clocks:
        target = to.get(clock.id, Target())
        policy = target.policy or shelf.labelled(clock.policy)
        limit = limit_of(policy, clock)
        if limit is None:
            policy = shelf.labelled(clock.policy)
            limit = limit_of(policy, clock)
            assert limit is not None, "it was set by it"
        its = [hold for hold in holds if hold.stops(clock)]
        facts[clock.id] = Facts(
            started_at=target.started_at or clock.started_at,
            limit=limit,
            policy=policy,
            calendar=target.calendar or await calendars.by_label(tx, clock.calendar),
            holds=tuple(Hold(hold.since, hold.until) for hold in its if hold.until is not None),
            held=any(hold.until is None for hold in its),
            follows=clock.follows is not None,
        )
    return facts


def _rewritten(clock: Clock, plan: Plan) -> Recalculated:
    old = (clock.due_at, clock.provisional, clock.policy, clock.calendar)
    done = Recalculated(clock, *old, moved=moves(clock, plan))
    for field in ("started_at", "due_at", "provisional", "policy", "calendar", "state", "promised_by"):
        set_committed_value(clock, field, getattr(plan, field))
    return done
