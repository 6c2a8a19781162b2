"""The steps of a visit as they were recorded."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from visit_api.base import Base, Brought

KINDS = ("publicise", "needs", "promotion", "consultation", "appeals", "strategy")


class Step(Brought, Base):
    """A step, which never changes: a correction is a step that supersedes it, and `superseded_by` says which. `at` is
    when it was done, `appeal_id` what was raised because a question could not be answered at once."""

    __tablename__ = "steps"
    __table_args__ = (
        CheckConstraint(f"kind IN {KINDS}", name="steps_kind_known"),
        Index("steps_visit_id", "visit_id", "id"),
        Index("steps_feed", "changed_xid", "id"),
    )

    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visits.id"))
    unit_code: Mapped[str]
    kind: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    supersedes: Mapped[UUID | None] = mapped_column(ForeignKey("steps.id"), unique=True)
    superseded_by: Mapped[UUID | None] = mapped_column(ForeignKey("steps.id"))
    appeal_id: Mapped[UUID | None] = mapped_column(ForeignKey("appeals.id"))
