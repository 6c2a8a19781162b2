"""The life of a visit, in the order it is lived."""

from uuid import UUID

from contracts.envelope import Event
from contracts.fields import Direction, StaffNo, Time, UnitCode, VisitChannel, VisitForm


class VisitPlan(Event):
    """The plan of a visit, whole, as it is now."""

    visit_id: UUID
    unit_code: UnitCode
    customer_id: UUID
    channel: VisitChannel
    direction: Direction
    form: VisitForm
    scheduled_at: Time
    visitors: list[StaffNo]


class VisitPlanned(VisitPlan, type="visit.planned.v1", topic="visit.events", key="visit_id"):
    """A visit was planned; an inbound contact is planned the moment it comes."""


class VisitReplanned(VisitPlan, type="visit.replanned.v1", topic="visit.events", key="visit_id"):
    """The plan of a visit changed."""


class VisitAppointed(Event, type="visit.appointed.v1", topic="visit.events", key="visit_id"):
    """The customer agreed to be visited within the window."""

    visit_id: UUID
    unit_code: UnitCode
    window_from: Time
    window_to: Time


class VisitMoment(Event):
    """Something happened to a visit, at its true time."""

    visit_id: UUID
    unit_code: UnitCode
    at: Time


class VisitUnappointed(VisitMoment, type="visit.unappointed.v1", topic="visit.events", key="visit_id"):
    """The customer refused after all, or the appointment was called off: no window stands any more."""


class VisitArrived(VisitMoment, type="visit.arrived.v1", topic="visit.events", key="visit_id"):
    """The visitors arrived."""


class VisitStarted(VisitMoment, type="visit.started.v1", topic="visit.events", key="visit_id"):
    """The visit began."""


class VisitCompleted(VisitMoment, type="visit.completed.v1", topic="visit.events", key="visit_id"):
    """The visit ended; its appeals may still be open."""


class VisitCancelled(VisitMoment, type="visit.cancelled.v1", topic="visit.events", key="visit_id"):
    """The visit was called off."""


class VisitMissed(VisitMoment, type="visit.missed.v1", topic="visit.events", key="visit_id"):
    """The visit should have taken place and did not."""


class VisitArchived(VisitMoment, type="visit.archived.v1", topic="visit.events", key="visit_id"):
    """The record of the visit is complete and closed."""
