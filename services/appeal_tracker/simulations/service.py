"""What is done with simulations: they are asked for, worked at in bounded steps, and shown.

A step judges some appeals, adds what came out and moves on the place it came to, in one transaction: a process that
dies leaves a simulation where its last step ended, and whoever comes next goes on from there.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.calendars import service as calendars
from appeal_tracker.calendars.calendar import FIRST_DAY, Calendar
from appeal_tracker.calendars.civil import date_of, day_number, span
from appeal_tracker.directory import service as directory
from appeal_tracker.policies import service as policies
from appeal_tracker.simulations import preparing, repository
from appeal_tracker.simulations.candidate import Asked, Candidate
from appeal_tracker.simulations.errors import NotPast, SimulationNotFound, UnknownScope
from appeal_tracker.simulations.judging import Judgement, Rules, Verdict, judge
from appeal_tracker.simulations.models import Count, Difference, Progress, Simulation
from appeal_tracker.simulations.past import rounds
from appeal_tracker.simulations.repository import Kind, Rows, Tally
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal


class Result(msgspec.Struct, frozen=True):
    """A simulation, and what came out of it so far."""

    simulation: Simulation
    counts: Sequence[Count]

    @property
    def totals(self) -> Tally:
        """Over all units, types and milestones."""
        fields = Tally.__struct_fields__
        return Tally(**{field: sum(getattr(count, field) for count in self.counts) for field in fields})


async def request(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    *,
    first_day: date,
    last_day: date,
    unit_code: str | None,
    policy: str | None,
    pack: dict[str, Any] | None,
    calendar: str | None,
    notice: dict[str, Any] | None,
) -> Result:
    """Asks for what was raised on some days of the past to be judged by a candidate; a worker will.

    Raises `NotPast`, `UnknownScope`, and what `preparing.ask` does.
    """
    now = runtime.clock.now()
    today = date_of(day_number(now))
    if not FIRST_DAY <= first_day <= last_day:
        raise NotPast("/from", str(today))
    if last_day > today:
        raise NotPast("/to", str(today))
    assert caller.unit is not None, "no service may ask"
    scope = unit_code or await directory.successor(tx, caller.unit)
    if not await directory.may_see_unit(tx, scope, caller.unit):
        raise UnknownScope
    asked = await preparing.ask(tx, policy, pack, calendar, notice)
    simulation = Simulation(
        id=new_id(),
        unit_code=caller.unit,
        scope=scope,
        requested_by=caller.sub,
        requested_at=now,
        first_day=first_day,
        last_day=last_day,
        candidate=msgspec.to_builtins(asked),
        state=Progress.QUEUED,
        total=0,
        done=0,
        updated_at=now,
    )
    tx.add(simulation)
    await tx.flush()
    return Result(simulation, [])


async def listing(tx: AsyncSession, caller: Principal, window: Window) -> Listing[Simulation]:
    """The simulations that `caller` may see."""
    return await window.fetch(tx, repository.listed(caller.unit), Simulation)


async def show(tx: AsyncSession, caller: Principal, id: UUID) -> Result:
    """A simulation with what came out so far. Raises `SimulationNotFound`, also for another unit's."""
    simulation = await repository.find(tx, id, caller.unit)
    if simulation is None:
        raise SimulationNotFound
    return Result(simulation, await repository.counts(tx, id, caller.unit))


async def differences(tx: AsyncSession, caller: Principal, id: UUID, window: Window) -> Listing[Difference]:
    """The deadlines that would have come out otherwise. Raises `SimulationNotFound`."""
    if await repository.find(tx, id, caller.unit) is None:
        raise SimulationNotFound
    return await window.fetch(tx, repository.differences(id, caller.unit), Difference)


async def differences_after(
    tx: AsyncSession, caller: Principal, id: UUID, after: UUID | None, most: int = 1000
) -> Sequence[Difference]:
    """The next of them, to go through all. Raises `SimulationNotFound`."""
    if await repository.find(tx, id, caller.unit) is None:
        raise SimulationNotFound
    return await repository.differences_after(tx, id, caller.unit, after, most)


async def claim(tx: AsyncSession) -> Simulation | None:
    """Takes the next simulation for this transaction."""
    return await repository.claim(tx)


async def candidate(tx: AsyncSession, simulation: Simulation) -> Candidate:
    """What a simulation judges by, built as it was asked for."""
    return await preparing.build(tx, msgspec.convert(simulation.candidate, Asked))


async def fail(tx: AsyncSession, id: UUID, failure: str, now: datetime) -> None:
    """Ends a simulation that cannot be done; what came out so far stays."""
    await repository.fail(tx, id, failure, now)


async def advance(tx: AsyncSession, simulation: Simulation, by: Candidate, now: datetime, most: int) -> None:
    """Judges the next `most` appeals of a claimed simulation at most by its candidate, and adds what came out."""
    since, until = span(simulation.first_day, simulation.last_day)
    if simulation.state == Progress.QUEUED:
        simulation.total = await repository.count(tx, simulation, since, until)
        simulation.state = Progress.RUNNING
    appeals = await repository.next_appeals(tx, simulation, since, until, most)
    tallies: dict[Kind, Tally] = defaultdict(Tally)
    found = []
    for appeal, judgement in await judged(tx, by, appeals, simulation.requested_at):
        _count(tallies[appeal.unit_code, appeal.type, judgement.milestone], judgement)
        if judgement.newly_breached or judgement.newly_kept:
            found.append((appeal, judgement))
    await repository.add(tx, simulation.id, tallies, found, now)
    simulation.done += len(appeals)
    simulation.updated_at = now
    if appeals:
        simulation.after_received, simulation.after_id = appeals[-1].received_at, appeals[-1].id
    if len(appeals) < most:
        simulation.state, simulation.finished_at = Progress.DONE, now
        simulation.total = simulation.done  # what was heard of meanwhile may have come in between


async def judged(tx: AsyncSession, by: Candidate, appeals: Rows, as_of: datetime) -> list[tuple[Any, Judgement]]:
    """What would have become by a candidate of each deadline of some appeals, each with its appeal; by a candidate that
    names nothing, what did."""
    record = await repository.record(tx, [appeal.id for appeal in appeals])
    shelf = await policies.shelf(tx, {appeal.unit_code for appeal in appeals})
    newest = await calendars.newest(tx)
    ran = (*record.clocks, *record.promised)
    ran_by = {label: shelf.written(label) for label in {clock.policy for clock in ran}}
    ran_on = {label: await calendars.by_label(tx, label) for label in {clock.calendar for clock in ran}}
    its_rounds = rounds(appeals, record, ran_by, ran_on)
    return [
        (appeal, judgement)
        for appeal in appeals
        for rules in [_rules(by, appeal, shelf, newest)]
        for each in its_rounds[appeal.id]
        for judgement in judge(each, rules, as_of)
    ]


def _rules(candidate: Candidate, appeal: Any, shelf: policies.Shelf, newest: Mapping[str, Calendar]) -> Rules:
    keeps = shelf.kept(appeal.policy, appeal.unit_code, appeal.received_at, appeal.calendar)
    return Rules(candidate, newest, newest[keeps.calendar], appeal.anonymous)


def _count(tally: Tally, judgement: Judgement) -> None:
    tally.judged += 1
    tally.would_breach += judgement.would is Verdict.BREACHED
    tally.did_breach += judgement.did is Verdict.BREACHED
    tally.newly_breached += judgement.newly_breached
    tally.newly_kept += judgement.newly_kept
    tally.undecided += judgement.would is Verdict.UNDECIDED
