"""Tables of the calendars: each version as it was published, and the days it lists itself. Immutable."""

import datetime as dt

from sqlalchemy import ForeignKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from appeal_tracker.base import Base


class CalendarVersion(Base):
    """One version of a calendar; one that `extends` another lies over it and inherits the days it does not list."""

    __tablename__ = "calendar_versions"

    calendar: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    extends: Mapped[str | None]
    published_at: Mapped[dt.datetime] = mapped_column(server_default=text("now()"))


class ListedDay(Base):
    """A day that a version lists: off or working, by which name, on whose word."""

    __tablename__ = "calendar_days"
    __table_args__ = (
        ForeignKeyConstraint(["calendar", "version"], ["calendar_versions.calendar", "calendar_versions.version"]),
    )

    calendar: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    date: Mapped[dt.date] = mapped_column(primary_key=True)
    working: Mapped[bool]
    name: Mapped[str]
    source: Mapped[str]
