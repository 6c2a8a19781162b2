"""What a clock that runs already should be by given versions, holds and merges, and what that changes. Pure.

Every cause of a change comes here: a hold, a merge, a correction, a new calendar, another policy. A clock is planned
anew from its facts and never moved by a difference, so that the order of the causes plays no part.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.calendars.civil import DAY, day_number, instant_of
from appeal_tracker.calendars.period import Unit
from appeal_tracker.clocks.calculation import Deadline, Hold, Point
from appeal_tracker.clocks.planning import NewClock, plan
from appeal_tracker.clocks.states import ClockState, TimerState
from appeal_tracker.policies.ladder import Phase
from appeal_tracker.policies.policy import Limit, Policy

_HOURS = Unit.HOURS  # read several times faster than through its enum


class Facts(msgspec.Struct, frozen=True):
    """All that the plan of a clock depends on.

    `held_since`: a hold without an end so far. `follows`: the clock of another appeal speaks for it. `silent`: its pack
    was withdrawn.
    """

    started_at: datetime
    limit: Limit
    policy: Policy
    calendar: Calendar
    holds: tuple[Hold, ...] = ()
    held_since: datetime | None = None
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
    """What a limit of a policy sets for one start on a calendar: the deadline, and the ladder's moments."""

    policy: str
    calendar: str
    deadline: Deadline
    points: tuple[Point, ...]
    _timers: dict[tuple[bool, bool, bool], tuple[PlannedTimer, ...]] = {}

    def timers(self, facts: Facts, *, held: bool) -> tuple[PlannedTimer, ...]:
        """What follows another clock, and what runs by a withdrawn pack, records its breach and then tells nobody: the
        one is told of elsewhere, for as long as it follows; the other not at all."""
        known = self._timers.get((held, facts.follows, facts.silent))
        if known is None:
            known = tuple(_timers(self.points, held=held, follows=facts.follows, silent=facts.silent))
            self._timers[held, facts.follows, facts.silent] = known
        return known


def _timers(points: Iterable[Point], *, held: bool, follows: bool, silent: bool) -> Iterable[PlannedTimer]:
    for point in points:
        if point.phase is Phase.DUE:
            its = msgspec.structs.replace(point, tell=()) if follows or silent else point
            yield PlannedTimer(its, TimerState.HELD if held else TimerState.PENDING)
        elif not silent:
            yield PlannedTimer(point, TimerState.HELD if held or follows else TimerState.PENDING)


class Courses:
    """Remembers what was computed: where a period counts days and nothing held it, that depends on the civil day of
    the start alone, and clocks that start on one day share it, down to the very ladder."""

    def __init__(self) -> None:
        # By what stands in the facts, and is kept with it: while it lives, nothing else bears its id.
        self._by_day: dict[tuple[int, int, int, int], tuple[Facts, _Course]] = {}

    def of(self, facts: Facts) -> _Course:
        """The course of one clock by itself."""
        if facts.holds or facts.limit.within.unit is _HOURS:
            return _course(facts)
        day = day_number(facts.started_at)
        key = (id(facts.limit), id(facts.policy), id(facts.calendar), day)
        known = self._by_day.get(key)
        if known is not None:
            return known[1]
        course = _course(facts)
        # Only a timer put off to the start itself would depend on the hour.
        if all(point.fire_at >= instant_of((day + 1) * DAY) for point in course.points):
            self._by_day[key] = facts, course
        return course


def _course(facts: Facts) -> _Course:
    its = plan(facts.limit, facts.started_at, facts.policy, facts.calendar, facts.holds)
    return _Course(facts.policy.label, facts.calendar.label, *its)


def replan(group: Mapping[UUID, Facts], courses: Courses | None = None) -> dict[UUID, Plan]:
    """Plan a clock anew, or together those of merged appeals, by their ids: all keep the earliest promise among them,
    but for a clock that stands still among others that do not: it keeps its own and binds nobody.

    A hold that began when a clock was past already has nothing to hold.
    """
    known = courses or Courses()
    own = {clock: known.of(each) for clock, each in group.items()}
    if len(own) == 1:  # nearly all are alone
        ((clock, facts),) = group.items()
        held_since, course = facts.held_since, own[clock]
        stands = held_since is not None and held_since <= course.deadline.due_at
        return {clock: _plan(facts, course, course, None, held=stands)}
    held = {clock for clock, its in group.items() if its.held_since and its.held_since <= own[clock].deadline.due_at}
    bound = group.keys() - held or held
    first = min(sorted(bound), key=lambda clock: own[clock].deadline.due_at)
    plans = {}
    for clock, facts in group.items():
        promiser = first if clock in bound and own[first].deadline.due_at != own[clock].deadline.due_at else None
        plans[clock] = _plan(facts, own[clock], own[promiser or clock], promiser, held=clock in held)
    return plans


def _plan(facts: Facts, own: _Course, kept: _Course, promiser: UUID | None, *, held: bool) -> Plan:
    """A clock's plan by its own course, or by that of another one whose promise it keeps."""
    return Plan(
        started_at=facts.started_at,
        due_at=kept.deadline.due_at,
        provisional=kept.deadline.provisional,
        policy=own.policy,
        calendar=own.calendar,
        state=ClockState.HELD if held else ClockState.RUNNING,
        promised_by=promiser,
        timers=kept.timers(facts, held=held),
    )


def running(clock: NewClock) -> Plan:
    """The plan of a clock that runs by itself as it was planned to be started."""
    return Plan(
        started_at=clock.started_at,
        due_at=clock.due_at,
        provisional=clock.provisional,
        policy=clock.policy,
        calendar=clock.calendar,
        state=ClockState.RUNNING,
        promised_by=None,
        timers=tuple(PlannedTimer(point, TimerState.PENDING) for point in clock.timers),
    )


def moves(clock: Open, planned: Plan) -> bool:
    """Whether a plan puts a deadline elsewhere, or makes it certain or provisional: that is told of."""
    return planned.due_at != clock.due_at or planned.provisional != clock.provisional
