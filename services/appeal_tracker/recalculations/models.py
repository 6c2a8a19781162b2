"""Tables of the recalculations: what was asked for, by whom, how far it has come, and what could not be done."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import Mapped, mapped_column, synonym

from appeal_tracker.base import Base, one_of
from chassis.db import Tracked


class Cause(StrEnum):
    """Why what is open is planned anew."""

    CALENDAR_VERSION = "calendar_version"
    POLICY_VERSION = "policy_version"
    ASSIGNMENT = "assignment"


class JobState(StrEnum):
    """How far a recalculation has come. `failed`: by its own fault; asked for anew, or tried again, it goes on."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Recalculation(Tracked, Base):
    """A job. `calendar` is the one that has a new version; `policy` the pack that is left for the version `target`;
    `unit_code` bounds it to what was raised there and below; `assumed` to what has a line upward that was not known.

    `total` counts clocks where a calendar changed, else appeals and open visits; `done` those that were looked at,
    `moved` the clocks that have another deadline now, `breaching` those of them whose deadline was past when they were
    moved. `seconds` is real time. `turn` and `after` say where it goes on: it passes by all that it is about as often
    as something is left. It has failed `tries` times, and is tried again at `retry_at`, in real time, which stands
    until it is done; null where nobody but who asked for it can say whether it should be.
    """

    __tablename__ = "recalculations"
    __table_args__ = (
        Index("recalculations_feed", "changed_xid", "id"),
        Index("recalculations_unfinished", "id", postgresql_where=text("state IN ('queued', 'running')")),
        Index("recalculations_failing", "retry_at", postgresql_where=text("retry_at IS NOT NULL")),
        one_of("cause", Cause),
        one_of("state", JobState),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    cause: Mapped[str]
    calendar: Mapped[str | None]
    policy: Mapped[str | None]
    target: Mapped[str | None]
    unit_code: Mapped[str | None]
    assumed: Mapped[bool] = mapped_column(server_default=text("false"))
    requested_by: Mapped[str | None]
    requested_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default=text("'queued'"))
    turn: Mapped[int] = mapped_column(server_default=text("0"))
    after: Mapped[UUID | None]
    total: Mapped[int | None] = mapped_column(BigInteger)
    done: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    moved: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    breaching: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    seconds: Mapped[float] = mapped_column(server_default=text("0"))
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    failure: Mapped[str | None]  # why it failed last, if it did
    tries: Mapped[int] = mapped_column(server_default=text("0"))
    retry_at: Mapped[datetime | None]
    undone: Mapped[int] = mapped_column(server_default=text("0"))

    @property
    def follows_by_itself(self) -> bool:
        """Whether it brings what is open to the rules as they are, be it late; one that was asked for brings it to a
        version, which may not be wanted any more by then."""
        return self.target is None

    @property
    def rate(self) -> float | None:
        """How many a second, in real time."""
        return round(self.done / self.seconds, 1) if self.seconds else None


class Failure(Tracked, Base):
    """What a job could not do, and why: an `item` is a clock where a calendar changed, else the appeal or the visit
    that is the subject. It was met in a `turn` last, and is settled once a later one has done it."""

    __tablename__ = "recalculation_failures"
    __table_args__ = (Index("recalculation_failures_feed", "changed_xid", "item"),)

    recalculation_id: Mapped[UUID] = mapped_column(primary_key=True)
    item: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = synonym("item")
    subject_id: Mapped[UUID]
    why: Mapped[str]
    turn: Mapped[int]
    settled_at: Mapped[datetime | None]

    @property
    def clock_id(self) -> UUID | None:
        """The clock, where it is one."""
        return None if self.item == self.subject_id else self.item
