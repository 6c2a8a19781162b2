"""What units decide for themselves, edition by edition."""

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import Tracked
from visit_api.base import Base


class Edition(Tracked, Base):
    """One edition of what a unit decided on a subject, for itself and those below it that decided nothing. The
    service's role can neither change nor remove it."""

    __tablename__ = "rulebooks"
    __table_args__ = (
        UniqueConstraint("unit_code", "subject", "edition", name="rulebooks_one_edition"),
        Index("rulebooks_feed", "changed_xid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_code: Mapped[str] = mapped_column(ForeignKey("units.code"))
    subject: Mapped[str]
    edition: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    set_by: Mapped[str]
