"""Tables of the directory: the newest version heard of each unit, staff member and absence; and what is kept here of
people, because only the notifier asks for it: groups, duty rosters, substitutes. In these a row is switched off, never
deleted.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import Tracked
from notifier.base import Base


class Unit(Base):
    """A unit. Its parent may not have been heard of yet, and for a while two ids may bear one code. One that was
    `merged_into` another is closed."""

    __tablename__ = "units"
    __table_args__ = (Index(None, "code"), Index(None, "parent_code"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str]
    parent_code: Mapped[str | None]
    merged_into: Mapped[str | None]
    version: Mapped[int] = mapped_column(BigInteger)


class StaffMember(Base):
    """A member of staff, known by number, unit and roles alone."""

    __tablename__ = "staff"
    __table_args__ = (Index(None, "staff_no"), Index(None, "unit_code"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    staff_no: Mapped[str]
    unit_code: Mapped[str]
    roles: Mapped[list[str]]
    active: Mapped[bool]
    version: Mapped[int] = mapped_column(BigInteger)


class Group(Tracked, Base):
    """People by a name of their own, in the order in which they are told."""

    __tablename__ = "groups"
    __table_args__ = (Index(None, "unit_code"), Index("groups_feed", "changed_xid", "id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_code: Mapped[str]
    name: Mapped[str]
    members: Mapped[list[str]]
    active: Mapped[bool]
    revision: Mapped[int]  # counts its changes
    changed_by: Mapped[str]


class Duty(Tracked, Base):
    """Somebody is on duty in a unit, in a role, from one instant until another; in the order of `rank`."""

    __tablename__ = "duties"
    __table_args__ = (
        Index("duties_of_a_unit", "unit_code", "ends_at", postgresql_where=text("active")),
        Index("duties_of_one", "staff_no", "ends_at", postgresql_where=text("active")),
        Index("duties_feed", "changed_xid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_code: Mapped[str]
    role: Mapped[str]
    staff_no: Mapped[str]
    rank: Mapped[int]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    active: Mapped[bool]
    revision: Mapped[int]  # counts its changes
    changed_by: Mapped[str]


class Absence(Base):
    """Somebody is away, as the tracker says: that decides who may act, and so who is told. `said_at` is when."""

    __tablename__ = "absences"
    __table_args__ = (Index(None, "until"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    staff_no: Mapped[str]
    substitute: Mapped[str | None]
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    said_at: Mapped[datetime]


class Substitute(Tracked, Base):
    """Who stands in for somebody where messages are told, from one instant until another, unless the tracker says that
    they are away, and who stands in then; the unit is that of who is away."""

    __tablename__ = "substitutes"
    __table_args__ = (
        Index("substitutes_of_one", "staff_no", "ends_at", postgresql_where=text("active")),
        Index("substitutes_feed", "changed_xid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_code: Mapped[str]
    staff_no: Mapped[str]
    substitute: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    active: Mapped[bool]
    revision: Mapped[int]  # counts its changes
    changed_by: Mapped[str]
