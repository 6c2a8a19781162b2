"""Tables of the directory: the newest version heard of each unit and staff member."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from appeal_tracker.base import Base


class Unit(Base):
    """A unit. Its parent may not have been heard of yet, and for a while two ids may bear one code. One that was
    `merged_into` another is closed, and what it has open is that one's; `merged_at` is when that was heard first. So is
    `moved_at` that it has another parent, or another code, than before. `moved` numbers what made others see what is of
    it: a move, or that it was heard of after that. Triggers give it, to the unit that one left, too."""

    __tablename__ = "units"
    __table_args__ = (Index("units_code", "code"), Index("units_parent_code", "parent_code"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str]
    parent_code: Mapped[str | None]
    merged_into: Mapped[str | None]
    version: Mapped[int] = mapped_column(BigInteger)
    merged_at: Mapped[datetime | None]
    moved_at: Mapped[datetime | None]
    moved: Mapped[int | None] = mapped_column(BigInteger)


class StaffMember(Base):
    """A member of staff, known by number, unit and roles alone."""

    __tablename__ = "staff"
    __table_args__ = (Index("staff_staff_no", "staff_no"), Index("staff_unit_code", "unit_code"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    staff_no: Mapped[str]
    unit_code: Mapped[str]
    roles: Mapped[list[str]]
    active: Mapped[bool]
    version: Mapped[int] = mapped_column(BigInteger)
