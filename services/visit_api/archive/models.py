"""The archive: what is entered stays as it was."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import Tracked
from visit_api.base import Base


class Entry(Tracked, Base):
    """The record of a visit, or a supplement to it. The service's role can neither change nor remove one."""

    __tablename__ = "archive_entries"
    __table_args__ = (
        CheckConstraint("kind IN ('record', 'supplement')", name="archive_entries_kind_known"),
        Index("archive_entries_one_record", "visit_id", unique=True, postgresql_where=text("kind = 'record'")),
        Index("archive_entries_visit_id", "visit_id", "id"),
        Index("archive_entries_feed", "changed_xid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visits.id"))
    unit_code: Mapped[str]
    kind: Mapped[str]
    contents: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    record: Mapped[dict[str, Any]] = mapped_column(JSONB)
    entered_by: Mapped[str | None]

    @property
    def entered_at(self) -> datetime:
        """When it was entered; there is no later writing."""
        return self.updated_at
