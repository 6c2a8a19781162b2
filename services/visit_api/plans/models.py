"""Whom a unit means to visit in a year or a month."""

from datetime import date, datetime
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import Written
from visit_api.base import Base, Versioned
from visit_api.codes import Channel, Form

State = Literal["draft", "approved"]


class Plan(Versioned, Base):
    """A unit's plan of a period, `2026` or `2026-10`. While items are generated, `generating_from` is the customer up
    to whom it has come, and `generating` holds the rules that it goes by; both are null otherwise."""

    __tablename__ = "plans"
    __table_args__ = (
        UniqueConstraint("unit_code", "period", name="plans_one_of_a_period"),
        CheckConstraint(f"state IN {get_args(State)}", name="plans_state_known"),
        Index("plans_generating", "id", postgresql_where=text("generating IS NOT NULL")),
        Index("plans_feed", "changed_xid", "id"),
    )

    unit_code: Mapped[str] = mapped_column(ForeignKey("units.code"))
    period: Mapped[str]
    state: Mapped[str]
    rules: Mapped[str | None]
    generating: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    generating_from: Mapped[UUID | None]
    generated_at: Mapped[datetime | None]
    generated_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    approved_by: Mapped[str | None]

    @property
    def is_generating(self) -> bool:
        """Whether its items are being generated."""
        return self.generating is not None


class Item(Versioned, Base):
    """One visit that a plan wants, in which days, by which channel.

    What rules asked for is known by `asked_channel` and `slot`, whatever it was adjusted to since; what was added by
    hand has neither. A dropped one is not wanted any more. `taken_at`: since when there is a visit for it.
    """

    __tablename__ = "plan_items"
    __table_args__ = (
        CheckConstraint(f"channel IN {get_args(Channel)}", name="plan_items_channel_known"),
        CheckConstraint(f"form IN {tuple(map(str, Form))}", name="plan_items_form_known"),
        CheckConstraint("due_from <= due_by", name="plan_items_days_in_order"),
        Index(
            "plan_items_asked",
            "plan_id",
            "customer_id",
            "asked_channel",
            "slot",
            unique=True,
            postgresql_where=text("asked_channel IS NOT NULL"),
        ),
        Index("plan_items_due", "plan_id", "due_by", "id"),
        Index("plan_items_due_by", "due_by", "id"),
        Index("plan_items_customer_id", "customer_id"),
        Index("plan_items_feed", "changed_xid", "id"),
    )

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plans.id"))
    unit_code: Mapped[str]
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    channel: Mapped[str]
    form: Mapped[str]
    due_from: Mapped[date]
    due_by: Mapped[date]
    rule: Mapped[str | None]
    asked_channel: Mapped[str | None]
    slot: Mapped[int | None]
    dropped: Mapped[bool]
    adjusted: Mapped[bool]
    taken_at: Mapped[datetime | None]


class Adjustment(Written, Base):
    """What was changed of an item by hand, and why; kept for good. `before` is null where the item was added."""

    __tablename__ = "plan_adjustments"
    __table_args__ = (
        Index("plan_adjustments_item_id", "item_id", "id"),
        Index("plan_adjustments_feed", "changed_xid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("plan_items.id"))
    unit_code: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any]] = mapped_column(JSONB)
    reason: Mapped[str]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
