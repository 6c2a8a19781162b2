"""Tables of channels: accounts and what they may send, and the ledger of the local mailbox."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Double, Index, Integer, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, synonym

from chassis.db import Tracked
from notifier.base import Base


class Mail(Tracked, Base):
    """A letter in someone's mailbox; `id` is that of the send that brought it, `attempts` how often it was brought."""

    __tablename__ = "mailbox"
    __table_args__ = (
        Index("mailbox_recipient_send_id", "recipient", "send_id"),
        Index("mailbox_feed", "changed_xid", "send_id"),
    )

    id: Mapped[UUID] = mapped_column("send_id", primary_key=True)
    send_id: Mapped[UUID] = synonym("id")
    recipient: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    accepted_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(server_default="1")


class Account(Tracked, Base):
    """Whose credentials a unit, and those below it that have none nearer, send by. `limits` are its own, where it was
    given others than its provider's; `codes` those under which its provider has the texts; `paused_until` (real time)
    is as long as the provider asked to be left alone; `problem`, why nothing can be sent by it, as a code."""

    __tablename__ = "accounts"
    __table_args__ = (
        Index("accounts_active", "channel", "unit_code", unique=True, postgresql_where=text("active")),
        Index("accounts_feed", "changed_xid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str]
    provider: Mapped[str]
    unit_code: Mapped[str]
    name: Mapped[str]
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB)
    secrets: Mapped[bytes]
    callback_secret: Mapped[bytes | None]
    codes: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    limits: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    active: Mapped[bool]
    version: Mapped[int] = mapped_column(server_default="1")
    paused_until: Mapped[datetime | None]
    problem: Mapped[str | None]
    added_by: Mapped[str]
    added_at: Mapped[datetime]

    @property
    def receives_at(self) -> str:
        return f"/v1/receipts/{self.channel}/{self.id}"


class EarlyReport(Base):
    """What a provider said of something under a reference that is not recorded yet."""

    __tablename__ = "early_reports"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(primary_key=True)
    delivered: Mapped[bool]
    reason: Mapped[str | None]
    heard_at: Mapped[datetime]


class Bucket(Base):
    """How many were sent under a limit, in the slots up to `slot`; `empty_at` (real time) is when none of it counts any
    more. `tokens` is for a release before this one."""

    __tablename__ = "buckets"
    __table_args__ = (Index(None, "empty_at"),)

    name: Mapped[str] = mapped_column(primary_key=True)
    tokens: Mapped[float] = mapped_column(Double)
    filled_at: Mapped[datetime]
    slot: Mapped[int] = mapped_column(BigInteger, server_default="0")
    counts: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default=text("'{}'"))
    empty_at: Mapped[datetime] = mapped_column(server_default=text("now() + interval '32 days'"))
