"""Table of the callbacks. Rows are never deleted."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from appeal_tracker.base import Base
from chassis.db import Tracked, Written


class Callback(Written, Base):
    """A callback that was made, or tried; `quiet_hours` if it fell into the night and the customer had not agreed.

    What the customer thinks is sealed, and why one failed, among the texts; older rows may hold them still.
    """

    __tablename__ = "callbacks"
    __table_args__ = (Index("callbacks_appeal_id", "appeal_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    appeal_id: Mapped[UUID] = mapped_column(ForeignKey("appeals.id"))
    round: Mapped[int]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    by: Mapped[str]
    result: Mapped[str]
    satisfaction: Mapped[str | None]
    opinion: Mapped[str | None]
    failure_reason: Mapped[str | None]
    agreed_at: Mapped[datetime | None]
    quiet_hours: Mapped[bool]
    channel: Mapped[str] = mapped_column(server_default=text("'phone'"))
    opinion_sealed: Mapped[bytes | None]


class CallbackLink(Tracked, Base):
    """A link by which a customer rates an answer, once; of its token only a hash is known."""

    __tablename__ = "callback_links"
    __table_args__ = (
        Index("callback_links_feed", "changed_xid", "id"),
        Index("callback_links_appeal_id", "appeal_id", "id"),
        Index("callback_links_token_hash", "token_hash", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    appeal_id: Mapped[UUID] = mapped_column(ForeignKey("appeals.id"))
    round: Mapped[int]
    token_hash: Mapped[bytes]
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    callback_id: Mapped[UUID | None]


class LinkMisses(Base):
    """How often a block of addresses asked for links that there are not, in one window; forgotten after a day."""

    __tablename__ = "callback_link_misses"

    block: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(primary_key=True)
    misses: Mapped[int]
