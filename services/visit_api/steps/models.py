"""The steps of a visit as they were recorded."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from visit_api.base import Base, Brought
from visit_api.steps.contents import coded
from visit_api.texts.models import Worded

KINDS = ("publicise", "needs", "promotion", "consultation", "appeals", "strategy")


class Step(Worded, Brought, Base):
    """A step, which never changes: a correction is a step that supersedes it, and `superseded_by` says which. `at` is
    when it was done, `appeal_id` what was raised because a question could not be answered at once. `content` is whole
    once it was opened; what stands open of it are its codes, which are counted."""

    __tablename__ = "steps"
    __table_args__ = (
        CheckConstraint(f"kind IN {KINDS}", name="steps_kind_known"),
        Index("steps_visit_id", "visit_id", "id"),
        Index("steps_feed", "changed_xid", "id"),
        Index("steps_unit_code", "unit_code", "id"),
        Index(
            "steps_strategies_of",
            text("(content ->> 'owner')"),
            postgresql_where=text("kind = 'strategy' AND superseded_by IS NULL"),
        ),
    )

    sealed_in: ClassVar = {"words_sealed": ("content",)}
    once: ClassVar = ("words_sealed", "content", "content_digest")

    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visits.id"))
    unit_code: Mapped[str]
    kind: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    words_sealed: Mapped[bytes | None]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    supersedes: Mapped[UUID | None] = mapped_column(ForeignKey("steps.id"), unique=True)
    superseded_by: Mapped[UUID | None] = mapped_column(ForeignKey("steps.id"))
    appeal_id: Mapped[UUID | None] = mapped_column(ForeignKey("appeals.id"))

    @classmethod
    def without_words(cls, said: Mapping[str, Any]) -> dict[str, Any]:
        """What stands open beside the words that are sealed: codes, ids and days."""
        return {name: coded(its) for name, its in said.items()}
