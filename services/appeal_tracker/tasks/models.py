"""Table of the callback tasks. Rows are never deleted."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from appeal_tracker.base import Base, one_of
from appeal_tracker.clocks.models import Clock
from chassis.db import Tracked


class TaskState(StrEnum):
    """Whether it is still to be done."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class TaskKind(StrEnum):
    """A callback after the answer, or the follow-up where the customer was dissatisfied."""

    CALLBACK = "callback"
    FOLLOW_UP = "follow_up"


class CallbackTask(Tracked, Base):
    """Somebody is to call a customer: `required` by the pack, or `asked_by` a supervisor. Whose it is: `person`, or
    with nobody named whoever may call by the rule `whose`, which is `supervisor` where the acceptor handled it.
    `attempts` are the calls that nobody answered."""

    __tablename__ = "callback_tasks"
    __table_args__ = (
        Index("callback_tasks_feed", "changed_xid", "id"),
        Index("callback_tasks_appeal_id", "appeal_id"),
        Index("callback_tasks_open", "appeal_id", "kind", unique=True, postgresql_where=text("state = 'open'")),
        Index("callback_tasks_unit_code", "unit_code", "id"),
        Index("callback_tasks_person", "person", "id", postgresql_where=text("state = 'open'")),
        one_of("state", TaskState),
        one_of("kind", TaskKind),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    appeal_id: Mapped[UUID] = mapped_column(ForeignKey("appeals.id"))
    round: Mapped[int]
    unit_code: Mapped[str]
    kind: Mapped[str]
    state: Mapped[str]
    required: Mapped[bool]
    whose: Mapped[str]
    person: Mapped[str | None]
    asked_by: Mapped[str | None]
    opened_at: Mapped[datetime]
    clock_id: Mapped[UUID | None]
    scheduled_at: Mapped[datetime | None]
    agreed: Mapped[bool] = mapped_column(server_default=text("false"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    callback_id: Mapped[UUID | None]

    clock: Mapped[Clock | None] = relationship(
        primaryjoin=lambda: foreign(CallbackTask.clock_id) == Clock.id, viewonly=True, lazy="raise"
    )

    @property
    def due_at(self) -> datetime | None:
        """By when, where the pack gives it a clock."""
        return self.clock.due_at if self.clock else None
