"""Tables of routes."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import Tracked
from notifier.base import Base


class Route(Tracked, Base):
    """By which channels an audience is told of a kind of event, where and under which condition; `version` counts its
    changes. Without a unit it is common. `fallback_after` is in seconds; `reason` is why it may pass quiet hours."""

    __tablename__ = "routes"
    __table_args__ = (
        Index("routes_of_a_type", "event_type", postgresql_where=text("active")),
        Index("routes_feed", "changed_xid", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    unit_code: Mapped[str | None]
    event_type: Mapped[str]
    audience: Mapped[str]
    condition: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    channels: Mapped[list[str]]
    fallback: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    fallback_after: Mapped[int] = mapped_column(server_default="600")
    passes: Mapped[str | None]
    reason: Mapped[str | None]
    working_days: Mapped[bool] = mapped_column(server_default=text("false"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    version: Mapped[int] = mapped_column(server_default="1")
    changed_by: Mapped[str | None]


class RouteVersion(Base):
    """A route as it was from `at` on, whole: what a delivery names stays to be read."""

    __tablename__ = "route_versions"

    route_id: Mapped[str] = mapped_column(ForeignKey(Route.id), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    by: Mapped[str | None]
    at: Mapped[datetime]
