"""Files that marketing systems send, how far each was read, and what of it was not taken."""

from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import Tracked, Written
from visit_api.base import Base
from visit_api.imports.mapping import Thing

State = Literal["waiting", "done", "failed"]


class Import(Tracked, Base):
    """A file, read from `position` on; the counts and the position move with the lines, in their transaction. `kind` is
    that of new customers, `roles` are those of new staff, where the lines do not say it."""

    __tablename__ = "imports"
    __table_args__ = (
        CheckConstraint(f"state IN {get_args(State)}", name="imports_state_known"),
        CheckConstraint(f"thing IN {get_args(Thing)}", name="imports_thing_known"),
        Index("imports_waiting", "id", postgresql_where=text("state = 'waiting'")),
        Index("imports_unit_code", "unit_code"),
        Index("imports_feed", "changed_xid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_code: Mapped[str]
    source: Mapped[str]
    thing: Mapped[Thing] = mapped_column(Text, server_default="customers")
    kind: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(server_default="{}")
    layout: Mapped[dict[str, Any]] = mapped_column(JSONB)
    ignored: Mapped[list[str]] = mapped_column(server_default="{}")  # columns of which nothing is taken
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    state: Mapped[str]
    position: Mapped[int] = mapped_column(BigInteger)
    next_line: Mapped[int]
    read: Mapped[int]
    stored: Mapped[int]
    same: Mapped[int]
    bad: Mapped[int]
    received_at: Mapped[datetime]
    received_by: Mapped[str]
    ended_at: Mapped[datetime | None]

    @property
    def format(self) -> str:
        """How its lines are written."""
        return str(self.layout["format"])

    @property
    def encoding(self) -> str:
        """In which encoding."""
        return str(self.layout["encoding"])


class ImportFault(Written, Base):
    """A line that was not taken. It says nothing of what stood there."""

    __tablename__ = "import_faults"
    __table_args__ = (
        Index("import_faults_line", "import_id", "line", unique=True),
        Index("import_faults_feed", "changed_xid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    import_id: Mapped[UUID] = mapped_column(ForeignKey("imports.id"))
    line: Mapped[int]
    field: Mapped[str]
    reason: Mapped[str]
    recorded_at: Mapped[datetime]


class ImportNumber(Base):
    """What a file has named so far, by its number, where the thing itself does not bear the import's id: a second line
    of it is a fault. Gone once the file is read."""

    __tablename__ = "import_numbers"

    import_id: Mapped[UUID] = mapped_column(ForeignKey("imports.id"), primary_key=True)
    customer_no: Mapped[str] = mapped_column(primary_key=True)


class ImportUnit(Base):
    """A unit that a file names and that is not made yet: the one above it may come later in the file."""

    __tablename__ = "import_units"

    import_id: Mapped[UUID] = mapped_column(ForeignKey("imports.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    name: Mapped[str]
    parent_code: Mapped[str | None]


class CustomerSaid(Tracked, Base):
    """What one system says of a customer of whom several speak, whether or not it counts: sealed. There is none of a
    customer of whom one system speaks, for that is what the customer is."""

    __tablename__ = "customer_said"
    __table_args__ = (
        Index("customer_said_source", "source", "source_no", unique=True),
        Index("customer_said_customer_id", "customer_id", "source", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    source: Mapped[str]
    source_no: Mapped[str]
    said_sealed: Mapped[bytes]
    digest: Mapped[bytes]
