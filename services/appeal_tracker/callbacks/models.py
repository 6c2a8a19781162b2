"""Table of the callbacks. Rows are never deleted."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from appeal_tracker.base import Base
from chassis.db import Written


class Callback(Written, Base):
    """A callback that was made, or tried; `quiet_hours` if it fell into the night and the customer had not agreed."""

    __tablename__ = "callbacks"
    __table_args__ = (Index("callbacks_appeal_id", "appeal_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    appeal_id: Mapped[UUID] = mapped_column(ForeignKey("appeals.id"))
    round: Mapped[int]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    by: Mapped[str]
    result: Mapped[str]
    satisfaction: Mapped[str | None]
    opinion: Mapped[str | None]
    failure_reason: Mapped[str | None]
    agreed_at: Mapped[datetime | None]
    quiet_hours: Mapped[bool]
