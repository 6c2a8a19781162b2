"""Improvement measures at the edge."""

from typing import Annotated
from uuid import UUID

from chassis.web.schemas import Body, Code, Day, Id, Instant, Text, View
from visit_api.base import New

Words = Annotated[str, Text(2000, lines=True)]


class NewMeasure(New):
    """What was found, what is done about it, by whom and until when (§9.1). It was found on a visit, in an appeal, or
    by a `figure` of the analysis (§9.2), as that was asked for; one of the three at least is named."""

    unit_code: Code
    visit_id: Id | None = None
    appeal_id: Id | None = None
    figure: Annotated[str, Text(500)] | None = None
    finding: Words
    measure: Words
    owner: Annotated[str, Text(64)]
    due_on: Day


class Said(Body):
    """What was done, how it was verified, or why it goes back."""

    words: Words


class Changed(Body):
    """Who sees to it from now on, or until when, and why."""

    owner: Annotated[str, Text(64)] | None = None
    due_on: Day | None = None
    reason: Words


class MeasureView(View):
    """An improvement measure. It is `overdue` while it is open and its day is past."""

    id: UUID
    unit_code: str
    visit_id: UUID | None
    appeal_id: UUID | None
    figure: str | None
    finding: str
    measure: str
    owner: str
    due_on: Day
    overdue: bool
    state: str
    recorded_at: Instant
    recorded_by: str
    done_at: Instant | None
    done_by: str | None
    verified_at: Instant | None
    verified_by: str | None
    version: int
    updated_at: Instant


class MeasureActView(View):
    """What was done with a measure, and who owned it until when from then on."""

    id: UUID
    measure_id: UUID
    act: str
    words: str | None
    owner: str
    due_on: Day
    recorded_at: Instant
    recorded_by: str
