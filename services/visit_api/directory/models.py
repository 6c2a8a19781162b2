"""Units in their tree, and the staff in them."""

from typing import NamedTuple

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from visit_api.base import Base, Left, Versioned


class Unit(Versioned, Base):
    """An organisational unit; `code` is its name everywhere and never changes. One that was `merged_into` another is
    closed for good. A trigger numbers the moves, from one unit to below another: `moved` is its last, or that of one
    that left it."""

    __tablename__ = "units"
    __table_args__ = (
        CheckConstraint("parent_code <> code", name="units_not_their_own_parent"),
        CheckConstraint("merged_into <> code", name="units_not_merged_into_themselves"),
        Index("units_parent_code", "parent_code"),
        Index("units_moved", "moved", postgresql_where=text("moved IS NOT NULL")),
        Index("units_feed", "changed_xid", "id"),
    )

    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("units.code"))
    merged_into: Mapped[str | None] = mapped_column(ForeignKey("units.code"))
    moved: Mapped[int | None] = mapped_column(BigInteger)


class UnitLeaving(Left, Base):
    """A unit that stood below `parent_code` once and does not any more, for those who saw then what is in it."""

    __tablename__ = "unit_leavings"
    __table_args__ = (UniqueConstraint("unit_code", "parent_code", name="unit_leavings_once"),)

    unit_code: Mapped[str] = mapped_column(ForeignKey("units.code"))
    parent_code: Mapped[str]


class StaffLeaving(Left, Base):
    """A unit that somebody was of once, so that they can still bring what they did there; and when they left last, so
    that whoever follows the unit's staff is told that they are gone."""

    __tablename__ = "staff_leavings"
    __table_args__ = (UniqueConstraint("staff_no", "unit_code", name="staff_leavings_once"),)

    staff_no: Mapped[str] = mapped_column(ForeignKey("staff.staff_no"))
    unit_code: Mapped[str]


class Reach(NamedTuple):
    """How a member of staff is reached."""

    phone: str | None = None
    email: str | None = None


class Staff(Versioned, Base):
    """A member of staff; `staff_no` is the `sub` of their tokens and never changes.

    How they are reached is sealed; what an earlier version wrote besides, in the clear, is sealed and emptied as soon
    as it is found.
    """

    __tablename__ = "staff"
    __table_args__ = (
        Index("staff_unit_code", "unit_code"),
        Index("staff_feed", "changed_xid", "id"),
    )

    staff_no: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    unit_code: Mapped[str] = mapped_column(ForeignKey("units.code"))
    roles: Mapped[list[str]]
    plain_phone: Mapped[str | None] = mapped_column("phone")
    plain_email: Mapped[str | None] = mapped_column("email")
    reach_sealed: Mapped[bytes | None]
    post: Mapped[str | None]
    active: Mapped[bool]

    def show(self, reach: Reach) -> None:
        """Has `phone` and `email` show what was opened."""
        self._reach = reach

    @property
    def phone(self) -> str | None:
        return self._reach.phone

    @property
    def email(self) -> str | None:
        return self._reach.email
