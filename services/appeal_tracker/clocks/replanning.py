"""What a clock that runs already should be by given versions, holds and merges, and what that changes. Pure.

Every cause of a change comes here: a hold, a merge, a correction, a new calendar, another policy. A clock is planned
anew from its facts and never moved by a difference, so that the order of the causes plays no part.

Merged clocks keep the earliest promise among them, and the leader's speaks for all: along the way of that promise it
climbs its own ladder and those of the others, each step at the moment that it names on that way, so that none which a
pack demands is lost. A step that several name is one step, and tells all whom any of them tells. A withdrawn pack has
no step left but a breach that tells nobody: what is merged with its clocks goes on to warn by the other ladders.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.calendars.civil import DAY, day_number, instant_of
from appeal_tracker.calendars.period import Unit
from appeal_tracker.clocks.calculation import Deadline, Hold, Point, points
from appeal_tracker.clocks.planning import NewClock, plan
from appeal_tracker.clocks.states import ClockState, TimerState
from appeal_tracker.policies.ladder import Phase, Step
from appeal_tracker.policies.policy import Limit, Policy

_HOURS = Unit.HOURS  # read several times faster than through its enum


class Facts(msgspec.Struct, frozen=True):
    """All that the plan of a clock depends on.

    `held_since`: a hold without an end so far. `follows`: the clock of another appeal speaks for it.
    """

    started_at: datetime
    limit: Limit
    policy: Policy
    calendar: Calendar
    holds: tuple[Hold, ...] = ()
    held_since: datetime | None = None
    follows: bool = False


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
    _timers: dict[tuple[bool, bool], tuple[PlannedTimer, ...]] = {}

    def timers(self, *, held: bool, follows: bool) -> tuple[PlannedTimer, ...]:
        """What follows another clock records its breach and then tells nobody: it is told of elsewhere, for as long as
        it follows."""
        known = self._timers.get((held, follows))
        if known is None:
            known = self._timers[held, follows] = _timers(self.points, held=held, follows=follows)
        return known


def _timers(its: Iterable[Point], *, held: bool, follows: bool) -> tuple[PlannedTimer, ...]:
    return tuple(
        PlannedTimer(msgspec.structs.replace(point, tell=()), TimerState.HELD if held else TimerState.PENDING)
        if follows and point.phase is Phase.DUE
        else PlannedTimer(point, TimerState.HELD if held or follows else TimerState.PENDING)
        for point in its
    )


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

    A hold that began when the promise was past already has nothing to hold, whoever of the merged had made it.
    """
    known = courses or Courses()
    own = {clock: known.of(each) for clock, each in group.items()}
    if len(own) == 1:  # nearly all are alone
        ((clock, facts),) = group.items()
        held_since, course = facts.held_since, own[clock]
        held = held_since is not None and held_since <= course.deadline.due_at
        timers = course.timers(held=held, follows=facts.follows)
        return {clock: _plan(facts, course, course.deadline, None, timers, held=held)}
    promise = min(course.deadline.due_at for course in own.values())
    begun = {clock: facts.held_since for clock, facts in group.items() if facts.held_since is not None}
    still = set(begun) if begun and min(begun.values()) <= promise else set()
    bound = group.keys() - still or still
    first = min(sorted(bound), key=lambda clock: own[clock].deadline.due_at)
    plans = {}
    for clock, facts in group.items():
        promiser = first if clock in bound and own[first].deadline.due_at != own[clock].deadline.due_at else None
        way = promiser or clock
        heard = [clock, *sorted(bound - {clock})] if clock in bound and not facts.follows else [clock]
        steps = _along(group[way], own[way], [group[each] for each in heard])
        timers = _timers(steps, held=clock in still, follows=facts.follows)
        plans[clock] = _plan(facts, own[clock], own[way].deadline, promiser, timers, held=clock in still)
    return plans


def _along(way: Facts, course: _Course, climbing: Sequence[Facts]) -> Sequence[Point]:
    """The steps of several ladders along the way of one clock."""
    found: dict[str, Point] = {}
    for facts in climbing:
        for point in _on(way, course, facts):
            known = found.get(point.step, point)
            tell = tuple(dict.fromkeys((*known.tell, *point.tell)))
            found[point.step] = Point(point.step, point.phase, min(known.fire_at, point.fire_at), tell)
    return sorted(found.values(), key=lambda point: point.fire_at)


def _on(way: Facts, course: _Course, facts: Facts) -> Sequence[Point]:
    """The steps of a clock's ladder along the way of another one; warnings are put off by its own quiet hours."""
    ladder, quiet = facts.limit.ladder, facts.policy.quiet
    if (ladder, quiet) == (way.limit.ladder, way.policy.quiet):
        return course.points
    return points(ladder, way.started_at, way.limit.within, way.calendar, quiet, way.holds)


def audiences(ladders: Iterable[Sequence[Step]]) -> dict[str, tuple[str, ...]]:
    """Whom each step tells, by its name, where several ladders are climbed as one."""
    found: dict[str, tuple[str, ...]] = {}
    for step in (step for ladder in ladders for step in ladder):
        for name in step.moment.names:
            found[name] = tuple(dict.fromkeys((*found.get(name, ()), *step.tell)))
    return found


def _plan(
    facts: Facts,
    own: _Course,
    kept: Deadline,
    promiser: UUID | None,
    timers: tuple[PlannedTimer, ...],
    *,
    held: bool,
) -> Plan:
    """A clock's plan by its own rules, due as promised."""
    return Plan(
        started_at=facts.started_at,
        due_at=kept.due_at,
        provisional=kept.provisional,
        policy=own.policy,
        calendar=own.calendar,
        state=ClockState.HELD if held else ClockState.RUNNING,
        promised_by=promiser,
        timers=timers,
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
