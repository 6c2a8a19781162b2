"""Tables of the clocks and their timers: the record of what was due, and of who was told. Rows are never deleted."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from appeal_tracker.base import Base, one_of
from appeal_tracker.clocks.states import ClockState, TimerState


class Clock(Base):
    """One deadline of one subject. It is met if and only if the act that stopped it came at `due_at` or before.

    `breached_at` stays when a stop that came in time is recorded only afterwards: such a clock is met, and was once
    breached. `policy` and `calendar` name the versions it was set by, `appeal_type` the type whose limit it is.

    `late_arrival`: it was past already when its subject, or what it runs from, was heard of. `follows`: the clock of
    the appeal that this one was merged into; `promised_by`: the clock among those merged that promised the earliest,
    whose deadline all keep. `changed_xid` and `changed_at`: the transaction that last changed it in its subject's
    place, and when: firing timers and recalculating write no appeal anew.
    """

    __tablename__ = "clocks"
    __table_args__ = (
        UniqueConstraint("subject_id", "subject_kind", "round", "milestone"),
        Index("clocks_running", "due_at", postgresql_where=text("state = 'running'")),
        Index("clocks_held", "due_at", postgresql_where=text("state = 'held'")),
        Index("clocks_follows", "follows", postgresql_where=text("follows IS NOT NULL")),
        Index("clocks_feed", "changed_xid", "subject_id", postgresql_where=text("changed_xid IS NOT NULL")),
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
    late_arrival: Mapped[bool] = mapped_column(server_default=text("false"))
    follows: Mapped[UUID | None]
    promised_by: Mapped[UUID | None]
    changed_xid: Mapped[int | None] = mapped_column(BigInteger)
    changed_at: Mapped[datetime | None]

    @property
    def met_at(self) -> datetime | None:
        """When it was stopped, if that was in time."""
        return self.stopped_at if self.state == ClockState.MET else None


class Timer(Base):
    """One step of a clock's ladder. The pair of clock and step is its identity: it can fire once only.

    It is `held` while its clock stands still, or follows that of another appeal, and cannot fire then. `set_at` is when
    it came to be as it is, where its moment had passed by then: it could not fire before.
    """

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
    set_at: Mapped[datetime | None]


class Holdable(Protocol):
    """What is asked about a clock to know whether a hold is one of its."""

    subject_id: UUID
    round: int
    milestone: str
    appeal_type: str | None
    started_at: datetime


class RecordedHold(Base):
    """A stretch in which clocks of a subject's round stand still: those of `milestones`, whatever policy came after.
    What somebody wrote about it is sealed, among the texts; older rows may hold it still. `appeal_type` is the type
    that the appeal had then; None in older rows.

    It is open until it has an end. A reopening that goes on where the closing stopped is one too: see `reason`.
    """

    __tablename__ = "holds"
    __table_args__ = (
        Index("holds_subject_id", "subject_id"),
        Index("holds_open", "subject_id", unique=True, postgresql_where=text("until IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID]
    round: Mapped[int]
    milestones: Mapped[list[str]]
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    reason: Mapped[str | None]
    note: Mapped[str | None]
    held_by: Mapped[str]
    resumed_by: Mapped[str | None]
    recorded_at: Mapped[datetime]
    appeal_type: Mapped[str | None]

    def stops(self, clock: Holdable, started_at: datetime | None = None, *, holdable: bool) -> bool:
        """Whether it is a clock of this subject, of a milestone that stands still, and ran when the hold did, or does
        if it is to run from `started_at`: one that goes on in a later round brings the holds of the earlier ones along.
        Of an appeal that was of another type then only what is `holdable` now was ever held.
        """
        its = self.subject_id == clock.subject_id and self.round <= clock.round
        its = its and (holdable or self.appeal_type in (None, clock.appeal_type))
        since = started_at or clock.started_at
        return its and clock.milestone in self.milestones and (self.until is None or self.until > since)
