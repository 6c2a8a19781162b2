"""The trail as its readers see it; `chassis.trail` writes it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column, synonym

from appeal_tracker.base import Base


class Line(Base):
    """That somebody read what was said about a hidden appeal; never changed."""

    __tablename__ = "trail"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str]
    unit_code: Mapped[str | None]
    act: Mapped[str]
    thing: Mapped[str]
    thing_id: Mapped[str]
    reason: Mapped[str | None]
    changed_xid: Mapped[int] = mapped_column(BigInteger)

    updated_at = synonym("at")
