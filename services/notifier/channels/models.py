"""The ledger of the local mailbox."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
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
