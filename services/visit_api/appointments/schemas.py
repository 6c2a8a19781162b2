"""Appointments at the edge."""

from typing import Annotated
from uuid import UUID

from chassis.web.schemas import Instant, Text, View
from visit_api.appointments.models import Side
from visit_api.base import New

Purpose = Annotated[str, Text(500, lines=True)]
Place = Annotated[str, Text(200)]
Reason = Annotated[str, Text(500, lines=True)]


class NewAppointment(New):
    """What the customer agreed to: what the visit is for, where, and from when to when the visitors come. Where a
    window stands already, it is moved: `asked_by` says for whom, `reason` why. On site it has a place (§6.1.3.1)."""

    purpose: Purpose
    window_from: Instant
    window_to: Instant
    place: Place | None = None
    asked_by: Side = "company"
    reason: Reason | None = None
    at: Instant | None = None


class NoAppointment(New):
    """Why there is no appointment, or none any more, and when that was said."""

    reason: Reason
    at: Instant | None = None


class AppointmentEntryView(View):
    """One word with the customer: they agreed, it was moved, they refused, or the company cancelled."""

    id: UUID
    visit_id: UUID
    kind: str
    asked_by: str
    purpose: str | None
    place: str | None
    window_from: Instant | None
    window_to: Instant | None
    reason: str | None
    at: Instant
    recorded_at: Instant
    recorded_by: str


class AppointmentView(View):
    """How the appointment of a visit stands: by the last word with the customer, null where there was none."""

    visit_id: UUID
    window_from: Instant | None
    window_to: Instant | None
    last: AppointmentEntryView | None
