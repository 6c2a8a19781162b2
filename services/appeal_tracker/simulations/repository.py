"""SQL of the simulations: what they read of the record, and the rows of their own that they write."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, Uuid, any_, func, literal, or_, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals.models import SUBJECT, Answer, Appeal, Contact
from appeal_tracker.callbacks.models import Callback
from appeal_tracker.clocks import repository as clock_rows
from appeal_tracker.clocks.models import Clock
from appeal_tracker.clocks.states import ClockState
from appeal_tracker.clocks.timeline import TimelineEntry
from appeal_tracker.directory.models import Unit
from appeal_tracker.simulations.judging import Judgement
from appeal_tracker.simulations.models import Count, Difference, Progress, Simulation
from chassis import scope
from chassis.db import driver
from chassis.ids import new_id

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


_FOUND = """
INSERT INTO simulation_differences (id, appeal_id, appeal_no, unit_code, appeal_type, received_at, round, milestone,
                                    did, would, due_at, would_be_due_at, stopped_at, simulation_id, recorded_at)
SELECT new.*, $14::uuid, $15::timestamptz FROM unnest(
    $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::integer[], $8::text[],
    $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[]) AS new
"""


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
    """Everything that is recorded of some appeals and counts for their deadlines; `promised` are the clocks of others
    whose promises they kept, `recorded` lines of the timelines."""

    clocks: Rows
    promised: Rows
    contacts: Rows
    answers: Rows
    callbacks: Rows
    holds: Rows
    recorded: Rows


def listed(unit: str | None) -> Select[Simulation]:
    """The simulations that a caller of `unit` may see: those asked for there or below."""
    return select(Simulation).where(scope.within(Unit, unit, Simulation.unit_code))


async def find(tx: AsyncSession, id: UUID, unit: str | None) -> Simulation | None:
    """A simulation that a caller of `unit` may see."""
    return (await tx.scalars(listed(unit).where(Simulation.id == id))).one_or_none()


async def claim(tx: AsyncSession) -> Simulation | None:
    """The simulation that was asked for first of those not ended that nobody else works at now, locked."""
    unfinished = text("state IN ('queued', 'running')")
    query = select(Simulation).where(unfinished).order_by(Simulation.requested_at, Simulation.id)
    return (await tx.scalars(query.limit(1).with_for_update(skip_locked=True))).one_or_none()


async def fail(tx: AsyncSession, id: UUID, failure: str, now: datetime) -> None:
    """Ends a simulation that cannot be done."""
    its = update(Simulation).where(Simulation.id == id, text("state IN ('queued', 'running')"))
    await tx.execute(its.values(state=Progress.FAILED, failure=failure, finished_at=now, updated_at=now))


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
        Appeal.calendar,
        Appeal.anonymous,
    )
    period = (Appeal.received_at >= since, Appeal.received_at < until)
    return query.where(*period, Appeal.unit_code.in_(scope.under(Unit, simulation.scope)))


async def record(tx: AsyncSession, appeals: Sequence[UUID]) -> Record:
    """What is recorded of `appeals`, in a number of round trips that does not grow."""
    clocks = await _clocks(tx, Clock.subject_kind == SUBJECT, _among(Clock.subject_id, appeals))
    promisers = {each.promised_by for each in clocks} - {None, *(each.id for each in clocks)}
    promised = await _clocks(tx, _among(Clock.id, [*promisers])) if promisers else []
    holds = await clock_rows.holds(tx, {*appeals, *(each.subject_id for each in promised)})
    cancelled = [each for each in clocks if each.state == ClockState.CANCELLED]
    contacts = select(Contact.appeal_id, Contact.round, Contact.at, Contact.result).where(
        _among(Contact.appeal_id, appeals), Contact.counts
    )
    answers = select(Answer.appeal_id, Answer.round, Answer.at).where(_among(Answer.appeal_id, appeals))
    callbacks = select(Callback.appeal_id, Callback.round, Callback.at, Callback.result).where(
        _among(Callback.appeal_id, appeals)
    )
    return Record(
        clocks,
        promised,
        (await tx.execute(contacts)).all(),
        (await tx.execute(answers)).all(),
        (await tx.execute(callbacks)).all(),
        holds,
        await _recorded(tx, appeals, {each.subject_id for each in (*holds, *cancelled)}),
    )


async def _clocks(tx: AsyncSession, *which: ColumnElement[bool]) -> Rows:
    columns = (
        Clock.id,
        Clock.subject_kind,
        Clock.subject_id,
        Clock.round,
        Clock.milestone,
        Clock.appeal_type,
        Clock.started_at,
        Clock.due_at,
        Clock.policy,
        Clock.calendar,
        Clock.state,
        Clock.stopped_at,
        Clock.promised_by,
    )
    return (await tx.execute(select(*columns).where(*which))).all()


async def _recorded(tx: AsyncSession, appeals: Sequence[UUID], whole: Collection[UUID]) -> Rows:
    """The lines that say how the rounds of `appeals` ended, and the `whole` timelines of some, in their order."""
    line = TimelineEntry
    query = select(line.appeal_id, line.kind, line.at, line.recorded_at, line.data).where(
        _among(line.appeal_id, [*{*appeals, *whole}]),
        or_(line.kind.in_(("closed", "reclassified")), _among(line.appeal_id, [*whole])),
    )
    return (await tx.execute(query.order_by(line.appeal_id, line.seq))).all()


def _among(column: Any, ids: Sequence[UUID]) -> ColumnElement[bool]:
    # One array, and not a parameter for each, which would have to be written into the statement every time.
    return column == any_(literal([*ids], ARRAY(Uuid)))  # type: ignore[no-any-return]


async def add(
    tx: AsyncSession,
    simulation: UUID,
    tallies: dict[Kind, Tally],
    found: Sequence[tuple[Any, Judgement]],
    now: datetime,
) -> None:
    """Adds to what came out so far; `found` are appeals and what of them would have come out otherwise."""
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
        rows = [
            (
                new_id(),
                appeal.id,
                appeal.appeal_no,
                appeal.unit_code,
                appeal.type,
                appeal.received_at,
                its.round,
                its.milestone,
                its.did,
                its.would,
                its.due_at,
                its.would_be_due_at,
                its.stopped_at,
            )
            for appeal, its in found
        ]
        await (await driver(tx)).execute(_FOUND, *map(list, zip(*rows, strict=True)), simulation, now)


async def counts(tx: AsyncSession, simulation: UUID, unit: str | None) -> Sequence[Count]:
    """What came out so far, by unit, type and milestone, of what a caller of `unit` may see."""
    query = select(Count).where(Count.simulation_id == simulation, scope.within(Unit, unit, Count.unit_code))
    return (await tx.scalars(query.order_by(Count.unit_code, Count.appeal_type, Count.milestone))).all()


async def differences_after(
    tx: AsyncSession, simulation: UUID, unit: str | None, after: UUID | None, most: int
) -> Sequence[Difference]:
    """Some deadlines that would have come out otherwise, those after `after`."""
    query = differences(simulation, unit)
    query = query if after is None else query.where(Difference.id > after)
    return (await tx.scalars(query.order_by(Difference.id).limit(most))).all()


def differences(simulation: UUID, unit: str | None) -> Select[Difference]:
    """The deadlines that would have come out otherwise, of the appeals that a caller of `unit` may see: units may have
    gone elsewhere since it was asked for."""
    its = select(Difference).where(Difference.simulation_id == simulation)
    return its.where(scope.within(Unit, unit, Difference.unit_code))
