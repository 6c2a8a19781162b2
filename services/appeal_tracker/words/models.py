"""Tables of the words. What was kept is never deleted; what is wanted is, once it was fetched."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from appeal_tracker.base import Base


class Kept(Base):
    """The words of an appeal, sealed for this row; without a summary where visit_api does not know it. By `pairs` they
    are found; those of a hidden appeal have none."""

    __tablename__ = "appeal_words"
    __table_args__ = (Index("appeal_words_pairs", "pairs", postgresql_using="gin"),)

    appeal_id: Mapped[UUID] = mapped_column(primary_key=True)
    summary: Mapped[bytes | None]
    reason_not_answered: Mapped[bytes | None]
    pairs: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    stored_at: Mapped[datetime]


class Wanted(Base):
    """An appeal whose words are still to be fetched; the unit that raised it, and whether it is hidden, for which the
    column is called `confidential`."""

    __tablename__ = "words_wanted"

    appeal_id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_code: Mapped[str]
    hidden: Mapped[bool] = mapped_column("confidential")
