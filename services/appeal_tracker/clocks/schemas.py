"""Deadline calculations as callers ask for them and are answered."""

import datetime as dt
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema, WrapValidator

from appeal_tracker.policies.pack import AppealType
from chassis.web.schemas import Body, Code, Instant, Text, View


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
