"""Whose open work was handed over as a whole, to whom and why."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from visit_api.base import Base, Brought
from visit_api.texts.models import Worded


class StaffHandOver(Worded, Brought, Base):
    """All the open work of `staff_no` went to `to_staff_no` in one act: so many visits, obligations, measures and
    strategies here, and what the tracker has of them; who leaves had so many accounts on the web, and was in so many
    groups by them, which ended. Never changed, and kept for good."""

    __tablename__ = "staff_hand_overs"
    __table_args__ = (
        CheckConstraint("reason IS NOT NULL OR reason_sealed IS NOT NULL", name="staff_hand_overs_explained"),
        Index("staff_hand_overs_staff_no", "staff_no", "id"),
        Index("staff_hand_overs_feed", "changed_xid", "id"),
    )

    sealed_in: ClassVar = {"reason_sealed": ("reason",)}
    once: ClassVar = ("reason_sealed", "content_digest")

    staff_no: Mapped[str]
    to_staff_no: Mapped[str]
    unit_code: Mapped[str]
    reason: Mapped[str | None]
    reason_sealed: Mapped[bytes | None]
    leaves: Mapped[bool]
    visits: Mapped[int]
    obligations: Mapped[int]
    measures: Mapped[int]
    strategies: Mapped[int] = mapped_column(server_default="0")
    accounts: Mapped[int] = mapped_column(server_default="0")
    memberships: Mapped[int] = mapped_column(server_default="0")
    recorded_at: Mapped[datetime] = mapped_column()
    recorded_by: Mapped[str]
