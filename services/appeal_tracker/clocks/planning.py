"""From a policy and a fact to the clocks that the fact starts, with their timers. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.calendars.civil import DAY, day_number, instant_of
from appeal_tracker.calendars.period import Unit
from appeal_tracker.clocks.calculation import Deadline, Hold, Point, due, points
from appeal_tracker.policies.inheritance import APPEAL_TYPES
from appeal_tracker.policies.policy import Limit, Policy
from chassis.ids import new_id

AS_PRESCRIBED = "as_prescribed"  # 000 §5.5: the result is replied "as prescribed", and the policy gives no number
UNKNOWN_TYPE = "unknown_type"
# Nobody is reached who gave no name (002 §6.4.5.4–5).
OF_THE_NAMED = frozenset({"contact", "callback"})
ANONYMOUS = "anonymous"


class Subject(msgspec.Struct, frozen=True):
    """What a clock runs on: one round of an appeal; or of a visit, which has no type. An `anonymous` appeal has no
    clock for contacting the customer, nor for calling them back."""

    kind: str
    id: UUID
    round: int
    appeal_type: str | None = None
    anonymous: bool = False


class NewClock(msgspec.Struct, frozen=True):
    """A clock to be stored, and its timers; `late_arrival` if it is past already."""

    id: UUID
    subject: Subject
    milestone: str
    started_at: datetime
    due_at: datetime
    policy: str
    calendar: str
    provisional: bool
    timers: tuple[Point, ...]
    late_arrival: bool = False


class Timed(Protocol):
    """What is asked about a clock to know what limits it."""

    @property
    def subject_kind(self) -> str: ...
    @property
    def appeal_type(self) -> str | None: ...
    @property
    def milestone(self) -> str: ...


def limit_of(policy: Policy, clock: Timed) -> Limit | None:
    """The limit that a policy sets for what a clock times, if it sets one."""
    its = policy.visits if clock.subject_kind == "visit" else policy.limits(clock.appeal_type or "")
    return next((limit for limit in its if limit.milestone == clock.milestone), None)


def no_clock_reason(appeal_type: str, policy: Policy) -> str | None:
    """Why an appeal of this type has no clock at all by this policy; None where it has one."""
    if appeal_type not in APPEAL_TYPES:
        return UNKNOWN_TYPE
    return None if policy.limits(appeal_type) else AS_PRESCRIBED


class Planner:
    """Plans clocks on calendars, by id; what depends on the civil day of the start alone is computed once for a day."""

    def __init__(self, calendars: Mapping[str, Calendar]) -> None:
        self._calendars = calendars
        self._by_day: dict[tuple[str, str, str, str, int], tuple[Deadline, tuple[Point, ...]]] = {}

    def clocks_started(
        self, subject: Subject, fact: str, at: datetime, policy: Policy, heard_at: datetime | None = None
    ) -> list[NewClock]:
        """The clocks that run from `fact` (`received`, `contacted`, `answered`), which happened at `at`; where the
        subject was heard of only at `heard_at`, those that were past by then are late arrivals."""
        return [
            self.clock_of(subject, limit, at, policy, heard_at)
            for limit in policy.limits(subject.appeal_type or "")
            if limit.starts == fact and not (subject.anonymous and limit.milestone in OF_THE_NAMED)
        ]

    def clock_of(
        self, subject: Subject, limit: Limit, at: datetime, policy: Policy, heard_at: datetime | None = None
    ) -> NewClock:
        """The clock that a limit of a policy sets from `at` on."""
        calendar = self._calendars[policy.calendar]
        deadline, timers = self._planned(subject.appeal_type or subject.kind, limit, at, policy, calendar)
        return NewClock(
            id=new_id(),
            subject=subject,
            milestone=limit.milestone,
            started_at=at,
            due_at=deadline.due_at,
            policy=policy.label,
            calendar=calendar.label,
            provisional=deadline.provisional,
            timers=timers,
            late_arrival=heard_at is not None and deadline.due_at < heard_at,
        )

    def _planned(
        self, of: str, limit: Limit, at: datetime, policy: Policy, calendar: Calendar
    ) -> tuple[Deadline, tuple[Point, ...]]:
        if limit.within.unit is Unit.HOURS:
            return plan(limit, at, policy, calendar)
        day = day_number(at)
        key = (policy.label, calendar.label, of, limit.milestone, day)
        planned = self._by_day.get(key)
        if planned is None:
            planned = plan(limit, at, policy, calendar)
            # Days are counted from the next one on; only a timer put off to the start itself would depend on the hour.
            if all(timer.fire_at >= instant_of((day + 1) * DAY) for timer in planned[1]):
                self._by_day[key] = planned
        return planned


def plan(
    limit: Limit, start: datetime, policy: Policy, calendar: Calendar, holds: Sequence[Hold] = ()
) -> tuple[Deadline, tuple[Point, ...]]:
    """What a clock is set to by a limit, its deadline and its timers, `holds` left out of the course."""
    return (
        due(start, limit.within, calendar, holds),
        points(limit.ladder, start, limit.within, calendar, policy.quiet, holds),
    )
