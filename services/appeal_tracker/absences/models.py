"""Table of the absences. What was recorded stays; one that ends early has another end."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from appeal_tracker.base import Base
from chassis.db import Tracked

_THIS_CHANGE = text("(pg_current_xact_id()::text::bigint)")


class Absence(Tracked, Base):
    """Somebody is away from `since` until before `until`, without an end so far where that is None; `substitute` stands
    in, if anybody does. `told_xid` is the change that was told last: whoever writes here tells so at once, and what
    older code wrote, which knows of no telling, is told by the loop."""

    __tablename__ = "absences"
    __table_args__ = (
        Index("absences_feed", "changed_xid", "id"),
        Index("absences_unit_code", "unit_code", "id"),
        Index("absences_until", "until"),
        Index("absences_untold", "id", postgresql_where=text("told_xid IS DISTINCT FROM changed_xid")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    staff_no: Mapped[str]
    unit_code: Mapped[str]
    substitute: Mapped[str | None]
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]
    told_xid: Mapped[int | None] = mapped_column(BigInteger, default=_THIS_CHANGE, onupdate=_THIS_CHANGE)
