"""What was agreed with customers about when they are visited, and what became of it."""

from datetime import datetime
from typing import ClassVar, Literal, get_args
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from visit_api.base import Base, Brought
from visit_api.texts.models import Worded

Kind = Literal["agreed", "moved", "refused", "cancelled"]
Side = Literal["customer", "company"]


class Appointment(Worded, Brought, Base):
    """One word with a customer about the time of a visit; the service's role can neither change nor remove it."""

    __tablename__ = "appointments"
    __table_args__ = (
        CheckConstraint(f"kind IN {get_args(Kind)}", name="appointments_kind_known"),
        CheckConstraint(f"asked_by IN {get_args(Side)}", name="appointments_side_known"),
        CheckConstraint(
            "(kind IN ('agreed', 'moved')) = (window_from IS NOT NULL AND window_to > window_from)",
            name="appointments_window_agreed",
        ),
        Index("appointments_visit_id", "visit_id", "updated_at", "id"),
        Index("appointments_feed", "changed_xid", "id"),
    )

    sealed_in: ClassVar = {"words_sealed": ("purpose", "place", "reason")}
    once: ClassVar = ("words_sealed", "content_digest")

    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visits.id"))
    unit_code: Mapped[str]
    kind: Mapped[str]
    asked_by: Mapped[str]
    purpose: Mapped[str | None]
    place: Mapped[str | None]
    window_from: Mapped[datetime | None]
    window_to: Mapped[datetime | None]
    reason: Mapped[str | None]
    words_sealed: Mapped[bytes | None]
    at: Mapped[datetime]
    recorded_by: Mapped[str]

    @property
    def recorded_at(self) -> datetime:
        """When it was written; there is no later writing."""
        return self.updated_at
