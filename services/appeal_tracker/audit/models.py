"""Tables of the self-audit. All times here are real ones, the database's own: it watches the machine, not the rules."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from appeal_tracker.base import Base


class Walk(Base):
    """How far the audit has come on its way through all subjects of a kind: the last it looked at, none while it begins
    anew; when it last took a step, and when it last had looked at them all."""

    __tablename__ = "audit_walks"

    kind: Mapped[str] = mapped_column(primary_key=True)
    after: Mapped[UUID | None]
    looked_at: Mapped[datetime | None]
    came_round_at: Mapped[datetime | None]


class FoundWrong(Base):
    """Something that does not hold, or did not until `gone_at`; what comes back is found anew."""

    __tablename__ = "audit_findings"
    __table_args__ = (Index("audit_findings_open", "invariant", "found_at", postgresql_where=text("gone_at IS NULL")),)

    invariant: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    subject_kind: Mapped[str]
    clock_id: Mapped[UUID | None]
    unit_code: Mapped[str | None]
    found_at: Mapped[datetime]
    gone_at: Mapped[datetime | None]


CANARY = UUID("00000000-0000-7000-8000-00000ca7a417")


class Canary(Base):
    """The one canary: when its timer was armed last, when it was to fire, and when it was seen to have fired. Until it
    was ever armed, nothing is expected of it, and `armed_at` is since when that is waited for."""

    __tablename__ = "canary"

    clock_id: Mapped[UUID] = mapped_column(primary_key=True)
    armed_at: Mapped[datetime | None]
    expected_at: Mapped[datetime | None]
    fired_at: Mapped[datetime | None]
