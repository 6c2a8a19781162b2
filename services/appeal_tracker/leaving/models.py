"""Table of the hand-overs of work that were heard of. Rows are never deleted."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from appeal_tracker.base import Base


class HandOver(Base):
    """What `staff_no`, of `unit_code`, had open at `at` went to `to_staff_no`, by the word of `by`. `after` is the last
    of their appeals that was looked at for it, `done` whether all were; what is heard of later, the upkeep meets."""

    __tablename__ = "hand_overs"
    __table_args__ = (
        Index("hand_overs_staff_no", "staff_no", "at"),
        Index("hand_overs_undone", "at", "id", postgresql_where=text("NOT done")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_code: Mapped[str]
    staff_no: Mapped[str]
    to_staff_no: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]
    after: Mapped[UUID | None]
    done: Mapped[bool] = mapped_column(server_default=text("false"))
