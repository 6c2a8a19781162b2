"""An explanation as callers see it."""

from typing import Any, Self
from uuid import UUID

from appeal_tracker.appeals.models import SUBJECT
from appeal_tracker.appeals.schemas import TimelineEntryView
from appeal_tracker.calendars.civil import wall_text
from appeal_tracker.clocks.schemas import ClockView, CountedDay, TimerView
from appeal_tracker.explanations.service import Explanation, Promise
from chassis.web.schemas import Instant, View


class HoldView(View):
    """A stretch in which the clock stood still, up to its own end where that came first; `until` is null while it does,
    `reason` and `note` where they were written in confidence and are not yours to read. `counted`: its days, or hours,
    put the deadline off, or will; not where the clock was cancelled while it stood still."""

    id: UUID
    since: Instant
    until: Instant | None
    counted: bool
    reason: str | None
    note: str | None
    held_by: str
    resumed_by: str | None
    recorded_at: Instant


class PromiseView(View):
    """The clock of a merged appeal whose earlier deadline is kept, by these days; which it is, where you may see it."""

    clock_id: UUID | None
    appeal_id: UUID | None
    appeal_no: str | None
    started_at: Instant
    due_at: Instant
    within: str
    clause: str
    stated_by: str
    days: list[CountedDay]

    @classmethod
    def of(cls, promise: Promise) -> Self:
        clock, limit, seen = promise.clock, promise.limit, promise.appeal_no is not None
        return cls(
            clock_id=clock.id if seen else None,
            appeal_id=clock.subject_id if seen else None,
            appeal_no=promise.appeal_no,
            started_at=clock.started_at,
            due_at=clock.due_at,
            within=str(limit.within),
            clause=limit.clause,
            stated_by=limit.stated_by,
            days=[*map(CountedDay.model_validate, promise.days)],
        )


class ExplainedRecalculationView(View):
    """The deadline was put elsewhere, or became certain, or stayed where it was by other versions, or began or ended by
    them: when, by whom, why, from what to what. What began then has nothing old, what ended nothing new.

    `cause`: `calendar_version`, `policy_version`, `assignment`, `hold`, `resume`, `merge`, `unmerge`, `correction`.
    """

    at: Instant
    actor: str | None
    cause: str
    old_due_at: Instant | None
    due_at: Instant | None
    old_provisional: bool | None
    provisional: bool | None
    old_policy: str | None
    policy: str | None
    old_calendar: str | None
    calendar: str | None
    recalculation_id: UUID | None


class ExplanationView(View):
    """Why a clock is due when it is: each day from its start to its deadline, by the versions it was set by.

    A day's `reason`: `start_day`, `held`, `hours` (the period runs through it), `calendar_day`, or what the calendar
    says of it: `workday`, `make_up`, `weekend`, `festival`; then `name` and `source` are the calendar's.

    With a `promise`, the deadline is that of a merged appeal's clock, and `days` are those of the own period all the
    same. `facts` are breach, stop, correction and cancellation, each with its true time `at` and when it was recorded.
    """

    clock: ClockView
    subject_kind: str
    subject_id: UUID
    appeal_id: UUID | None
    appeal_no: str | None
    appeal_type: str | None
    unit_code: str
    within: str
    clause: str
    stated_by: str
    standard: str
    policy_title: str
    policy_lineage: list[str]
    starts: str
    due_text: str
    days: list[CountedDay]
    timers: list[TimerView]
    holds: list[HoldView]
    promise: PromiseView | None
    recalculations: list[ExplainedRecalculationView]
    facts: list[TimelineEntryView]

    @classmethod
    def of(cls, explanation: Explanation) -> Self:
        return cls(**_head(explanation), **_course(explanation))


def _head(explanation: Explanation) -> dict[str, Any]:
    clock, subject, limit = explanation.clock, explanation.subject, explanation.limit
    return {
        "clock": ClockView.model_validate(clock),
        "subject_kind": subject.kind,
        "subject_id": subject.id,
        "appeal_id": subject.id if subject.kind == SUBJECT else None,
        "appeal_no": subject.number,
        "appeal_type": subject.type,
        "unit_code": subject.unit_code,
        "within": str(limit.within),
        "clause": limit.clause,
        "stated_by": limit.stated_by,
        "standard": explanation.standard,
        "policy_title": explanation.policy.title,
        "policy_lineage": explanation.policy.lineage,
        "starts": limit.starts,
        "due_text": wall_text(clock.due_at),
    }


def _course(explanation: Explanation) -> dict[str, Any]:
    promise = explanation.promise
    return {
        "days": [*map(CountedDay.model_validate, explanation.days)],
        "timers": [*map(TimerView.model_validate, explanation.timers)],
        "holds": [*map(HoldView.model_validate, explanation.holds)],
        "promise": PromiseView.of(promise) if promise else None,
        "recalculations": [*map(ExplainedRecalculationView.model_validate, explanation.recalculations)],
        "facts": [*map(TimelineEntryView.model_validate, explanation.facts)],
    }
