"""SQL of the visits."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Uuid, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.directory.models import Unit
from appeal_tracker.visits.hearing import News
from appeal_tracker.visits.models import Visit
from chassis import scope
from chassis.db import driver

# What is not said is kept as it was. An array of arrays cannot be unnested by rows: visitors travel joined. Rows are
# taken in the order of their ids, so that no two batches wait for each other.
_KEEP = """
INSERT INTO visits (id, unit_code, visitors, window_from, window_to, appointed_at, arrived_at, started_at, completed_at,
                    cancelled_at, missed_at, archived_at, updated_at)
SELECT n.id, n.unit_code, string_to_array(n.visitors, chr(31)), n.window_from, n.window_to,
       n.appointed_at, n.arrived_at, n.started_at, n.completed_at, n.cancelled_at, n.missed_at, n.archived_at, $13
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
            $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[],
            $12::timestamptz[])
     AS n (id, unit_code, visitors, window_from, window_to, appointed_at, arrived_at, started_at, completed_at,
           cancelled_at, missed_at, archived_at)
ORDER BY n.id
ON CONFLICT (id) DO UPDATE SET
    unit_code = excluded.unit_code,
    visitors = coalesce(excluded.visitors, visits.visitors),
    window_from = coalesce(excluded.window_from, CASE WHEN visits.id <> ALL ($14::uuid[]) THEN visits.window_from END),
    window_to = coalesce(excluded.window_to, CASE WHEN visits.id <> ALL ($14::uuid[]) THEN visits.window_to END),
    appointed_at = coalesce(excluded.appointed_at, visits.appointed_at),
    arrived_at = coalesce(excluded.arrived_at, visits.arrived_at),
    started_at = coalesce(excluded.started_at, visits.started_at),
    completed_at = coalesce(excluded.completed_at, visits.completed_at),
    cancelled_at = coalesce(excluded.cancelled_at, visits.cancelled_at),
    missed_at = coalesce(excluded.missed_at, visits.missed_at),
    archived_at = coalesce(excluded.archived_at, visits.archived_at),
    updated_at = excluded.updated_at
"""

# Also of a visit that was not heard of yet: who hears of it now waits, and then sees what is being changed.
_TAKE = """
INSERT INTO visits (id, unit_code, updated_at) SELECT id, unit_code, $3 FROM unnest($1::uuid[], $2::text[])
    AS v (id, unit_code) ORDER BY id
ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at
"""

# Asked of every batch of appeals, and nearly always in vain.
_OVER = "SELECT id FROM visits WHERE id = ANY ($1::uuid[]) AND completed_at IS NOT NULL"

# Those on which something begins or may begin by what is known of them; see `Visit.is_open`.
_OPEN = """
FROM visits
WHERE archived_at IS NULL AND cancelled_at IS NULL AND missed_at IS NULL
  AND (window_from IS NOT NULL OR completed_at IS NOT NULL)
  AND (NOT $1 OR policy_assumed) AND ($2::text[] IS NULL OR unit_code = ANY ($2))
"""
_COUNT_OPEN = f"""SELECT count(*), min(id::text COLLATE "C")::uuid {_OPEN}"""
_NEXT_OPEN = f"SELECT id {_OPEN} AND id > $3 ORDER BY id LIMIT $4"
_ASSUME = """
UPDATE visits v SET policy_assumed = n.assumed FROM unnest($1::uuid[], $2::boolean[]) AS n (id, assumed)
WHERE v.id = n.id
"""

_ENDED = """
SELECT (data ->> 'clock_id')::uuid FROM timeline
WHERE appeal_id = ANY ($1::uuid[]) AND kind = 'deadline_cancelled' AND data ->> 'recalculation_id' IS NOT NULL
"""


async def keep(tx: AsyncSession, news: Sequence[News], now: datetime) -> None:
    """Stores what was heard of visits, one entry for each, and holds them until the transaction ends."""
    await (await driver(tx)).execute(
        _KEEP,
        [each.visit_id for each in news],
        [each.unit_code for each in news],
        [None if each.visitors is None else "\x1f".join(each.visitors) for each in news],
        [each.window_from for each in news],
        [each.window_to for each in news],
        [each.appointed_at for each in news],
        [each.arrived_at for each in news],
        [each.started_at for each in news],
        [each.completed_at for each in news],
        [each.cancelled_at for each in news],
        [each.missed_at for each in news],
        [each.archived_at for each in news],
        now,
        [each.visit_id for each in news if each.unappointed],
    )


async def take(tx: AsyncSession, visits: Mapping[UUID, str], now: datetime) -> Sequence[Visit]:
    """Visits by their units, held until the transaction ends, heard of or not."""
    await (await driver(tx)).execute(_TAKE, [*visits], [*visits.values()], now)
    return await hold(tx, visits)


async def over(tx: AsyncSession, ids: Collection[UUID]) -> list[UUID]:
    """Those of the visits called `ids` that are over."""
    return [row["id"] for row in await (await driver(tx)).fetch(_OVER, [*ids])]


async def hold(tx: AsyncSession, ids: Collection[UUID]) -> Sequence[Visit]:
    """The visits called `ids`, held until the transaction ends."""
    query = select(Visit).where(Visit.id == any_(literal([*ids], ARRAY(Uuid)))).order_by(Visit.id)
    held = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return (await tx.scalars(held)).all()


async def among(tx: AsyncSession, ids: Collection[UUID]) -> Sequence[Visit]:
    """The visits among some subjects, as they are just now."""
    query = select(Visit).where(Visit.id == any_(literal([*ids], ARRAY(Uuid)))).order_by(Visit.id)
    return (await tx.scalars(query)).all()


async def find(tx: AsyncSession, id: UUID, unit: str | None) -> Visit | None:
    """A visit that a caller of `unit` may see: it was made by a unit there or below."""
    query = select(Visit).where(Visit.id == id, scope.within(Unit, unit, Visit.unit_code))
    return (await tx.scalars(query)).one_or_none()


async def count_open(tx: AsyncSession, units: list[str] | None, *, assumed: bool) -> tuple[int, UUID | None]:
    """How many visits are open, of some units, or whose line upward was not known; and the first of them."""
    row = await (await driver(tx)).fetchrow(_COUNT_OPEN, assumed, units)
    return row[0], row[1]


async def next_open(tx: AsyncSession, units: list[str] | None, after: UUID, most: int, *, assumed: bool) -> list[UUID]:
    """The next of them, in the order of their ids."""
    return [row[0] for row in await (await driver(tx)).fetch(_NEXT_OPEN, assumed, units, after, most)]


async def still_open(tx: AsyncSession, ids: Collection[UUID], *, lock: bool) -> Sequence[Visit]:
    """Those of some visits that are open; `lock` holds them, and leaves out what others hold."""
    query = select(Visit).where(Visit.id == any_(literal([*ids], ARRAY(Uuid)))).order_by(Visit.id)
    if lock:
        query = query.with_for_update(key_share=True, skip_locked=True)
    found = await tx.scalars(query.execution_options(populate_existing=True))
    return [visit for visit in found if visit.is_open]


async def assume(tx: AsyncSession, visits: Mapping[UUID, bool]) -> None:
    """Writes of held visits whether their policies are assumed."""
    if visits:
        await (await driver(tx)).execute(_ASSUME, [*visits], [*visits.values()])


async def ended_by_recalculations(tx: AsyncSession, visits: Collection[UUID]) -> set[UUID]:
    """The clocks of some visits that a recalculation ended, by their timelines."""
    return {row[0] for row in await (await driver(tx)).fetch(_ENDED, [*visits])}
