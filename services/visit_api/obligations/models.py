"""What is owed to customers who called."""

from datetime import datetime
from typing import ClassVar, Literal, get_args
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from visit_api.base import Base, Versioned
from visit_api.obligations.owed import OWED, How, Kind
from visit_api.texts.models import Worded

State = Literal["open", "done"]


class Obligation(Worded, Versioned, Base):
    """A call of a customer after which something is owed (T/SDPEA §6.2.2.3–4): by whom, from when on, and how it was
    discharged. `owner` is a staff number. Of a caller whom nobody knows there is the number alone, until somebody says
    which customer it was. A number is kept for as long as it is open."""

    __tablename__ = "obligations"
    __table_args__ = (
        CheckConstraint(f"kind IN {get_args(Kind)}", name="obligations_kind_known"),
        CheckConstraint(f"state IN {get_args(State)}", name="obligations_state_known"),
        CheckConstraint(f"how IN {get_args(How)}", name="obligations_how_known"),
        CheckConstraint(
            "(state = 'done') = (discharged_at IS NOT NULL AND discharged_by IS NOT NULL AND how IS NOT NULL "
            "AND (words IS NOT NULL OR words_sealed IS NOT NULL))",
            name="obligations_discharged_whole",
        ),
        CheckConstraint(
            "customer_id IS NOT NULL OR phone_sealed IS NOT NULL OR state = 'done'", name="obligations_called"
        ),
        Index("obligations_open", "unit_code", "called_at", "id", postgresql_where=text("state = 'open'")),
        Index("obligations_called_at", "called_at", "id"),
        Index("obligations_owner", "owner", "called_at"),
        Index("obligations_visit_id", "visit_id", postgresql_where=text("visit_id IS NOT NULL")),
        Index("obligations_feed", "changed_xid", "id"),
    )

    sealed_in: ClassVar = {"note_sealed": ("told", "note"), "words_sealed": ("words",)}
    once: ClassVar = ("note_sealed", "words_sealed", "content_digest")

    unit_code: Mapped[str] = mapped_column(ForeignKey("units.code"))
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"))
    phone_sealed: Mapped[bytes | None]
    visit_id: Mapped[UUID | None] = mapped_column(ForeignKey("visits.id"))
    kind: Mapped[str]
    owner: Mapped[str]
    called_at: Mapped[datetime]
    in_hours: Mapped[bool]
    owed_from: Mapped[datetime | None]
    told: Mapped[str | None]
    note: Mapped[str | None]
    note_sealed: Mapped[bytes | None]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    state: Mapped[str]
    discharged_at: Mapped[datetime | None]
    discharged_by: Mapped[str | None]
    how: Mapped[str | None]
    words: Mapped[str | None]
    words_sealed: Mapped[bytes | None]

    @property
    def phone(self) -> str | None:
        """The number that is to be called back, as it is shown: masked, and nothing where nobody opened it."""
        shown: str | None = getattr(self, "_phone", None)
        return shown

    def show(self, phone: str | None) -> None:
        """Has `phone` show so much."""
        self._phone = phone

    @property
    def clause(self) -> str:
        """The clause by which it is owed."""
        return OWED[self.kind].clause
