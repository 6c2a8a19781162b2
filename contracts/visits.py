"""The life of a visit, in the order it is lived."""

from uuid import UUID

from contracts.envelope import Event
from contracts.fields import Direction, StaffNo, Time, UnitCode, VisitChannel, VisitForm


class VisitPlanned(Event, type="visit.planned.v1", topic="visit.events", key="visit_id"):
    """A visit was planned, or recorded when an inbound contact came."""

    visit_id: UUID
    unit_code: UnitCode
    customer_id: UUID
    channel: VisitChannel
    direction: Direction
    form: VisitForm
    scheduled_at: Time
    visitors: list[StaffNo]


class VisitReplanned(Event, type="visit.replanned.v1", topic="visit.events", key="visit_id"):
    """A planned visit as it is now, whole."""

    visit_id: UUID
    unit_code: UnitCode
    customer_id: UUID
    channel: VisitChannel
    direction: Direction
    form: VisitForm
    scheduled_at: Time
    visitors: list[StaffNo]


class VisitAppointed(Event, type="visit.appointed.v1", topic="visit.events", key="visit_id"):
    """The customer agreed to be visited within the window."""

    visit_id: UUID
    unit_code: UnitCode
    window_from: Time
    window_to: Time


class VisitArrived(Event, type="visit.arrived.v1", topic="visit.events", key="visit_id"):
    """The visitors stood at the customer's door."""

    visit_id: UUID
    unit_code: UnitCode
    at: Time


class VisitStarted(Event, type="visit.started.v1", topic="visit.events", key="visit_id"):
    """The visit began."""

    visit_id: UUID
    unit_code: UnitCode
    at: Time


class VisitCompleted(Event, type="visit.completed.v1", topic="visit.events", key="visit_id"):
    """The visit ended; its appeals may still be open."""

    visit_id: UUID
    unit_code: UnitCode
    at: Time


class VisitCancelled(Event, type="visit.cancelled.v1", topic="visit.events", key="visit_id"):
    """The visit will not take place."""

    visit_id: UUID
    unit_code: UnitCode
    at: Time


class VisitMissed(Event, type="visit.missed.v1", topic="visit.events", key="visit_id"):
    """The visit did not take place."""

    visit_id: UUID
    unit_code: UnitCode
    at: Time


class VisitArchived(Event, type="visit.archived.v1", topic="visit.events", key="visit_id"):
    """The visit's record is complete and will not change any more."""

    visit_id: UUID
    unit_code: UnitCode
    at: Time
