"""The archive at the edge."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from chassis.web.schemas import Body, Day, Instant, Text, View

Why = Annotated[str, Text(1000, lines=True)]


class Section(View):
    """A line of a table of contents."""

    section: str
    title: str
    clause: str
    entries: int


class ArchiveEntryView(View):
    """What was entered on a visit: its record, or a supplement; `entered_by` is null where no member of staff acted.
    `filed_as` is its class; it is kept at least until `keep_until`; `people` are the staff numbers of the visitors."""

    id: UUID
    visit_id: UUID
    unit_code: str
    kind: str
    contents: list[Section]
    entered_at: Instant
    entered_by: str | None
    filed_as: str | None
    keep_until: date | None
    visited_at: Instant | None
    customer_id: UUID | None
    customer_kind: str | None
    people: list[str] | None
    appeal_types: list[str] | None


class FullEntryView(ArchiveEntryView):
    """An entry with what it holds."""

    record: dict[str, Any]


class HoldView(View):
    """A legal hold as it was set or lifted."""

    held: bool
    reason: str
    acted_by: str
    recorded_at: Instant


class ArchiveView(View):
    """All that is archived of a visit, and the last word on whether it is held."""

    record: FullEntryView
    supplements: list[FullEntryView]
    hold: HoldView | None


class HoldChange(Body):
    """Why a record is held whatever its age, or no longer."""

    reason: Why


class NewReason(Body):
    """Why something that a clause asks for is not there."""

    clause: Annotated[str, Text(32)]
    what: Annotated[str, Text(128)]
    reason: Why


class GapReasonView(View):
    """A reason as a supervisor gave it."""

    visit_id: UUID
    clause: str
    what: str
    reason: str
    given_by: str
    recorded_at: Instant


class GapView(View):
    """Something that is not there. `demanded`: the visit is not archived without it or its reason; `open`: it is still
    to be done, and no reason takes its place."""

    clause: str
    what: str
    demanded: bool
    open: bool
    reason: str | None
    given_by: str | None
    given_at: Instant | None
    appeal_id: UUID | None = None
    appeal_no: str | None = None
    attachment_id: UUID | None = None
    name: str | None = None


class GapsView(View):
    """What a visit lacks by now; `strict`: its unit demands everything."""

    visit_id: UUID
    strict: bool
    gaps: list[GapView]


class NewRule(Body):
    """Whether a unit demands of every visit, from a day on, all that the clauses ask for."""

    strict: bool
    reason: Why
    effective_from: Annotated[Day | None, Field(description="today, where nothing is said")] = None


class RetentionRuleView(View):
    """A rule as it was adopted; it holds for the units below too."""

    id: UUID
    unit_code: str
    strict: bool
    effective_from: date
    reason: str
    adopted_by: str
    recorded_at: Instant
