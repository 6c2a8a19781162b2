"""Tables of the simulations. They hold what was asked and what came out; nothing of the record hangs on them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from appeal_tracker.base import Base, one_of
from appeal_tracker.simulations.judging import Verdict
from chassis.db import Tracked, Written


class Progress(StrEnum):
    """How far a simulation has come. `failed`: by its own fault; it is asked for anew, if at all."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Simulation(Tracked, Base):
    """What was asked, by whom, and how far it has come.

    `unit_code` is the unit whose people may see it; it covers what was raised in `scope`, that unit or one below it.
    `candidate` is enough to build the candidate again: published versions by name, whatever was inline in full. It is
    judged as of `requested_at`. `after_received` and `after_id` name the last appeal that was judged.
    `failure` says why it failed, if it did.
    """

    __tablename__ = "simulations"
    __table_args__ = (
        Index("simulations_feed", "changed_xid", "id"),
        Index("simulations_unit_code", "unit_code", "id"),
        Index("simulations_open", "requested_at", "id", postgresql_where=text("state <> 'done'")),
        Index("simulations_unfinished", "requested_at", "id", postgresql_where=text("state IN ('queued', 'running')")),
        one_of("state", Progress),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_code: Mapped[str]
    scope: Mapped[str]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    first_day: Mapped[date]
    last_day: Mapped[date]
    candidate: Mapped[dict[str, Any]]
    state: Mapped[str]
    total: Mapped[int]
    done: Mapped[int]
    after_received: Mapped[datetime | None]
    after_id: Mapped[UUID | None]
    finished_at: Mapped[datetime | None]
    failure: Mapped[str | None]


class Count(Base):
    """How many deadlines of one unit, type and milestone came out how."""

    __tablename__ = "simulation_counts"

    simulation_id: Mapped[UUID] = mapped_column(ForeignKey("simulations.id"), primary_key=True)
    unit_code: Mapped[str] = mapped_column(primary_key=True)
    appeal_type: Mapped[str] = mapped_column(primary_key=True)
    milestone: Mapped[str] = mapped_column(primary_key=True)
    judged: Mapped[int]
    would_breach: Mapped[int]
    did_breach: Mapped[int]
    newly_breached: Mapped[int]
    newly_kept: Mapped[int]
    undecided: Mapped[int]


class Difference(Written, Base):
    """A deadline that would have come out otherwise."""

    __tablename__ = "simulation_differences"
    __table_args__ = (
        UniqueConstraint("simulation_id", "appeal_id", "round", "milestone", name="simulation_differences_once"),
        Index("simulation_differences_feed", "changed_xid", "id"),
        Index("simulation_differences_list", "simulation_id", "id"),
        one_of("did", Verdict),
        one_of("would", Verdict),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    simulation_id: Mapped[UUID] = mapped_column(ForeignKey("simulations.id"))
    appeal_id: Mapped[UUID]
    appeal_no: Mapped[str]
    unit_code: Mapped[str]
    appeal_type: Mapped[str]
    received_at: Mapped[datetime]
    round: Mapped[int]
    milestone: Mapped[str]
    did: Mapped[str]
    would: Mapped[str]
    due_at: Mapped[datetime | None]
    would_be_due_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime]
