"""Tables of the policies: each version of a pack as it was published, and which unit picked which pack from when."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from appeal_tracker.base import Base
from chassis.db import Tracked


class PolicyVersion(Tracked, Base):
    """One version of a pack, immutable. What it does not restate it inherits from exactly `extends_version` of the
    pack it extends, so that its rules never change under those who run by it.

    The newest version is also marked as changed when the pack is withdrawn.
    """

    __tablename__ = "policies"
    __table_args__ = (Index("policies_feed", "changed_xid", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    effective_from: Mapped[date | None]
    extends: Mapped[str | None]
    extends_version: Mapped[int | None]
    body: Mapped[dict[str, Any]]
    published_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    published_by: Mapped[str | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class Withdrawal(Base):
    """A pack that nothing begins under any more, whatever its version; what runs by it runs on, and tells nobody."""

    __tablename__ = "policy_withdrawals"

    policy: Mapped[str] = mapped_column(primary_key=True)
    withdrawn_at: Mapped[datetime]
    withdrawn_by: Mapped[str]
    reason: Mapped[str]


class Assignment(Base):
    """A unit picked a pack, for itself and those below it that picked none, from a civil day on; and a `calendar` to
    count on, if not the pack's own."""

    __tablename__ = "policy_assignments"

    unit_code: Mapped[str] = mapped_column(primary_key=True)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    policy: Mapped[str]
    calendar: Mapped[str | None]
    assigned_by: Mapped[str]
    assigned_at: Mapped[datetime]
