"""What was heard of customers' appeals, and whom it suggests to be at risk."""

from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import Tracked
from visit_api.base import Base, Made

State = Literal["open", "confirmed", "dismissed", "lapsed"]


class HeardAppeal(Base):
    """An appeal of a customer, as far as it was heard of. `breached`: the clocks of this round whose deadline passed,
    and was not met after all; `overdue`: whether there are any, also from before they were kept. A hidden one names no
    customer, and is not here, unless an older version took in an anonymous one: nothing is derived from that."""

    __tablename__ = "risk_appeals"
    __table_args__ = (Index("risk_appeals_customer_id", "customer_id"),)

    appeal_id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    type: Mapped[str]
    received_at: Mapped[datetime]
    is_open: Mapped[bool]
    outcome: Mapped[str | None]
    overdue: Mapped[bool]
    breached: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), server_default="{}")
    reopened: Mapped[int]
    dissatisfied: Mapped[int]


class Suggestion(Tracked, Made, Base):
    """That a customer may be one at risk, and why; a person decides."""

    __tablename__ = "risk_suggestions"
    __table_args__ = (
        CheckConstraint(f"state IN {get_args(State)}", name="risk_suggestions_state_known"),
        Index("risk_suggestions_one_open", "customer_id", unique=True, postgresql_where=text("state = 'open'")),
        Index("risk_suggestions_customer_id", "customer_id", "id"),
        Index("risk_suggestions_feed", "changed_xid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    state: Mapped[str]
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    suggested_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    note: Mapped[str | None]
