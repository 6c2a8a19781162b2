"""Tables of the calendars: each version as it was published, and the days it lists itself. Immutable."""

import datetime as dt

from sqlalchemy import ColumnElement, ForeignKeyConstraint, Index, Text, cast, text
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from appeal_tracker.base import Base
from chassis.db import Tracked


class CalendarVersion(Tracked, Base):
    """One version of a calendar; one that `extends` another lies over it and inherits the days it does not list.

    `sources` are the notices it was published for. It is also marked as changed when one it lies over is published.
    """

    __tablename__ = "calendar_versions"
    __table_args__ = (Index("calendar_versions_feed", "changed_xid"),)

    calendar: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    extends: Mapped[str | None]
    published_at: Mapped[dt.datetime] = mapped_column(server_default=text("now()"))
    published_by: Mapped[str | None]
    sources: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    updated_at: Mapped[dt.datetime] = mapped_column(server_default=text("now()"))

    @hybrid_property
    def id(self) -> str:
        """The version's own label, `cn-statutory@1`."""
        return f"{self.calendar}@{self.version}"

    @id.inplace.expression  # noqa: A003 - the name by which a feed orders
    @classmethod
    def _id(cls) -> ColumnElement[str]:
        return cls.calendar + "@" + cast(cls.version, Text)


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
