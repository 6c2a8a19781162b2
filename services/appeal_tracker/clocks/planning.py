"""From a policy and a fact to the clocks that the fact starts, with their timers. Pure."""

from datetime import datetime
from uuid import UUID

import msgspec

from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.clocks.calculation import Point, due, points
from appeal_tracker.policies.inheritance import APPEAL_TYPES
from appeal_tracker.policies.policy import Policy
from chassis.ids import new_id

AS_PRESCRIBED = "as_prescribed"  # 000 §5.5: the result is replied "as prescribed", and the policy gives no number
UNKNOWN_TYPE = "unknown_type"


class Subject(msgspec.Struct, frozen=True):
    """What a clock runs on: one round of an appeal."""

    kind: str
    id: UUID
    round: int
    appeal_type: str


class NewClock(msgspec.Struct, frozen=True):
    """A clock to be stored, and its timers."""

    id: UUID
    subject: Subject
    milestone: str
    started_at: datetime
    due_at: datetime
    policy: str
    calendar: str
    provisional: bool
    timers: tuple[Point, ...]


def no_clock_reason(appeal_type: str, policy: Policy) -> str | None:
    """Why an appeal of this type has no clock at all by this policy; None where it has one."""
    if appeal_type not in APPEAL_TYPES:
        return UNKNOWN_TYPE
    return None if policy.limits(appeal_type) else AS_PRESCRIBED


def clocks_started(subject: Subject, fact: str, at: datetime, policy: Policy, calendar: Calendar) -> list[NewClock]:
    """The clocks that run from `fact` (`received`, `contacted`, `answered`), which happened at `at`."""
    clocks = []
    for limit in policy.limits(subject.appeal_type):
        if limit.starts == fact:
            deadline = due(at, limit.within, calendar)
            clocks.append(
                NewClock(
                    id=new_id(),
                    subject=subject,
                    milestone=limit.milestone,
                    started_at=at,
                    due_at=deadline.due_at,
                    policy=policy.label,
                    calendar=calendar.label,
                    provisional=deadline.provisional,
                    timers=points(limit.ladder, at, limit.within, calendar, policy.quiet),
                )
            )
    return clocks
