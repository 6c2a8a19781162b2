"""What a clock that runs already should be by given versions, holds and merges, and what that changes. Pure.

Every cause of a change comes here: a hold, a merge, a correction, a new calendar, another policy. A clock is planned
anew from its facts and never moved by a difference, so that the order of the causes plays no part.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.calendars.civil import DAY, day_number, instant_of
from appeal_tracker.calendars.period import Unit
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


class _Course(msgspec.Struct):
    """What a limit sets for one start: the deadline, and the ladder's moments."""

    deadline: Deadline
    points: tuple[Point, ...]
    _timers: dict[tuple[bool, bool], tuple[PlannedTimer, ...]] = {}

    def timers(self, facts: Facts) -> tuple[PlannedTimer, ...]:
        """What follows another clock, and what runs by a withdrawn pack, keeps the timer that records its breach and
        then tells nobody: the one is told of elsewhere, the other not at all."""
        mute = facts.follows or facts.silent
        known = self._timers.get((facts.held, mute))
        if known is None:
            state = TimerState.HELD if facts.held else TimerState.PENDING
            points = [msgspec.structs.replace(each, tell=()) for each in self.points if each.phase is Phase.DUE]
            known = tuple(PlannedTimer(point, state) for point in (points if mute else self.points))
            self._timers[facts.held, mute] = known
        return known


class Courses:
    """Remembers what was computed: where a period counts days and nothing held it, that depends on the civil day of
    the start alone, and clocks that start on one day share it, down to the very ladder."""

    def __init__(self) -> None:
        self._by_day: dict[tuple[int, str, str, int], tuple[Limit, _Course]] = {}

    def of(self, facts: Facts) -> _Course:
        """The course of one clock by itself."""
        limit, start = facts.limit, facts.started_at
        if facts.holds or limit.within.unit is Unit.HOURS:
            return _Course(*plan(limit, start, facts.policy, facts.calendar, facts.holds))
        day = day_number(start)
        key = (id(limit), facts.policy.label, facts.calendar.label, day)
        known = self._by_day.get(key)
        if known is not None:
            return known[1]
        course = _Course(*plan(limit, start, facts.policy, facts.calendar))
        # Only a timer put off to the start itself would depend on the hour.
        if all(point.fire_at >= instant_of((day + 1) * DAY) for point in course.points):
            self._by_day[key] = limit, course  # with the limit: while it lives, nothing else bears its id
        return course


def replan(group: Mapping[UUID, Facts], courses: Courses | None = None) -> dict[UUID, Plan]:
    """Plan a clock anew, or together those of merged appeals, by their ids: all keep the earliest promise among them,
    but for a clock that stands still, which keeps its own and binds nobody."""
    known = courses or Courses()
    own = {clock: known.of(each) for clock, each in group.items()}
    moving = [clock for clock, facts in group.items() if not facts.held]
    first = min(moving, key=lambda clock: own[clock].deadline.due_at, default=None)
    return {
        clock: _plan(facts, own, clock, clock if first is None or facts.held else first)
        for clock, facts in group.items()
    }


def _plan(facts: Facts, own: Mapping[UUID, _Course], clock: UUID, promiser: UUID) -> Plan:
    if own[promiser].deadline.due_at == own[clock].deadline.due_at:
        promiser = clock
    course = own[promiser]
    return Plan(
        started_at=facts.started_at,
        due_at=course.deadline.due_at,
        provisional=course.deadline.provisional,
        policy=facts.policy.label,
        calendar=facts.calendar.label,
        state=ClockState.HELD if facts.held else ClockState.RUNNING,
        promised_by=promiser if promiser != clock else None,
        timers=course.timers(facts),
    )


def moves(clock: Open, planned: Plan) -> bool:
    """Whether a plan puts a deadline elsewhere, or makes it certain or provisional: that is told of."""
    return planned.due_at != clock.due_at or planned.provisional != clock.provisional
