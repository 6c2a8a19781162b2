"""Which unit merged into which, and why."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from visit_api.base import Base, Brought


class UnitMerger(Brought, Base):
    """`unit_code` merged into `into_code` and is closed; `done_at`: since when nothing of what it had open is there any
    more. `emptied_xid` is the transaction that found nothing first: whoever did not know of the merger is an earlier
    one. Kept for good."""

    __tablename__ = "unit_mergers"
    __table_args__ = (
        Index("unit_mergers_into_code", "into_code", "id"),
        Index("unit_mergers_undone", "id", postgresql_where=text("done_at IS NULL")),
        Index("unit_mergers_feed", "changed_xid", "id"),
    )

    unit_code: Mapped[str] = mapped_column(ForeignKey("units.code"), unique=True)
    into_code: Mapped[str] = mapped_column(ForeignKey("units.code"))
    reason: Mapped[str]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    emptied_xid: Mapped[int | None] = mapped_column(BigInteger)
    done_at: Mapped[datetime | None]
