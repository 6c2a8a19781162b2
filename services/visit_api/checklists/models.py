"""Checklists as they were answered."""

from datetime import datetime
from typing import ClassVar, Literal, get_args
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import Written
from visit_api.base import Base
from visit_api.texts.models import Worded

Answer = Literal["yes", "no", "not_applicable"]


class ItemAnswer(Worded, Written, Base):
    """What somebody answered to an item; of several the one with the latest `answered_at` counts, and all are kept."""

    __tablename__ = "checklist_answers"
    __table_args__ = (
        CheckConstraint(f"answer IN {get_args(Answer)}", name="checklist_answers_answer_known"),
        CheckConstraint(
            "answer <> 'no' OR note IS NOT NULL OR words_sealed IS NOT NULL", name="checklist_answers_no_has_reason"
        ),
        Index("checklist_answers_visit_id", "visit_id", "answered_at", "id"),
        Index("checklist_answers_feed", "changed_xid", "id"),
    )

    sealed_in: ClassVar = {"words_sealed": ("note",)}
    once: ClassVar = ("words_sealed",)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visits.id"))
    unit_code: Mapped[str]
    item: Mapped[str]
    answer: Mapped[str]
    note: Mapped[str | None]
    words_sealed: Mapped[bytes | None]
    answered_by: Mapped[str]
    answered_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
