"""Simulations as callers ask for them and are shown them."""

import datetime as dt
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field

from appeal_tracker.calendars.civil import CHINA, wall_text
from appeal_tracker.simulations.models import Count, Difference, Simulation
from appeal_tracker.simulations.service import Result
from chassis.web.schemas import Body, Code, Day, Instant, View

VerdictName = Literal["kept", "breached", "undecided", "none"]


class Simulate(Body):
    """What was raised from one civil day to another, both included, in `unit_code` and below it (the caller's unit
    where it is left out), judged by a candidate: a published `policy` (`state-grid@1`, or `state-grid` for its newest
    version) or an inline `pack`, and a published `calendar` (`cn-statutory@2`), or that calendar as an inline `notice`
    (a year in the holiday-cn form, or an overlay's) would make it. What is not named stays what it was."""

    first_day: Annotated[Day, Field(alias="from")]
    last_day: Annotated[Day, Field(alias="to")]
    unit_code: Code | None = None
    policy: Code | None = None
    pack: dict[str, Any] | None = None
    calendar: Annotated[str, Field(strict=True, max_length=500, pattern=r"^[^\s\x00-\x1f\x7f-\x9f/\\?#%]+$")] | None = (
        None
    )
    notice: dict[str, Any] | None = None


class CandidateView(View):
    """What the past is judged by. `pack` and `notice` are given by name alone: the id of the one, the year of the
    other."""

    policy: str | None
    pack: str | None
    calendar: str | None
    notice: int | None

    @classmethod
    def of(cls, asked: dict[str, Any]) -> Self:
        calendar, version = asked.get("calendar"), asked.get("editions", {}).get(asked.get("calendar"))
        label = f"{calendar}@{version}" if version is not None and "notice" not in asked else calendar
        pack, notice = asked.get("pack", {}).get("id"), asked.get("notice", {}).get("year")
        return cls(policy=asked.get("policy"), pack=pack, calendar=label, notice=notice)


class SimulationView(View):
    """A simulation and how far it has come: `done` of `total` appeals, which are counted when it begins; `failure` is
    why it failed, if it did."""

    id: UUID
    state: Literal["queued", "running", "done", "failed"]
    unit_code: str
    requested_by: str
    requested_at: Instant
    first_day: Annotated[dt.date, Field(serialization_alias="from")]
    last_day: Annotated[dt.date, Field(serialization_alias="to")]
    candidate: CandidateView
    done: int
    total: int
    finished_at: Instant | None
    failure: str | None
    updated_at: Instant

    @classmethod
    def of(cls, simulation: Simulation) -> Self:
        return cls(**_shown(simulation))


class TallyView(View):
    """Deadlines that the appeals had, or would have had, and how many came out how.

    `judged`: all of them. `would_breach`: by the candidate, by what had been done, and when, as of the request.
    `did_breach`: by the record; one corrected since is not among them. `newly_breached`: would be and was not, though
    it may have had no such deadline, or still be open. `newly_kept`: was and would not be, though the candidate may not
    have such a deadline. `undecided`: by the candidate still open, or the appeal ended before it was due.
    """

    judged: int
    would_breach: int
    did_breach: int
    newly_breached: int
    newly_kept: int
    undecided: int


class CountView(TallyView):
    """The same for the appeals that one unit raised, of one type, and one milestone."""

    unit_code: str
    appeal_type: str
    milestone: str


class SimulationResult(SimulationView):
    """A simulation with what came out so far."""

    totals: TallyView
    rows: list[CountView]

    @classmethod
    def of_result(cls, result: Result) -> Self:
        rows = [*map(CountView.model_validate, result.counts)]
        return cls(**_shown(result.simulation), totals=TallyView.model_validate(result.totals), rows=rows)


class DifferenceView(View):
    """A deadline that would have come out otherwise; `due_at` null where there was none, `would_be_due_at` null where
    there would be none."""

    id: UUID
    appeal_id: UUID
    appeal_no: str
    unit_code: str
    appeal_type: str
    received_at: Instant
    round: int
    milestone: str
    did: VerdictName
    would: VerdictName
    due_at: Instant | None
    would_be_due_at: Instant | None
    stopped_at: Instant | None


COUNT_COLUMNS = (
    "unit_code",
    "appeal_type",
    "milestone",
    "judged",
    "would_breach",
    "did_breach",
    "newly_breached",
    "newly_kept",
    "undecided",
)
DIFFERENCE_COLUMNS = (
    "appeal_no",
    "appeal_id",
    "unit_code",
    "appeal_type",
    "received_at",
    "round",
    "milestone",
    "did",
    "would",
    "due_at",
    "would_be_due_at",
    "stopped_at",
)


def count_row(count: Count) -> list[object]:
    """A line of the table of counts."""
    return [getattr(count, column) for column in COUNT_COLUMNS]


def difference_row(difference: Difference) -> list[object]:
    """A line of the table of differences, in civil times of China; deadlines as they are written on paper."""
    row = {column: getattr(difference, column) for column in DIFFERENCE_COLUMNS}
    for column in ("due_at", "would_be_due_at"):
        row[column] = wall_text(row[column]) if row[column] else None
    for column in ("received_at", "stopped_at"):
        row[column] = f"{row[column].astimezone(CHINA):%Y-%m-%d %H:%M:%S}" if row[column] else None
    return list(row.values())


def _shown(simulation: Simulation) -> dict[str, Any]:
    fields = ("id", "state", "requested_by", "requested_at", "first_day", "last_day", "done", "total")
    shown = {field: getattr(simulation, field) for field in (*fields, "finished_at", "failure", "updated_at")}
    return {**shown, "unit_code": simulation.scope, "candidate": CandidateView.of(simulation.candidate)}
