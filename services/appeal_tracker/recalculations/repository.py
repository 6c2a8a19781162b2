"""SQL of the recalculations: the jobs, and what they write beside the clocks."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import ColumnElement, Select, and_, exists, func, literal_column, or_, select, text, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import repository as appeals
from appeal_tracker.appeals.models import Appeal
from appeal_tracker.clocks.timeline import TimelineEntry
from appeal_tracker.directory.models import Unit
from appeal_tracker.policies.relaxing import InUse
from appeal_tracker.recalculations.models import Failure, JobState, Recalculation
from appeal_tracker.recalculations.subjects import RunsBy
from appeal_tracker.visits.models import Visit
from chassis import scope
from chassis.db import driver

RETRY_FIRST, RETRY_LONGEST = 30.0, 3600.0  # seconds of real time until a job that failed is tried again

_RELABEL = """
UPDATE appeals a SET policy = n.policy, calendar = n.calendar, policy_assumed = n.assumed, no_clock_reason = n.reason,
                     updated_at = $6, changed_xid = pg_current_xact_id()::text::bigint
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[], $5::text[]) AS n (id, policy, calendar, assumed, reason)
WHERE a.id = n.id
"""

_WAITING = """
SELECT count(*) FROM (SELECT FROM outbox WHERE aggregatetype = $1 AND published_at IS NULL LIMIT $2) AS waiting
"""
# Whoever began before this instant may still read what was published before it, and write by that.
_BEGAN_BEFORE = """
SELECT EXISTS (SELECT FROM pg_stat_activity
               WHERE datname = current_database() AND backend_type = 'client backend' AND xact_start <= $1
                 AND pid <> pg_backend_pid())
"""
_ASSUMED_BELOW = """
WITH RECURSIVE tree AS (
    SELECT unnest($1::text[]) AS code UNION SELECT u.code FROM units u JOIN tree ON u.parent_code = tree.code)
SELECT EXISTS (SELECT FROM appeals
               WHERE policy_assumed AND state <> 'closed' AND unit_code IN (SELECT code FROM tree))
    OR EXISTS (SELECT FROM visits WHERE policy_assumed AND unit_code IN (SELECT code FROM tree))
"""
_IN_USE = """
SELECT policy, calendar, min(since), max(since) FROM (
    SELECT policy, calendar, received_at AS since FROM appeals WHERE state <> 'closed' AND calendar IS NOT NULL
    UNION ALL SELECT policy, split_part(calendar, '@', 1), started_at FROM clocks WHERE state = 'running'
    UNION ALL SELECT policy, split_part(calendar, '@', 1), started_at FROM clocks WHERE state = 'held') AS its
GROUP BY 1, 2 ORDER BY 1, 2
"""
# The civil days on which open appeals were received, and on which what clocks on open visits run from came true.
_RECEIVED_ON = """
SELECT unit_code, (received_at AT TIME ZONE 'Asia/Shanghai')::date FROM appeals
WHERE state <> 'closed' AND policy = ANY ($1::text[]) AND ($2::text[] IS NULL OR unit_code = ANY ($2))
GROUP BY 1, 2
"""
_TRUE_ON = """
SELECT unit_code, (at AT TIME ZONE 'Asia/Shanghai')::date
FROM visits v, LATERAL (VALUES (window_from), (completed_at),
                               ((SELECT max(closed_at) FROM appeals a WHERE a.visit_id = v.id))) AS facts (at)
WHERE archived_at IS NULL AND cancelled_at IS NULL AND missed_at IS NULL
  AND (window_from IS NOT NULL OR completed_at IS NOT NULL)
  AND at IS NOT NULL AND ($1::text[] IS NULL OR unit_code = ANY ($1))
GROUP BY 1, 2
"""
# What open appeals were received by, and what those clocks on open visits run by that run from each of their facts; a
# fact from which none runs, nor ever ran, stands there without.
_RUNS_BY = """
SELECT unit_code, (received_at AT TIME ZONE 'Asia/Shanghai')::date, NULL, policy, calendar FROM appeals
WHERE state <> 'closed' AND ($1::text[] IS NULL OR unit_code = ANY ($1))
UNION
SELECT unit_code, (at AT TIME ZONE 'Asia/Shanghai')::date, fact, policy, split_part(calendar, '@', 1)
FROM visits v
    CROSS JOIN LATERAL (SELECT max(closed_at) AS closed_at FROM appeals a WHERE a.visit_id = v.id) AS its
    CROSS JOIN LATERAL (VALUES ('appointed', window_from), ('completed', completed_at),
                               ('appeals_closed', greatest(completed_at, its.closed_at))) AS facts (fact, at)
    LEFT JOIN clocks c ON c.subject_kind = 'visit' AND c.subject_id = v.id AND c.started_at = at
        AND c.state <> 'cancelled'
WHERE archived_at IS NULL AND cancelled_at IS NULL AND missed_at IS NULL
  AND at IS NOT NULL AND (fact = 'appointed' OR completed_at IS NOT NULL)
  AND (c.id IS NULL OR c.state IN ('running', 'held')) AND ($1::text[] IS NULL OR unit_code = ANY ($1))
"""
_PROGRESS = """
UPDATE recalculations SET done = done + $2, moved = moved + $3, breaching = breaching + $4,
    total = greatest(total, done + $2), changed_xid = pg_current_xact_id()::text::bigint
WHERE id = $1
"""
# Met again in a later turn, it is left again; whatever is not, has been done.
_LEAVE = """
INSERT INTO recalculation_failures (recalculation_id, item, subject_id, why, turn, updated_at)
VALUES ($1, $2, coalesce((SELECT subject_id FROM clocks WHERE id = $2), $2), $3, $4, $5)
ON CONFLICT (recalculation_id, item) DO UPDATE
    SET why = excluded.why, turn = excluded.turn, settled_at = NULL, updated_at = excluded.updated_at,
        changed_xid = pg_current_xact_id()::text::bigint
"""
_SETTLE = """
UPDATE recalculation_failures SET settled_at = $3, updated_at = $3, changed_xid = pg_current_xact_id()::text::bigint
WHERE recalculation_id = $1 AND turn < $2 AND settled_at IS NULL
"""


async def relabel(tx: AsyncSession, appeals: Sequence[tuple[UUID, str, str, bool, str | None]], now: datetime) -> None:
    """Writes by which policy and on which calendar appeals run, whether that is assumed, and why they have no clock if
    they have none."""
    await (await driver(tx)).execute(_RELABEL, *(list(column) for column in zip(*appeals, strict=True)), now)


async def waiting(connection: asyncpg.Connection, topic: str, most: int) -> int:
    """How many rows wait to be published on a topic, counted up to `most`; asked on a dedicated connection, which does
    not pass what was published."""
    return int(await connection.fetchval(_WAITING, topic, most))


async def in_use(tx: AsyncSession) -> list[InUse]:
    """By which versions of packs, counted on which calendars, what is open runs."""
    return [InUse(*row) for row in await (await driver(tx)).fetch(_IN_USE)]


async def began(tx: AsyncSession, policies: list[str], units: list[str] | None) -> list[tuple[str, date]]:
    """On which days, in which units, those of their open appeals were received that run by some policies."""
    return [(row[0], row[1]) for row in await (await driver(tx)).fetch(_RECEIVED_ON, policies, units)]


async def visited(tx: AsyncSession, units: list[str] | None) -> list[tuple[str, date]]:
    """On which days, in which units, something came true that clocks on their open visits run from."""
    return [(row[0], row[1]) for row in await (await driver(tx)).fetch(_TRUE_ON, units)]


async def runs_by(tx: AsyncSession, units: list[str] | None) -> list[RunsBy]:
    """By which policies, on which calendars, what is open in some units runs, by the days on which it began."""
    return [RunsBy(*row) for row in await (await driver(tx)).fetch(_RUNS_BY, units)]


async def now(tx: AsyncSession) -> datetime:
    """The database's own time."""
    instant: datetime = await (await driver(tx)).fetchval("SELECT clock_timestamp()")
    return instant


async def is_anyone_older(tx: AsyncSession, than: datetime) -> bool:
    """Whether a transaction that began at this instant of the database's time or before is still running."""
    return bool(await (await driver(tx)).fetchval(_BEGAN_BEFORE, than))


async def oldest(tx: AsyncSession) -> Recalculation | None:
    """The unfinished job that was asked for first; one that failed is none until it is to be tried again. Older code
    does not say when that is."""
    unfinished = text(
        "(state IN ('queued', 'running')"
        " OR state = 'failed' AND (retry_at <= now() OR retry_at IS NULL AND target IS NULL))"
    )
    return (await tx.scalars(select(Recalculation).where(unfinished).order_by(Recalculation.id).limit(1))).one_or_none()


async def fail(tx: AsyncSession, job: Recalculation, why: str, now: datetime) -> None:
    """Has a job fail; what follows by itself is tried again, the later the more often it has failed."""
    pause = func.least(RETRY_FIRST * func.power(2, func.least(Recalculation.tries, 20)), RETRY_LONGEST)
    again = func.now() + func.make_interval(0, 0, 0, 0, 0, 0, pause) if job.follows_by_itself else None
    tries = Recalculation.tries + 1
    await write(
        tx, job.id, state=JobState.FAILED, failure=why, tries=tries, retry_at=again, finished_at=now, updated_at=now
    )


async def leave(tx: AsyncSession, job: Recalculation, item: UUID, why: str, now: datetime) -> None:
    """Keeps what a job's present turn could not do, and why."""
    await (await driver(tx)).execute(_LEAVE, job.id, item, why, job.turn, now)


async def settle(tx: AsyncSession, job: Recalculation, now: datetime) -> None:
    """Marks what a job could not do in earlier turns and was not left in its present one, which is whole, as done."""
    await (await driver(tx)).execute(_SETTLE, job.id, job.turn, now)


async def progress(tx: AsyncSession, id: UUID, done: int, moved: int, breaching: int) -> None:
    """Adds to what a job has done."""
    await (await driver(tx)).execute(_PROGRESS, id, done, moved, breaching)


async def write(tx: AsyncSession, id: UUID, **values: object) -> None:
    """Writes how a job stands."""
    await tx.execute(update(Recalculation).where(Recalculation.id == id).values(**values))


async def find(tx: AsyncSession, id: UUID, unit: str | None) -> Recalculation | None:
    """The job called `id`, if a caller of `unit` may see it."""
    return (await tx.scalars(listed(unit).where(Recalculation.id == id))).one_or_none()


def listed(unit: str | None) -> Select[Any]:
    """The jobs that a caller of `unit` may see: those of it and below, and those of no unit if it is a top one."""
    ours = scope.within(Unit, unit, Recalculation.unit_code)
    return select(Recalculation).where(or_(ours, and_(Recalculation.unit_code.is_(None), scope.top_level(Unit, unit))))


async def hold_waiting(tx: AsyncSession) -> bool:
    """Whether a job for what has a line upward that was not known waits to begin; if so, it does until the transaction
    ends."""
    query = select(Recalculation.id).where(Recalculation.assumed, Recalculation.state == JobState.QUEUED)
    return (await tx.scalar(query.limit(1).with_for_update())) is not None


async def are_assumed_below(tx: AsyncSession, units: Collection[str]) -> bool:
    """Whether open appeals of `units`, or of units below them, or visits, run by a policy that is assumed."""
    return bool(await (await driver(tx)).fetchval(_ASSUMED_BELOW, list(units)))


def moved_by(job: UUID, unit: str | None) -> Select[Any]:
    """What the timelines keep of a job, of what a caller of `unit` may see."""
    # Said as the index says it: a parameter in the place of the name would not find it.
    its = literal_column("timeline.data ->> 'recalculation_id'") == str(job)
    query = select(TimelineEntry).where(its)
    return query.where(_seen_by(unit, TimelineEntry.appeal_id))


def undone_by(job: UUID, unit: str | None, *, also_settled: bool) -> Select[Any]:
    """What a job could not do, of what a caller of `unit` may see; also what it has done since, where that is asked."""
    query = select(Failure).where(Failure.recalculation_id == job, _seen_by(unit, Failure.subject_id))
    return query if also_settled else query.where(Failure.settled_at.is_(None))


def _seen_by(unit: str | None, subject: Any) -> ColumnElement[bool]:
    """Whether a caller of `unit` sees the appeal or the visit of that id."""
    if unit is None:
        return true()
    on_appeal = exists().where(Appeal.id == subject, appeals.visible(unit))
    on_visit = exists().where(Visit.id == subject, scope.within(Unit, unit, Visit.unit_code))
    return or_(on_appeal, on_visit)


async def numbers(tx: AsyncSession, ids: Collection[UUID]) -> dict[UUID, str]:
    """The numbers by which people know the appeals among `ids`."""
    rows = await tx.execute(select(Appeal.id, Appeal.appeal_no).where(Appeal.id.in_(ids)))
    return {row.id: row.appeal_no for row in rows}
