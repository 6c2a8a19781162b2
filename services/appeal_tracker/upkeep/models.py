"""Table of how far the upkeep has come."""

from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from appeal_tracker.base import Base


class Reached(Base):
    """The last appeal that was looked at, in the order in which they change; the one row there is."""

    __tablename__ = "upkeep"
    __table_args__ = (CheckConstraint("one", name="one"),)

    one: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    changed_xid: Mapped[int] = mapped_column(BigInteger)
    appeal_id: Mapped[UUID]
