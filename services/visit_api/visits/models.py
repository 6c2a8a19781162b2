"""Visits, as planned and as they went."""

from collections import abc
from datetime import datetime
from typing import Any, ClassVar, get_args
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import Written
from visit_api.base import Base, Versioned
from visit_api.codes import Channel as Channel
from visit_api.codes import Direction as Direction
from visit_api.texts.models import Worded
from visit_api.visits.lifecycle import Form, VisitState


class Visit(Worded, Versioned, Base):
    """A visit; its unit is the customer's at the time of planning, and stays so, unless that one merged
    into another before it was over. `visitor_ids` are staff numbers.

    `preparation`: the documents by name, and under `kit` what was answered of each thing; it is whole once it was
    opened, and what stands open of it is what there is. The window is the one that the customer agreed to, as it
    stands. One that is `double_of` another is a second record of that, and not counted.
    """

    __tablename__ = "visits"
    __table_args__ = (
        CheckConstraint(f"channel IN {get_args(Channel)}", name="visits_channel_known"),
        CheckConstraint(f"direction IN {get_args(Direction)}", name="visits_direction_known"),
        CheckConstraint(f"form IN {tuple(map(str, Form))}", name="visits_form_known"),
        CheckConstraint(f"state IN {tuple(map(str, VisitState))}", name="visits_state_known"),
        Index("visits_scheduled_at", "scheduled_at", "id"),
        Index("visits_unit_code", "unit_code", "scheduled_at"),
        Index("visits_customer_id", "customer_id"),
        Index("visits_plan_item_id", "plan_item_id", postgresql_where=text("plan_item_id IS NOT NULL")),
        Index("visits_visitor_ids", "visitor_ids", postgresql_using="gin"),
        Index("visits_feed", "changed_xid", "id"),
    )

    sealed_in: ClassVar = {"preparation_sealed": ("preparation",), "reason_sealed": ("reason",)}
    silent: ClassVar = {"preparation": {}}
    once: ClassVar = ("preparation_sealed", "preparation", "reason_sealed", "version")

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    unit_code: Mapped[str] = mapped_column(ForeignKey("units.code"))
    channel: Mapped[str]
    direction: Mapped[str]
    form: Mapped[str]
    state: Mapped[str]
    scheduled_at: Mapped[datetime]
    visitor_ids: Mapped[list[str]]
    preparation: Mapped[dict[str, Any]] = mapped_column(JSONB)
    preparation_sealed: Mapped[bytes | None]
    prepared_at: Mapped[datetime | None]
    prepared_by: Mapped[str | None]
    window_from: Mapped[datetime | None]
    window_to: Mapped[datetime | None]
    window_without_place: Mapped[bool] = mapped_column(server_default=text("false"))
    arrival_place: Mapped[bytes | None]
    plan_item_id: Mapped[UUID | None] = mapped_column(ForeignKey("plan_items.id"))
    arrived_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    missed_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    reason_sealed: Mapped[bytes | None]
    double_of: Mapped[UUID | None] = mapped_column(ForeignKey("visits.id"))

    @classmethod
    def without_words(cls, said: abc.Mapping[str, Any]) -> dict[str, Any]:
        """What stands open beside the words that are sealed: which documents there are, and what was answered."""
        return {name: _outline(its) if name == "preparation" else None for name, its in said.items()}


def _outline(preparation: abc.Mapping[str, Any]) -> dict[str, Any]:
    documents = {name: True for name in preparation if name != "kit"}
    kit = {item: {**answer, "note": None} for item, answer in preparation.get("kit", {}).items()}
    return {**documents, **({"kit": kit} if kit else {})}


class HandOver(Worded, Written, Base):
    """Others make a visit from then on; kept for good."""

    __tablename__ = "visit_hand_overs"
    __table_args__ = (
        CheckConstraint("reason IS NOT NULL OR reason_sealed IS NOT NULL", name="visit_hand_overs_explained"),
        Index("visit_hand_overs_visit_id", "visit_id", "id"),
        Index("visit_hand_overs_feed", "changed_xid", "id"),
    )

    sealed_in: ClassVar = {"reason_sealed": ("reason",)}
    once: ClassVar = ("reason_sealed",)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visits.id"))
    unit_code: Mapped[str]
    from_visitors: Mapped[list[str]]
    to_visitors: Mapped[list[str]]
    reason: Mapped[str | None]
    reason_sealed: Mapped[bytes | None]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]


class Late(Written, Base):
    """Something that was recorded of a visit after it was archived: in which section of its record, and by whom;
    `entry_id` is the supplement that has it, once there is one."""

    __tablename__ = "visit_late"
    __table_args__ = (
        Index("visit_late_waiting", "id", postgresql_where=text("entry_id IS NULL")),
        Index("visit_late_visit_id", "visit_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visits.id"))
    what: Mapped[str]
    brought_by: Mapped[str]
    recorded_at: Mapped[datetime]
    entry_id: Mapped[UUID | None]
