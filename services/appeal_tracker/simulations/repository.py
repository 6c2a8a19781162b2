"""SQL of the simulations: what they read of the record, and the rows of their own that they write."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Select, func, insert, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals.models import SUBJECT, Answer, Appeal, Contact
from appeal_tracker.callbacks.models import Callback
from appeal_tracker.clocks.models import Clock, RecordedHold
from appeal_tracker.directory.models import Unit
from appeal_tracker.simulations.models import Count, Difference, Simulation
from chassis import scope

_COUNT = text("""
INSERT INTO simulation_counts AS had (simulation_id, unit_code, appeal_type, milestone, judged, would_breach,
                                      did_breach, newly_breached, newly_kept, undecided)
SELECT :simulation, new.* FROM unnest(
    CAST(:units AS text[]), CAST(:types AS text[]), CAST(:milestones AS text[]), CAST(:judged AS integer[]),
    CAST(:would AS integer[]), CAST(:did AS integer[]), CAST(:newly_breached AS integer[]),
    CAST(:newly_kept AS integer[]), CAST(:undecided AS integer[])) AS new
ON CONFLICT (simulation_id, unit_code, appeal_type, milestone) DO UPDATE SET
    judged = had.judged + excluded.judged, would_breach = had.would_breach + excluded.would_breach,
    did_breach = had.did_breach + excluded.did_breach, newly_breached = had.newly_breached + excluded.newly_breached,
    newly_kept = had.newly_kept + excluded.newly_kept, undecided = had.undecided + excluded.undecided
""")


class Tally(msgspec.Struct):
    """How many deadlines of a kind came out how, so far."""

    judged: int = 0
    would_breach: int = 0
    did_breach: int = 0
    newly_breached: int = 0
    newly_kept: int = 0
    undecided: int = 0


Rows = Sequence[Any]  # each with its columns by name
Kind = tuple[str, str, str]  # unit, type, milestone


class Record(msgspec.Struct, frozen=True):
    """Everything that is recorded of some appeals and counts for their deadlines."""

    clocks: Rows
    contacts: Rows
    answers: Rows
    callbacks: Rows
    holds: Rows
    promised: Rows


def listed(unit: str | None) -> Select[Simulation]:
    """The simulations that a caller of `unit` may see: those asked for there or below."""
    return select(Simulation).where(scope.within(Unit, unit, Simulation.unit_code))


async def find(tx: AsyncSession, id: UUID, unit: str | None) -> Simulation | None:
    """A simulation that a caller of `unit` may see."""
    return (await tx.scalars(listed(unit).where(Simulation.id == id))).one_or_none()


async def claim(tx: AsyncSession) -> Simulation | None:
    """The simulation that was asked for first of those not done that nobody else works at now, locked."""
    query = select(Simulation).where(text("state <> 'done'")).order_by(Simulation.requested_at, Simulation.id)
    return (await tx.scalars(query.limit(1).with_for_update(skip_locked=True))).one_or_none()


async def count(tx: AsyncSession, simulation: Simulation, since: datetime, until: datetime) -> int:
    """How many appeals it covers."""
    return await tx.scalar(select(func.count()).select_from(covered(simulation, since, until).subquery())) or 0


async def next_appeals(tx: AsyncSession, simulation: Simulation, since: datetime, until: datetime, most: int) -> Rows:
    """The appeals after the last that was judged, in the order they were received."""
    query = covered(simulation, since, until)
    if simulation.after_received is not None:
        place = (simulation.after_received, simulation.after_id)
        query = query.where(tuple_(Appeal.received_at, Appeal.id) > tuple_(*place))
    return (await tx.execute(query.order_by(Appeal.received_at, Appeal.id).limit(most))).all()


def covered(simulation: Simulation, since: datetime, until: datetime) -> Any:
    """The appeals that a simulation judges."""
    query = select(
        Appeal.id,
        Appeal.appeal_no,
        Appeal.unit_code,
        Appeal.type,
        Appeal.received_at,
        Appeal.round,
        Appeal.policy,
        Appeal.closed_at,
        Appeal.reopened_at,
    )
    period = (Appeal.received_at >= since, Appeal.received_at < until)
    return query.where(*period, Appeal.unit_code.in_(scope.below(Unit, simulation.scope)))


async def record(tx: AsyncSession, appeals: Collection[UUID]) -> Record:
    """What is recorded of `appeals`, in a number of round trips that does not grow."""
    clocks = (
        await tx.execute(
            select(
                Clock.subject_id,
                Clock.round,
                Clock.milestone,
                Clock.started_at,
                Clock.due_at,
                Clock.state,
                Clock.stopped_at,
                Clock.calendar,
                Clock.promised_by,
            ).where(Clock.subject_id.in_(appeals), Clock.subject_kind == SUBJECT)
        )
    ).all()
    contacts = select(Contact.appeal_id, Contact.round, Contact.at, Contact.result).where(
        Contact.appeal_id.in_(appeals), Contact.counts
    )
    answers = select(Answer.appeal_id, Answer.round, Answer.at).where(Answer.appeal_id.in_(appeals))
    callbacks = select(Callback.appeal_id, Callback.round, Callback.at).where(Callback.appeal_id.in_(appeals))
    hold = RecordedHold
    holds = select(hold.subject_id, hold.round, hold.milestones, hold.since, hold.until).where(
        hold.subject_id.in_(appeals)
    )
    promisers = {clock.promised_by for clock in clocks} - {None}
    promised = select(Clock.id, Clock.started_at, Clock.appeal_type, Clock.milestone).where(Clock.id.in_(promisers))
    return Record(
        clocks,
        (await tx.execute(contacts)).all(),
        (await tx.execute(answers)).all(),
        (await tx.execute(callbacks)).all(),
        (await tx.execute(holds)).all(),
        (await tx.execute(promised)).all() if promisers else [],
    )


async def add(tx: AsyncSession, simulation: UUID, tallies: dict[Kind, Tally], found: Sequence[dict[str, Any]]) -> None:
    """Adds to what came out so far."""
    if tallies:
        units, types, milestones = zip(*tallies, strict=True)
        its = tallies.values()
        values = {
            "units": units,
            "types": types,
            "milestones": milestones,
            "judged": [each.judged for each in its],
            "would": [each.would_breach for each in its],
            "did": [each.did_breach for each in its],
            "newly_breached": [each.newly_breached for each in its],
            "newly_kept": [each.newly_kept for each in its],
            "undecided": [each.undecided for each in its],
        }
        await tx.execute(_COUNT, {"simulation": simulation, **{name: list(value) for name, value in values.items()}})
    if found:
        await tx.execute(insert(Difference), found)


async def counts(tx: AsyncSession, simulation: UUID) -> Sequence[Count]:
    """What came out so far, by unit, type and milestone."""
    query = select(Count).where(Count.simulation_id == simulation)
    return (await tx.scalars(query.order_by(Count.unit_code, Count.appeal_type, Count.milestone))).all()


async def differences_after(tx: AsyncSession, simulation: UUID, after: UUID | None, most: int) -> Sequence[Difference]:
    """Some deadlines that would have come out otherwise, those after `after`."""
    query = differences(simulation) if after is None else differences(simulation).where(Difference.id > after)
    return (await tx.scalars(query.order_by(Difference.id).limit(most))).all()


def differences(simulation: UUID) -> Select[Difference]:
    """The deadlines that would have come out otherwise."""
    return select(Difference).where(Difference.simulation_id == simulation)
