"""Photos, recordings, documents and signatures of visits: what each is said to be, and how far its bytes have come."""

from datetime import datetime
from typing import ClassVar, Literal, get_args
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from visit_api.base import Base, Versioned
from visit_api.texts.models import Worded

Kind = Literal["photo", "audio", "document", "signature"]
State = Literal["uploading", "stored", "abandoned"]


class Attachment(Worded, Versioned, Base):
    """A file of a visit. Its bytes lie in the store, in parts while it is `uploading`, then by their SHA-256; of one
    that is `abandoned` there are none."""

    __tablename__ = "attachments"
    __table_args__ = (
        CheckConstraint(f"kind IN {get_args(Kind)}", name="attachments_kind_known"),
        CheckConstraint(f"state IN {get_args(State)}", name="attachments_state_known"),
        CheckConstraint("name IS NOT NULL OR name_sealed IS NOT NULL", name="attachments_named"),
        Index("attachments_visit_id", "visit_id", "id"),
        Index("attachments_feed", "changed_xid", "id"),
        Index("attachments_unit_code", "unit_code", "id"),
        Index("attachments_uploading", "opened_at", postgresql_where=text("state = 'uploading'")),
    )

    sealed_in: ClassVar = {"name_sealed": ("name",)}
    once: ClassVar = ("name_sealed", "content_digest", "version")

    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visits.id"))
    unit_code: Mapped[str]
    name: Mapped[str] = mapped_column(nullable=True)  # there once it was opened
    name_sealed: Mapped[bytes | None]
    kind: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    state: Mapped[str]
    media_type: Mapped[str | None]
    declared_by: Mapped[str]
    declared_at: Mapped[datetime]
    stored_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
    given_up_by: Mapped[str | None]  # nobody, where it was left lying
    reason_sealed: Mapped[bytes | None]
    opened_at: Mapped[datetime] = mapped_column(server_default=func.now())  # in real time: uploads grow old by it

    @property
    def reason(self) -> str | None:
        """Why it was given up, once that was opened."""
        reason: str | None = getattr(self, "_reason", None)
        return reason

    def show_reason(self, reason: str) -> None:
        """Has `reason` show what was opened."""
        self._reason = reason
