"""Clocks as callers see them, and deadline calculations as they ask for them and are answered."""

import datetime as dt
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, WithJsonSchema, WrapValidator

from appeal_tracker.calendars.civil import wall_text
from appeal_tracker.clocks.service import Deadline
from appeal_tracker.policies.pack import AppealType
from chassis.web.schemas import Body, Code, Instant, Text, View

ClockStateName = Literal["running", "held", "met", "breached", "cancelled"]


class ClockView(View):
    """A deadline, and the versions of `policy` and `calendar` it was set by. `met_at` is set if it was stopped in time,
    `stopped_at` also if later; `breached_at` stays when a stop that came in time is recorded only afterwards.
    `late_arrival`: it was past already when the appeal or visit, or what it runs from, was heard of."""

    id: UUID
    round: int
    milestone: str
    started_at: Instant
    due_at: Instant
    state: ClockStateName
    met_at: Instant | None
    stopped_at: Instant | None
    breached_at: Instant | None
    provisional: bool
    late_arrival: bool
    policy: str
    calendar: str


class TimerView(View):
    """A step of the ladder; `late` if it fired after its moment had passed unwatched."""

    step: str
    phase: Literal["before", "due", "after"]
    tell: list[str]
    fire_at: Instant
    state: Literal["pending", "held", "fired", "cancelled"]
    fired_at: Instant | None
    late: bool | None


class DeadlineView(ClockView):
    """A clock with the limit it was set by, and its ladder. `due_text` is how the deadline is written on paper."""

    within: str
    clause: str
    stated_by: str
    due_text: str
    timers: list[TimerView]

    @classmethod
    def of(cls, deadline: Deadline) -> Self:
        limit = deadline.limit
        return cls(
            **ClockView.model_validate(deadline.clock).model_dump(),
            within=str(limit.within),
            clause=limit.clause,
            stated_by=limit.stated_by,
            due_text=wall_text(deadline.clock.due_at),
            timers=[*map(TimerView.model_validate, deadline.timers)],
        )


class Case(Body):
    """An appeal that might be: of this type, received at this instant; by a named pack, or the one a unit goes by."""

    appeal_type: AppealType
    received_at: Instant
    policy: Code | None = None
    unit_code: Code | None = None


MOST_CASES = 10_000
_AnyCase = Annotated[Any, WithJsonSchema(Case.model_json_schema())]


class Cases(Body):
    """Many at once, each judged by itself: one that cannot be calculated does not spoil the others."""

    cases: Annotated[list[_AnyCase], Field(max_length=MOST_CASES)]


def _one_or_many(value: Any, _: object) -> Case | Cases:
    # Which of the two is meant is plain; so a fault is pointed at in that form, and not in both.
    form: type[Case | Cases] = Cases if isinstance(value, dict) and "cases" in value else Case
    return form.model_validate(value)


OneOrMany = Annotated[Case | Cases, WrapValidator(_one_or_many)]


class CountedDay(View):
    """A civil day of a period: counted or not, and why."""

    date: dt.date
    counted: bool
    reason: str
    name: str
    source: str
    estimated: bool


class CalculatedClock(View):
    """A deadline that the appeal would have; `days` with `explain=true` only."""

    milestone: str
    within: str
    clause: str
    stated_by: str
    due_at: Instant
    provisional: bool
    days: list[CountedDay] | None = None


class Calculation(View):
    """The deadlines of one case; without any, `no_clock_reason` says why."""

    policy: str
    calendar: str
    clocks: list[CalculatedClock]
    no_clock_reason: str | None


class Refusal(View):
    """Why a case could not be calculated: a problem, as a single case would have been answered with."""

    error: dict[str, Any]


class Calculations(View):
    """One answer for each case, in their order."""

    results: list[Calculation | Refusal]


class WithdrawPolicy(Body):
    """Why a pack is withdrawn."""

    reason: Annotated[str, Text(1000, lines=True)]


class WithdrawnPolicy(View):
    """A pack that was withdrawn, and how many appeals still run by it, in silence."""

    policy: str
    withdrawn_at: Instant
    withdrawn_by: str
    reason: str
    open_appeals: int
