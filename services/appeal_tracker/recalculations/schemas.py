"""Recalculations as callers ask for them and are shown them."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field

from appeal_tracker.calendars.schemas import CalendarChange
from appeal_tracker.policies.schemas import RelaxedView
from appeal_tracker.recalculations.service import Publication
from chassis.web.schemas import Body, Code, Instant, View

CauseName = Literal["calendar_version", "policy_version", "assignment"]


class Recalculate(Body):
    """Brings what is open to other rules, on purpose.

    `calendar_version`: the clocks that count on `calendar`, or on one that lies over it, to its newest version; only
    those that its changed days touch. `policy_version`: the appeals and the clocks on visits that run by the pack
    `policy` to the newest `version` of it, or of the pack `to`, counted on the calendar that their unit picked where
    that is the pack's or lies over it; of `unit_code` and the units below it, if one is named.
    `assignment`: the appeals and visits of `unit_code` and the units below it to what counted for their units when
    appeals were received, and when what the clocks of a visit run from came true.
    """

    cause: CauseName
    calendar: Code | None = None
    policy: Code | None = None
    to: Code | None = None
    version: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    unit_code: Code | None = None


class RecalculationView(View):
    """A job. `total` and `done` count clocks where a calendar changed, else appeals and open visits; `moved` the
    deadlines that are others now, `breaching` those of them that were past when they were moved. `rate` is `done` a
    second, in real time; `requested_by` is empty for what the service asked itself for, when it heard of units that
    something waited for. `failure` says why it failed last, of `tries`; one without a `target` is tried again at
    `retry_at`, in real time, until it is done. `undone` counts what it could not do then, all the rest being done:
    `…/failures` names it."""

    id: UUID
    cause: CauseName
    calendar: str | None
    policy: str | None
    target: str | None
    unit_code: str | None
    requested_by: str | None
    requested_at: Instant
    state: Literal["queued", "running", "done", "failed"]
    total: int | None
    done: int
    moved: int
    breaching: int
    rate: float | None
    started_at: Instant | None
    finished_at: Instant | None
    failure: str | None
    tries: int
    retry_at: Instant | None
    undone: int


class ChangeView(View):
    """A deadline that is another one now, or would be; `subject_id` is the appeal's id, or the visit's. What begins has
    no old deadline, what ends no new one. `breaches`: it is past with that."""

    subject_id: UUID
    appeal_no: str | None
    clock_id: UUID
    milestone: str
    old_due_at: Instant | None
    due_at: Instant | None
    old_provisional: bool | None
    provisional: bool | None
    old_policy: str | None
    policy: str | None
    old_calendar: str | None
    calendar: str | None
    breaches: bool


class FailureView(View):
    """What a job could not do, and why: a clock, or an appeal or a visit (`subject_id`) as a whole, as it was found at
    `updated_at`; a later try had done it by `settled_at`."""

    subject_id: UUID
    clock_id: UUID | None
    why: str
    settled_at: Instant | None
    updated_at: Instant


class PreviewView(View):
    """What would come of it now: about how many it is, how many deadlines would move, how many of them be past, and
    how many of those it is about could not be done; the first that would move, or with `cursor` those after them. Only
    the first page counts."""

    total: int | None
    moved: int | None
    breaching: int | None
    undone: int | None
    items: list[ChangeView]
    next: UUID | None


class PublishedCalendar(View):
    """A version as it was published, or as it would be: the days of which it says something else than the one before;
    the packs that it leaves laxer than what they extend, which are marked, not changed; and the recalculation of the
    open clocks that it touches, or what that would move."""

    published: bool
    calendar: str
    version: int
    label: str
    changes: list[CalendarChange]
    laxer: list[RelaxedView]
    preview: PreviewView | None
    recalculation: RecalculationView | None

    @classmethod
    def of(cls, its: Publication) -> Self:
        prepared = its.prepared
        return cls(
            published=its.job is not None,
            calendar=prepared.edition.id,
            version=prepared.edition.version,
            label=prepared.calendar.label,
            changes=[*map(CalendarChange.of, prepared.changes)],
            laxer=[*map(RelaxedView.model_validate, its.laxer)],
            preview=its.preview and PreviewView.model_validate(its.preview),
            recalculation=its.job and RecalculationView.model_validate(its.job),
        )
