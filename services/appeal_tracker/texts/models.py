"""Table of the texts. Rows are never deleted."""

from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from appeal_tracker.base import Base


class Text(Base):
    """The words of a row, by name, sealed together: of an answer, a contact, a callback, a hold, which has the same
    `id`; or of a line of a timeline, which names it as `text_id`."""

    __tablename__ = "texts"
    __table_args__ = (Index("texts_appeal_id", "appeal_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    appeal_id: Mapped[UUID]
    said: Mapped[bytes]
