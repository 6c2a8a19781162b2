"""Tables of the clocks and their timers: the record of what was due, and of who was told. Rows are never deleted."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from appeal_tracker.base import Base, one_of
from appeal_tracker.clocks.states import ClockState, TimerState


class Clock(Base):
    """One deadline of one subject. It is met if and only if the act that stopped it came at `due_at` or before.

    `breached_at` stays when a stop that came in time is recorded only afterwards: such a clock is met, and was once
    breached. `policy` and `calendar` name the versions it was set by, `appeal_type` the type whose limit it is.
    """

    __tablename__ = "clocks"
    __table_args__ = (
        UniqueConstraint("subject_id", "subject_kind", "round", "milestone"),
        Index("clocks_running", "due_at", postgresql_where=text("state = 'running'")),
        one_of("state", ClockState),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    round: Mapped[int]
    milestone: Mapped[str]
    appeal_type: Mapped[str | None]
    started_at: Mapped[datetime]
    due_at: Mapped[datetime]
    policy: Mapped[str]
    calendar: Mapped[str]
    provisional: Mapped[bool]
    state: Mapped[str]
    stopped_at: Mapped[datetime | None]
    breached_at: Mapped[datetime | None]

    @property
    def met_at(self) -> datetime | None:
        """When it was stopped, if that was in time."""
        return self.stopped_at if self.state == ClockState.MET else None


class Timer(Base):
    """One step of a clock's ladder. The pair of clock and step is its identity: it can fire once only."""

    __tablename__ = "timers"
    __table_args__ = (
        Index("timers_pending", "fire_at", postgresql_where=text("state = 'pending'")),
        one_of("state", TimerState),
    )

    clock_id: Mapped[UUID] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    phase: Mapped[str]
    tell: Mapped[list[str]]
    fire_at: Mapped[datetime]
    state: Mapped[str]
    fired_at: Mapped[datetime | None]
    late: Mapped[bool | None]
