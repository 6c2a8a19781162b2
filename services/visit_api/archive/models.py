"""The archive: what is entered stays as it was, and so does what was said of it."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import Tracked, Written
from visit_api.base import Base


class Entry(Tracked, Base):
    """The record of a visit, or a supplement to it. The service's role can neither change nor remove one.

    What it holds is `sealed`, with `said_digest` the SHA-256 of what was said, and found by the columns that follow;
    those of before it was sealed stand open in `record`. `filed_as` is its class, by form and channel; before
    `keep_until` nobody may dispose of it, nor later while it is held. A supplement is filed as its visit is.
    """

    __tablename__ = "archive_entries"
    __table_args__ = (
        CheckConstraint("kind IN ('record', 'supplement')", name="archive_entries_kind_known"),
        Index("archive_entries_one_record", "visit_id", unique=True, postgresql_where=text("kind = 'record'")),
        CheckConstraint(
            "record IS NOT NULL OR (sealed IS NOT NULL AND said_digest IS NOT NULL)", name="archive_entries_said"
        ),
        Index("archive_entries_visit_id", "visit_id", "id"),
        Index("archive_entries_words", "words", postgresql_using="gin"),
        Index("archive_entries_people", "people", postgresql_using="gin"),
        Index("archive_entries_visited_at", "visited_at"),
        Index("archive_entries_customer_id", "customer_id"),
        Index("archive_entries_feed", "changed_xid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visits.id"))
    unit_code: Mapped[str]
    kind: Mapped[str]
    contents: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    record: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    sealed: Mapped[bytes | None]
    said_digest: Mapped[bytes | None]
    visited_at: Mapped[datetime | None]
    customer_id: Mapped[UUID | None]
    customer_kind: Mapped[str | None]
    people: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    appeal_types: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    words: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    entered_by: Mapped[str | None]
    filed_as: Mapped[str | None]
    keep_until: Mapped[date | None]

    @property
    def entered_at(self) -> datetime:
        """When it was entered; there is no later writing."""
        return self.updated_at


class Explained:
    """A row with a reason: `reason_sealed`, with `said_digest` the SHA-256 of what was sealed. What an earlier version
    gave, or was to read, stands open in `reason` for good: the chain has it as it is."""

    reason: Mapped[str | None]
    reason_sealed: Mapped[bytes | None]
    said_digest: Mapped[bytes | None]

    if TYPE_CHECKING:
        __tablename__: str
        id: Mapped[UUID]
        unit_code: Mapped[str]


_EXPLAINED = "reason IS NOT NULL OR (reason_sealed IS NOT NULL AND said_digest IS NOT NULL)"


class GapReason(Explained, Written, Base):
    """Why something that a clause asks for is not there, in a supervisor's words; of several the last counts."""

    __tablename__ = "archive_gap_reasons"
    __table_args__ = (
        CheckConstraint(_EXPLAINED, name="archive_gap_reasons_explained"),
        Index("archive_gap_reasons_visit_id", "visit_id", "id"),
        Index("archive_gap_reasons_feed", "changed_xid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visits.id"))
    unit_code: Mapped[str]
    clause: Mapped[str]
    what: Mapped[str]
    given_by: Mapped[str]
    recorded_at: Mapped[datetime]


class Rule(Written, Base):
    """From a day on, whether a unit and those below it demand all that the clauses ask of every visit."""

    __tablename__ = "archive_rules"
    __table_args__ = (
        Index("archive_rules_unit_code", "unit_code", "effective_from", "id"),
        Index("archive_rules_feed", "changed_xid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_code: Mapped[str] = mapped_column(ForeignKey("units.code"))
    strict: Mapped[bool]
    effective_from: Mapped[date]
    reason: Mapped[str]
    adopted_by: Mapped[str]
    recorded_at: Mapped[datetime]


class Hold(Explained, Written, Base):
    """A legal hold, set or lifted; the last one of a visit says whether it is held."""

    __tablename__ = "archive_holds"
    __table_args__ = (
        CheckConstraint(_EXPLAINED, name="archive_holds_explained"),
        Index("archive_holds_visit_id", "visit_id", "id"),
        Index("archive_holds_feed", "changed_xid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visits.id"))
    unit_code: Mapped[str]
    held: Mapped[bool]
    acted_by: Mapped[str]
    recorded_at: Mapped[datetime]
