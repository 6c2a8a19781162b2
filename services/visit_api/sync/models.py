"""What devices brought, what contradicted the record, and which visits may be one."""

from datetime import date, datetime
from typing import Literal, get_args
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import Tracked, Written
from visit_api.base import Base, Left
from visit_api.sync.clocks import Mark

Stored = Literal["stored", "same", "conflict"]
Keep = Literal["server", "device"]
Suspected = Literal["open", "merged", "different"]


class Device(Tracked, Base):
    """A device in somebody's hands, and how far its clock was off when it last pushed; `wrong_since` is null while the
    clock is right."""

    __tablename__ = "sync_devices"
    __table_args__ = (
        UniqueConstraint("device", "staff_no", name="sync_devices_of_somebody"),
        Index("sync_devices_unit_code", "unit_code", "id"),
        Index("sync_devices_feed", "changed_xid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    device: Mapped[str]
    staff_no: Mapped[str]
    unit_code: Mapped[str]
    first_seen_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    offset_ms: Mapped[int] = mapped_column(BigInteger)
    wrong_since: Mapped[datetime | None]


class Brought(Written, Base):
    """An item that a device brought, known by its id and content: what became of it, what the device's clock said when
    it was done (`device_at`) and when it was sent, and what that was taken for. A refused item leaves no line."""

    __tablename__ = "sync_items"
    __table_args__ = (
        CheckConstraint(f"outcome IN {get_args(Stored)}", name="sync_items_outcome_known"),
        CheckConstraint(f"clock IN {get_args(Mark)}", name="sync_items_clock_known"),
        UniqueConstraint("item_id", "content_digest", name="sync_items_brought_once"),
        Index("sync_items_visit_id", "visit_id", "id"),
        Index("sync_items_unit_code", "unit_code", "id"),
        Index("sync_items_feed", "changed_xid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID]
    content_digest: Mapped[bytes]
    kind: Mapped[str]
    visit_id: Mapped[UUID]
    unit_code: Mapped[str]
    device: Mapped[str]
    brought_by: Mapped[str]
    outcome: Mapped[str]
    device_at: Mapped[datetime]
    device_sent_at: Mapped[datetime]
    offset_ms: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]
    clock: Mapped[str]
    recorded_at: Mapped[datetime]


class Conflict(Tracked, Base):
    """Something that a device brought and that the record says otherwise; `problem` is how. What the device said is
    sealed, for it holds words; neither version is written over by the other. A person decides: `keep`. The
    table hides one about an appeal that is not `weighed`: nobody looked whether it was said without a name."""

    __tablename__ = "sync_conflicts"
    __table_args__ = (
        CheckConstraint(f"keep IN {get_args(Keep)}", name="sync_conflicts_keep_known"),
        CheckConstraint(
            "(keep IS NULL) = (resolved_at IS NULL) AND (keep IS NULL) = (resolved_by IS NULL)",
            name="sync_conflicts_resolved_whole",
        ),
        Index("sync_conflicts_visit_id", "visit_id", "id"),
        Index("sync_conflicts_unit_code", "unit_code", "id"),
        Index("sync_conflicts_feed", "changed_xid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brought_id: Mapped[UUID] = mapped_column(ForeignKey("sync_items.id"), unique=True)
    item_id: Mapped[UUID]
    kind: Mapped[str]
    visit_id: Mapped[UUID]
    unit_code: Mapped[str]
    device: Mapped[str]
    brought_by: Mapped[str]
    at: Mapped[datetime]
    clock: Mapped[str]
    problem: Mapped[str]
    thing: Mapped[str]
    thing_id: Mapped[UUID]
    confidential: Mapped[bool]
    weighed: Mapped[bool] = mapped_column(server_default=false())
    device_sealed: Mapped[bytes]
    server_sealed: Mapped[bytes | None]
    recorded_at: Mapped[datetime]
    keep: Mapped[str | None]
    made_id: Mapped[UUID | None]
    reason: Mapped[str | None]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None]

    @property
    def state(self) -> str:
        """Whether somebody has decided."""
        return "open" if self.keep is None else "resolved"


class Suspicion(Tracked, Base):
    """Two visits to one customer by one channel on one day, brought by a device or planned at desks: perhaps one visit,
    recorded twice. Both stay; `kept` is the one that counts, where somebody said that they are one."""

    __tablename__ = "sync_suspicions"
    __table_args__ = (
        CheckConstraint(f"state IN {get_args(Suspected)}", name="sync_suspicions_state_known"),
        CheckConstraint("(state = 'merged') = (kept IS NOT NULL)", name="sync_suspicions_merged_keeps_one"),
        UniqueConstraint("first_id", "second_id", name="sync_suspicions_once"),
        Index("sync_suspicions_unit_code", "unit_code", "id"),
        Index("sync_suspicions_customer_id", "customer_id", "day"),
        Index("sync_suspicions_feed", "changed_xid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    first_id: Mapped[UUID] = mapped_column(ForeignKey("visits.id"))
    second_id: Mapped[UUID] = mapped_column(ForeignKey("visits.id"))
    customer_id: Mapped[UUID]
    channel: Mapped[str]
    day: Mapped[date]
    unit_code: Mapped[str]
    state: Mapped[str]
    kept: Mapped[UUID | None]
    reason: Mapped[str | None]
    recorded_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]


class Looked(Base):
    """The last visit that was looked at for one that it may be the same as, in the order in which they change; the one
    row there is."""

    __tablename__ = "sync_looked"
    __table_args__ = (CheckConstraint("one", name="sync_looked_one"),)

    one: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    changed_xid: Mapped[int] = mapped_column(BigInteger)
    visit_id: Mapped[UUID]


class Leaving(Left, Base):
    """Somebody who does not make a visit any more, so that their device is told that it is gone."""

    __tablename__ = "visit_leavings"
    __table_args__ = (Index("visit_leavings_feed", "staff_no", "changed_xid", "id"),)

    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visits.id"))
    staff_no: Mapped[str]
