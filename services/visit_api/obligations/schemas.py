"""Obligations and office hours at the edge."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from chassis.web.schemas import Body, Code, Day, Id, Instant, Text, View
from visit_api.base import New
from visit_api.customers.schemas import Phone
from visit_api.obligations.owed import Kind

Words = Annotated[str, Text(1000, lines=True)]
TimeOfDay = Annotated[str, StringConstraints(strict=True, pattern=r"^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$")]


class NewObligation(New):
    """A call of a customer that was missed, came out of hours, or could not be taken (§6.2.2.3–4). Out of hours it is
    `told` what the caller was told: that it will be handled in working time. Who owes is the caller of this, where
    nobody else is named; `visit_id` is a visit in whose course the customer called. `phone` is to be called back: of a
    caller whom nobody knows it is named, with the `unit_code` that was called, your own where nothing is said; and
    where a customer called from another number than is known of it."""

    kept_otherwise = frozenset({"phone"})

    kind: Kind
    customer_id: Id | None = None
    phone: Phone | None = None
    unit_code: Code | None = None
    called_at: Instant
    owner: Annotated[str, Text(64)] | None = None
    visit_id: Id | None = None
    told: Words | None = None
    note: Words | None = None


class Discharge(Body):
    """When it was done, and what was said: why the call was missed, what was done in working time, or the text sent.
    `customer_id`: who the caller turned out to be, if nobody knew; the number is not kept here any longer."""

    words: Words
    at: Instant | None = None
    customer_id: Id | None = None


class Waiver(Body):
    """Why nothing is owed any more."""

    reason: Words


class ObligationView(View):
    """What is owed after a customer's call, by which clause, from when on, and how it was discharged; the `phone` that
    is to be called back, masked, until then."""

    id: UUID
    unit_code: str
    customer_id: UUID | None
    phone: str | None = None
    visit_id: UUID | None
    kind: str
    clause: str
    owner: str
    called_at: Instant
    in_hours: bool
    owed_from: Instant | None
    told: str | None
    note: str | None
    recorded_at: Instant
    recorded_by: str
    state: str
    discharged_at: Instant | None
    discharged_by: str | None
    how: str | None
    words: str | None
    version: int
    updated_at: Instant


class ObligationInFull(View):
    """The number that is to be called back, opened for a reason that the trail keeps."""

    id: UUID
    phone: str | None


class Shift(Body):
    """When the office is open on some days of the week, 1 for Monday."""

    days: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7)]
    opens: TimeOfDay
    closes: TimeOfDay


class OtherDay(Body):
    """A day that is not like the others of the week; without times the office is closed."""

    date: Day
    opens: TimeOfDay | None = None
    closes: TimeOfDay | None = None


class OfficeHours(Body):
    """When the office is open, in China's time."""

    week: Annotated[list[Shift], Field(max_length=21)]
    exceptions: Annotated[list[OtherDay], Field(max_length=1000)] = []


class ShiftView(View):
    """When the office is open on some days of the week."""

    days: list[int]
    opens: str
    closes: str


class OtherDayView(View):
    """A day that is not like the others of the week."""

    date: str
    opens: str | None
    closes: str | None


class OfficeHoursView(View):
    """When the office of a unit is open; `decided_by` is null for what is shipped."""

    unit_code: str
    decided_by: str | None
    edition: int
    week: list[ShiftView]
    exceptions: list[OtherDayView]
