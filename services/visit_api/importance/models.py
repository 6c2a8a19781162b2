"""Which customers a local government determined to be important (§3.2), document by document."""

from datetime import date, datetime
from typing import Literal, get_args
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import Written
from visit_api.base import Base, New, digest

Level = Literal["special", "first", "second", "none"]  # none: no longer important


class Document(Base):
    """A document of a government body, as it was imported; never changed."""

    __tablename__ = "importance_documents"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_code: Mapped[str] = mapped_column(ForeignKey("units.code"))
    government_body: Mapped[str]
    document_no: Mapped[str]
    determined_on: Mapped[date]
    imported_by: Mapped[str]
    recorded_at: Mapped[datetime]
    content_digest: Mapped[bytes]

    def is_made_of(self, new: New) -> bool:
        """Whether `new` is what this was made of."""
        return self.content_digest == digest(new)


class Determination(Written, Base):
    """What a document says of one customer; never changed. The one determined last holds."""

    __tablename__ = "importance_determinations"
    __table_args__ = (
        CheckConstraint(f"level IN {get_args(Level)}", name="importance_level_known"),
        Index("importance_determinations_customer_id", "customer_id", "id"),
        Index("importance_determinations_document_id", "document_id", "id"),
        Index("importance_determinations_feed", "changed_xid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    document_id: Mapped[UUID] = mapped_column(ForeignKey("importance_documents.id"))
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    level: Mapped[str]
    government_body: Mapped[str]
    document_no: Mapped[str]
    determined_on: Mapped[date]
    imported_by: Mapped[str]
    recorded_at: Mapped[datetime]
