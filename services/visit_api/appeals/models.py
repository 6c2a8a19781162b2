"""What was raised on visits, in the customer's words."""

from datetime import datetime
from typing import Any, Literal, NamedTuple, get_args
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Sequence, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from visit_api.base import Base, Brought

Type = Literal["complaint", "report", "opinion", "suggestion", "consultation"]
State = Literal["open", "closed"]

NUMBERS = Sequence("appeal_numbers", metadata=Base.metadata)


class Words(NamedTuple):
    """What a customer said, and why a question was not answered at once."""

    summary: str
    reason_not_answered: str | None = None


class Appeal(Brought, Base):
    """An appeal as raised. Words and type never change; `state`, `round` and `outcome` are what the tracker told since,
    `reclassified_to` is the type that it is of now, where that is another. Of the last round it is kept when the
    customer was contacted and answered first, and which `deadlines`, by their clocks, were kept or passed. What came of
    the last callback is kept, and the last `satisfaction` that the customer gave, at `rated_at`.

    Its words stand open for a moment, `plain_…`, and are sealed from then on: nothing that a complaint waits for.

    `raised_by` heard it first, and is responsible from then on (T/SDPEA §8.2.4); `typed_by` is who recorded it, where
    that was somebody else.
    """

    __tablename__ = "appeals"
    __table_args__ = (
        CheckConstraint(f"type IN {get_args(Type)}", name="appeals_type_known"),
        CheckConstraint(f"state IN {get_args(State)}", name="appeals_state_known"),
        # T/SDPEA §7.2.3: what is not answered at once is recorded with its reason.
        CheckConstraint(
            "type <> 'consultation' OR reason_not_answered IS NOT NULL OR words_sealed IS NOT NULL",
            name="appeals_consultation_has_reason",
        ),
        CheckConstraint("(summary IS NULL) = (words_sealed IS NOT NULL)", name="appeals_said"),
        Index("appeals_visit_id", "visit_id", "id"),
        Index("appeals_unit_code", "unit_code", "received_at"),
        Index("appeals_feed", "changed_xid", "id"),
    )

    appeal_no: Mapped[str] = mapped_column(
        unique=True,
        server_default=func.concat("VA", func.to_char(NUMBERS.next_value(), "FM0000000000")),
    )
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visits.id"))
    unit_code: Mapped[str]
    type: Mapped[str]
    plain_summary: Mapped[str | None] = mapped_column("summary")
    plain_reason: Mapped[str | None] = mapped_column("reason_not_answered")
    words_sealed: Mapped[bytes | None]
    received_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    raised_by: Mapped[str]
    typed_by: Mapped[str | None]
    confidential: Mapped[bool]
    anonymous: Mapped[bool]
    state: Mapped[str] = mapped_column(Text, server_default="open")
    round: Mapped[int] = mapped_column(server_default="1")
    outcome: Mapped[str | None]
    reclassified_to: Mapped[str | None]
    contacted_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    deadlines: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    callback_result: Mapped[str | None]
    called_back_at: Mapped[datetime | None]
    satisfaction: Mapped[str | None]
    rated_at: Mapped[datetime | None]

    @hybrid_property
    def hidden(self) -> bool:
        """Whether nobody is told whose it is who need not know: it was raised in confidence, or without a name (State
        Grid standard §6.4.5.5)."""
        return self.confidential | self.anonymous

    def show(self, words: Words) -> None:
        """Has the appeal show what was opened."""
        self._words = words

    @property
    def words(self) -> Words:
        """What was said; whoever shows an appeal has it opened before."""
        return self._words if self.plain_summary is None else Words(self.plain_summary, self.plain_reason)

    @property
    def summary(self) -> str:
        return self.words.summary

    @property
    def reason_not_answered(self) -> str | None:
        return self.words.reason_not_answered
