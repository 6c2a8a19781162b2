"""What a clock that runs already should be by given versions, holds and merges, and what that changes. Pure.

Every cause of a change comes here: a hold, a merge, a correction, a new calendar, another policy. A clock is planned
anew from its facts and never moved by a difference, so that the order of the causes plays no part.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.clocks.calculation import Deadline, Hold, Point
from appeal_tracker.clocks.planning import plan
from appeal_tracker.clocks.states import ClockState, TimerState
from appeal_tracker.policies.ladder import Phase
from appeal_tracker.policies.policy import Limit, Policy


class Facts(msgspec.Struct, frozen=True):
    """All that the plan of a clock depends on.

    `held`: it stands still now. `follows`: the clock of another appeal speaks for it. `silent`: its pack was withdrawn.
    """

    started_at: datetime
    limit: Limit
    policy: Policy
    calendar: Calendar
    holds: tuple[Hold, ...] = ()
    held: bool = False
    follows: bool = False
    silent: bool = False


class PlannedTimer(msgspec.Struct, frozen=True):
    """A timer as it should be, unless it fired before."""

    point: Point
    state: TimerState


class Plan(msgspec.Struct, frozen=True):
    """A clock as it should be."""

    started_at: datetime
    due_at: datetime
    provisional: bool
    policy: str
    calendar: str
    state: ClockState
    promised_by: UUID | None
    timers: tuple[PlannedTimer, ...]


class Open(Protocol):
    """What is asked about the stored clock that is planned anew."""

    started_at: datetime
    due_at: datetime
    provisional: bool
    policy: str
    calendar: str
    state: str
    promised_by: UUID | None


def replan(group: Mapping[UUID, Facts]) -> dict[UUID, Plan]:
    """Plan a clock anew, or together those of merged appeals, by their ids: all keep the earliest promise among them,
    but for a clock that stands still, which keeps its own and binds nobody."""
    own = {
        clock: plan(each.limit, each.started_at, each.policy, each.calendar, each.holds)
        for clock, each in group.items()
    }
    moving = [clock for clock, facts in group.items() if not facts.held]
    first = min(moving, key=lambda clock: own[clock][0].due_at, default=None)
    return {
        clock: _plan(facts, own, clock, clock if first is None or facts.held else first)
        for clock, facts in group.items()
    }


def _plan(facts: Facts, own: Mapping[UUID, tuple[Deadline, tuple[Point, ...]]], clock: UUID, promiser: UUID) -> Plan:
    if own[promiser][0].due_at == own[clock][0].due_at:
        promiser = clock
    deadline, points = own[promiser]
    return Plan(
        started_at=facts.started_at,
        due_at=deadline.due_at,
        provisional=deadline.provisional,
        policy=facts.policy.label,
        calendar=facts.calendar.label,
        state=ClockState.HELD if facts.held else ClockState.RUNNING,
        promised_by=promiser if promiser != clock else None,
        timers=tuple(_timers(points, facts)),
    )


def _timers(points: Sequence[Point], facts: Facts) -> Iterable[PlannedTimer]:
    """What follows another clock, and what runs by a withdrawn pack, keeps the timer that records its breach and then
    tells nobody: the one is told of elsewhere, the other not at all."""
    state = TimerState.HELD if facts.held else TimerState.PENDING
    for point in points:
        if not facts.follows and not facts.silent:
            yield PlannedTimer(point, state)
        elif point.phase is Phase.DUE:
            yield PlannedTimer(msgspec.structs.replace(point, tell=()), state)


def moves(clock: Open, planned: Plan) -> bool:
    """Whether a plan puts a deadline elsewhere, or makes it certain or provisional: that is told of."""
    return planned.due_at != clock.due_at or planned.provisional != clock.provisional
