"""The self-audit: a look at some subjects, and at what is due, in one transaction; look by look it comes round to all.

A look costs the same however many subjects there are. What is found is told once and kept until it is gone again: the
subjects of what was found are looked at again each time.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from prometheus_client import Counter, Gauge
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.audit import canary_repository, on_visits, recounting, repository
from appeal_tracker.audit.invariants import Finding, Invariant, expected
from appeal_tracker.audit.models import FoundWrong
from appeal_tracker.policies import service as policies
from appeal_tracker.settings import Settings
from chassis.db import after_commit
from chassis.runtime import Runtime
from chassis.web.tokens import Principal
from contracts.audit import InvariantFailed

log = logging.getLogger(__name__)

OVERDUE = timedelta(minutes=5)  # of real time: how long a timer that is due may wait to be fired
PATIENCE = timedelta(seconds=60)  # of real time: how late the canary may be
SHOWN = 10  # findings that are shown of each kind
ON_DEMAND = 5000  # subjects of each kind that a look on demand takes in

_OF_SUBJECTS = (
    Invariant.CLOCK_MISSING,
    Invariant.DEADLINE_WRONG,
    Invariant.BREACH_UNTOLD,
    Invariant.STEP_FIRED_TWICE,
)
_OF_TIME = (Invariant.TIMER_UNFIRED, Invariant.CANARY_SILENT, Invariant.RECALCULATION_FAILING)
_failures = Gauge("invariant_failures", "What the self-audit has found and is not gone yet", ["invariant"])
_failed = Counter("invariants_failed", "Findings of the self-audit", ["invariant"])
_audited = Counter("self_audit_subjects", "Appeals and visits looked at by the self-audit")


class Look(msgspec.Struct, frozen=True):
    """What a look took in: how many subjects, whether a walk still has some before it, and what is newly found."""

    subjects: int
    more: bool
    found: list[Finding]


class Standing(msgspec.Struct, frozen=True):
    """How an invariant stands: how much is wrong, and the first of it."""

    invariant: Invariant
    failures: int
    first: Sequence[FoundWrong]


class Report(msgspec.Struct, frozen=True):
    """When the audit last looked, since when it has looked at all there is, and how each invariant stands."""

    last_look: datetime | None
    came_round: datetime | None
    standings: list[Standing]


async def look(tx: AsyncSession, runtime: Runtime, subjects: int, older: timedelta | None = None) -> Look | None:
    """Looks at the next `subjects` of each kind, and tells what is newly found; None if the last look was less than
    `older` ago."""
    walks = await repository.begin(tx, older)
    if not walks:
        return None
    suspects = await repository.suspects(tx, _OF_SUBJECTS, repository.MOST)
    found, seen, more = [], 0, False
    for kind, after in walks.items():
        its = await repository.following(tx, kind, after, subjects)
        ended = len(its) < subjects
        await repository.walked(tx, kind, None if ended else its[-1])
        every = sorted({*its, *suspects[kind]})
        wrong = await _of_subjects(tx, runtime, kind, every) if every else []
        await repository.clear(tx, _OF_SUBJECTS, every, wrong)
        found += wrong
        seen, more = seen + len(its), more or not ended
    wrong = await _of_time(tx, runtime)
    await repository.clear(tx, _OF_TIME, None, wrong)
    new = await _report(tx, runtime, _bounded([*found, *wrong]))
    _audited.inc(seen)
    return Look(seen, more, new)


async def report(tx: AsyncSession, caller: Principal) -> Report:
    """How things stand, as far as the caller may see it: of what is found in a unit, those above it are told."""
    counts = await repository.counts(tx, caller.unit)
    standings = []
    for invariant in Invariant:
        first = await repository.first(tx, invariant, caller.unit, SHOWN) if invariant in counts else ()
        standings.append(Standing(invariant, counts.get(invariant, 0), first))
    return Report(await repository.last_look(tx), await repository.came_round(tx), standings)


async def watch_canary(tx: AsyncSession, runtime: Runtime) -> None:
    """Tells at once of a canary that is late; that it is well again, the next look finds."""
    await _report(tx, runtime, await _canary(tx, runtime))


async def measure(tx: AsyncSession) -> None:
    """Sets the metrics to what is wrong now, in all units."""
    counts = await repository.counts(tx, None)
    for invariant in Invariant:
        _failures.labels(invariant).set(counts.get(invariant, 0))


async def _of_subjects(tx: AsyncSession, runtime: Runtime, kind: str, subjects: Sequence[UUID]) -> list[Finding]:
    found = await recounting.wrong_deadlines(tx, kind, subjects)
    found += await repository.untold_breaches(tx, kind, subjects)
    found += await repository.steps_fired_twice(tx, kind, subjects)
    if kind == "appeal":
        every = [policy for versions in await policies.shelf(tx) for policy in versions]
        return [*found, *await repository.without_clocks(tx, subjects, expected(every))]
    return [*found, *await on_visits.without_clocks(tx, subjects)]


async def _of_time(tx: AsyncSession, runtime: Runtime) -> list[Finding]:
    before = runtime.clock.now() - OVERDUE * runtime.clock.speed
    found = [*await repository.unfired_timers(tx, before), *await _canary(tx, runtime)]
    return [*found, *await repository.failing_recalculations(tx)]


async def _canary(tx: AsyncSession, runtime: Runtime) -> list[Finding]:
    settings = runtime.settings
    assert isinstance(settings, Settings)
    if not settings.canary_every:
        return []
    await canary_repository.hatch(tx)
    return await canary_repository.silent(tx, PATIENCE, timedelta(seconds=settings.canary_every))


def _bounded(found: Sequence[Finding]) -> list[Finding]:
    of_each = ([each for each in found if each.invariant is invariant] for invariant in Invariant)
    return [each for its in of_each for each in its[: repository.MOST]]


async def _report(tx: AsyncSession, runtime: Runtime, found: Sequence[Finding]) -> list[Finding]:
    units = await repository.units(tx, {each.subject_id for each in found})
    new = await repository.report(tx, found, units)
    now = runtime.clock.now()
    events = [
        InvariantFailed(
            invariant=each.invariant,
            subject_kind=each.subject_kind,
            subject_id=each.subject_id,
            clock_id=each.clock_id,
            milestone=each.milestone,
            unit_code=units.get(each.subject_id, ""),
            at=now,
        )
        for each in new
    ]
    await runtime.outbox.append(tx, events, at=now)
    if new:
        after_commit(tx, lambda: _announce(new))
    return new


def _announce(new: Sequence[Finding]) -> None:
    for invariant in Invariant:
        its = [each for each in new if each.invariant is invariant]
        if its:
            _failed.labels(invariant).inc(len(its))
            what = {"invariant": invariant, "found": len(its), "subject": str(its[0].subject_id), "place": its[0].place}
            log.error("an invariant does not hold", extra=what)
