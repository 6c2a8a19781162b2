"""Tables of webhooks: endpoints, the messages to each, and every attempt at one.

`due_at`, `made_at`, `old_secret_until`, `failing_since` and an attempt's `at` are in real time, as leases and back-off
are; all others are in domain time.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import Tracked
from notifier.base import Base

# A partial index serves a query only if both say the same words.
OPEN = "state IN ('queued', 'sending')"


class Endpoint(Tracked, Base):
    """Where an integrator listens. `why` is the reason of its state, as a code; its secrets are sealed."""

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        CheckConstraint("state IN ('active', 'disabled', 'removed')", name="webhook_endpoints_state_check"),
        Index(None, "unit_code"),
        Index("webhook_endpoints_feed", "changed_xid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_code: Mapped[str]
    url: Mapped[str]
    description: Mapped[str | None]
    event_types: Mapped[list[str]]
    ordered: Mapped[bool]
    state: Mapped[str]
    why: Mapped[str | None]
    secret: Mapped[bytes]
    old_secret: Mapped[bytes | None]
    old_secret_until: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    added_by: Mapped[str]
    added_at: Mapped[datetime]


class Message(Tracked, Base):
    """One event for one endpoint; its id is the `webhook-id`, however often it is sent. `tries` counts those since it
    was last queued. While it is being sent, `due_at` is when its lease runs out."""

    __tablename__ = "webhook_messages"
    __table_args__ = (
        CheckConstraint(
            "state IN ('queued', 'sending', 'delivered', 'dead', 'skipped')", name="webhook_messages_state_check"
        ),
        Index("webhook_messages_once", "endpoint_id", "event_id", unique=True),
        Index("webhook_messages_due", "endpoint_id", "due_at", postgresql_where=text(OPEN)),
        Index("webhook_messages_in_order", "endpoint_id", "seq", postgresql_where=text(OPEN)),
        Index(None, "made_at"),
        Index("webhook_messages_feed", "changed_xid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey(Endpoint.id))
    event_id: Mapped[UUID]
    event_type: Mapped[str]
    payload: Mapped[str]
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default="0")
    tries: Mapped[int] = mapped_column(server_default="0")
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())
    heard_at: Mapped[datetime]
    error: Mapped[str | None]


class Attempt(Base):
    """One request and what came back: the heads, and the beginning of an answer."""

    __tablename__ = "webhook_attempts"
    __table_args__ = (Index(None, "message_id", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    message_id: Mapped[UUID] = mapped_column(ForeignKey(Message.id, ondelete="CASCADE"))
    at: Mapped[datetime]
    milliseconds: Mapped[int]
    status: Mapped[int | None]
    error: Mapped[str | None]
    request_head: Mapped[str]
    response_head: Mapped[str | None]
    response_body: Mapped[str | None]
