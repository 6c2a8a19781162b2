"""Absences as callers see and record them."""

from uuid import UUID

from chassis.web.schemas import Body, Code, Instant, View


class RecordAbsence(Body):
    """Who is away, the caller where nobody is named; from when until when, and who stands in."""

    staff_no: Code | None = None
    since: Instant
    until: Instant | None = None
    substitute: Code | None = None


class EndAbsence(Body):
    """Since when they are back: now, unless said otherwise."""

    until: Instant | None = None


class AbsenceView(View):
    """A recorded absence: `until` is the first instant of being back."""

    id: UUID
    staff_no: str
    unit_code: str
    since: Instant
    until: Instant | None
    substitute: str | None
    recorded_by: str
    recorded_at: Instant
    updated_at: Instant
