"""The table of routes."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import Tracked
from notifier.base import Base


class Route(Tracked, Base):
    """The channels by which an audience is told of a kind of event; `version` counts its changes."""

    __tablename__ = "routes"
    __table_args__ = (
        Index("routes_event_type_audience", "event_type", "audience", unique=True),
        Index("routes_feed", "changed_xid", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    event_type: Mapped[str]
    audience: Mapped[str]
    channels: Mapped[list[str]]
    version: Mapped[int] = mapped_column(server_default="1")
    changed_by: Mapped[str | None]
