"""The hot statements of escalation, each for a whole batch of timers.

`state = 'pending'` stands in the text, never in a parameter: under a generic plan a parameter could not use the partial
index, and a look that finds nothing would read the whole table.
"""

from collections.abc import Collection, Sequence, Set
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals.models import TOLD_VISIT
from appeal_tracker.clocks.ladders import PACKS, SILENT
from chassis.db import driver, lines


class Due(msgspec.Struct, frozen=True, gc=False):
    """A timer that is due, with its clock and what is to be said of it; `silent`: its pack was withdrawn; `packs`:
    those by which it is told; `set_at`: where its moment had passed by then, it could not fire before. One of
    thousands: nothing in it refers back."""

    clock_id: UUID
    step: str
    phase: str
    tell: list[str]
    fire_at: datetime
    subject_kind: str
    subject_id: UUID
    round: int
    milestone: str
    due_at: datetime
    state: str
    stopped_at: datetime | None
    late_arrival: bool
    visit_id: UUID | None
    unit_code: str
    handling_unit_code: str
    owner: str | None
    first_contact: str | None
    silent: bool
    packs: list[str]
    set_at: datetime | None


# What is asked most often, and nearly always in vain: it has no parameter, so that it is planned once, by its index.
NEXT = "SELECT fire_at FROM timers WHERE state = 'pending' ORDER BY fire_at LIMIT 1"
NEXT_FROM = "SELECT fire_at FROM timers WHERE state = 'pending' AND fire_at >= $1 ORDER BY fire_at LIMIT 1"

_DUE = f"""
SELECT t.clock_id, t.step, t.phase, CASE WHEN {SILENT} THEN '{{}}' ELSE t.tell END AS tell, t.fire_at,
       c.subject_kind, c.subject_id, c.round, c.milestone, c.due_at,
       c.state, c.stopped_at, c.late_arrival, coalesce({TOLD_VISIT}, v.id) AS visit_id,
       coalesce(a.unit_code, v.unit_code) AS unit_code,
       coalesce(a.handling_unit_code, v.unit_code) AS handling_unit_code,
       coalesce(a.handler, a.first_contact, v.visitors[1]) AS owner, a.first_contact, {SILENT} AS silent,
       {PACKS} AS packs, t.set_at
FROM timers t JOIN clocks c ON c.id = t.clock_id
     LEFT JOIN appeals a ON a.id = c.subject_id AND c.subject_kind = 'appeal'
     LEFT JOIN visits v ON v.id = c.subject_id AND c.subject_kind = 'visit'
WHERE t.state = 'pending' AND t.fire_at <= $1
"""  # noqa: S608 - made of constants

# Nothing here waits for a lock: what an act or another escalator holds is left for the next look. An act locks its
# appeal first and its clocks after it, and would otherwise wait for us while we wait for it. The clock is taken before
# its timer, so that whoever has a clock finds no timer of it taken by another.
CLAIM = f"""{_DUE} AND t.fire_at >= $3 AND uuid_hash(t.clock_id) & ($4 - 1) = $5
ORDER BY t.fire_at LIMIT $2 FOR NO KEY UPDATE OF c, t SKIP LOCKED
"""
_REST = _DUE + "AND t.clock_id = ANY ($2::uuid[]) ORDER BY t.fire_at FOR NO KEY UPDATE OF t"

# Which are held is told only where some are not; what a statement counts it holds no less.
_HOLD = r"""
SELECT CASE WHEN count(*) < $2 THEN coalesce(array_agg(id), '{}') END
FROM (SELECT id FROM appeals WHERE id = ANY (string_to_array($1, E'\n')::uuid[]) FOR NO KEY UPDATE SKIP LOCKED) AS free
"""

# A breach shows in its appeal, so lists that are followed by what changed must find it: by its clock, whose row is
# written anyway. The appeal's own would be written anew in all its indexes.
_WRITE = """
WITH breached AS (
    UPDATE clocks SET state = 'breached', breached_at = $1, changed_at = $1,
                      changed_xid = (SELECT pg_current_xact_id()::text::bigint)
    WHERE id = ANY (string_to_array($2, E'\\n')::uuid[]))
UPDATE timers t SET state = CASE WHEN f.late IS NULL THEN 'cancelled' ELSE 'fired' END,
                    fired_at = CASE WHEN f.late IS NOT NULL THEN $1::timestamptz END, late = f.late
FROM unnest(string_to_array($3, E'\\n')::uuid[], string_to_array($4, E'\\n'),
            string_to_array($5, E'\\n', 'None')::boolean[]) AS f (clock_id, step, late)
WHERE t.clock_id = f.clock_id AND t.step = f.step
"""


async def next_moment(connection: asyncpg.Connection, floor: datetime | None = None) -> datetime | None:
    """When the next timer is due, be it that it cannot end then, of those at or above `floor`; None where all have
    ended. With a floor, what ended below it and is kept by an old reader is not passed once more."""
    asked = connection.fetchval(NEXT) if floor is None else connection.fetchval(NEXT_FROM, floor)
    moment: datetime | None = await asked
    return moment


class Share(NamedTuple):
    """A part of all clocks: one of so many, which is a power of two."""

    number: int = 0
    of: int = 1


async def claim(tx: AsyncSession, since: datetime, now: datetime, most: int, share: Share) -> list[Due]:
    """The timers of a share that have been due `since` an instant, the earliest first, with their clocks and what is to
    be said of them. What has ended stays in the index as long as the oldest reader, and is not to be passed for each
    batch."""
    rows = await (await driver(tx)).fetch(CLAIM, now, most, since, share.of, share.number)
    return [Due(*row) for row in rows]


async def all_due(tx: AsyncSession, now: datetime, clocks: Collection[UUID]) -> list[Due]:
    """All timers that are due of clocks that were claimed."""
    return [Due(*row) for row in await (await driver(tx)).fetch(_REST, now, list(clocks))]


async def hold(tx: AsyncSession, appeals: Set[UUID]) -> set[UUID]:
    """Has nobody act on some appeals until the transaction ends; returns those on which somebody is acting now."""
    if not appeals:
        return set()
    held = await (await driver(tx)).fetchval(_HOLD, lines(appeals), len(appeals))
    return set() if held is None else {*appeals}.difference(held)


async def write(
    tx: AsyncSession, ended: Sequence[tuple[UUID, str, bool | None]], breached: Collection[UUID], now: datetime
) -> None:
    """Writes which claimed timers (clock, step) fired, late or not, and which are cancelled (None); and which clocks
    they breached, which are marked as changed."""
    await (await driver(tx)).execute(_WRITE, now, lines(breached), *map(lines, zip(*ended, strict=True)))
