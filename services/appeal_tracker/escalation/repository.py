"""The hot statements of escalation, each for a whole batch of timers.

`state = 'pending'` stands in the text, never in a parameter: under a generic plan a parameter could not use the partial
index, and a look that finds nothing would read the whole table.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

# An escalation is due with the breach that comes before it, or once that is recorded: one whose breach can never be
# recorded must not stand in the way of others.
_DUE = """
SELECT t.clock_id, t.step, t.phase, t.tell, t.fire_at, c.subject_kind, c.subject_id, c.round, c.milestone, c.due_at,
       c.state, c.stopped_at, c.late_arrival, coalesce(a.visit_id, v.id) AS visit_id,
       coalesce(a.unit_code, v.unit_code) AS unit_code,
       coalesce(a.handling_unit_code, v.unit_code) AS handling_unit_code,
       coalesce(a.handler, a.first_contact, v.visitors[1]) AS owner, a.first_contact
FROM timers t JOIN clocks c ON c.id = t.clock_id
     LEFT JOIN appeals a ON a.id = c.subject_id AND c.subject_kind = 'appeal'
     LEFT JOIN visits v ON v.id = c.subject_id AND c.subject_kind = 'visit'
WHERE t.state = 'pending' AND t.fire_at <= :now AND (t.phase <> 'after' OR c.state <> 'running' OR EXISTS (
    SELECT FROM timers d
    WHERE d.clock_id = t.clock_id AND d.state = 'pending' AND d.phase = 'due' AND d.fire_at <= :now))
"""

# Nothing here waits for a lock: what an act or another escalator holds is left for the next look. An act locks its
# appeal first and its clocks after it, and would otherwise wait for us while we wait for it. The clock is taken before
# its timer, so that whoever has a clock finds no timer of it taken by another.
CLAIM = _DUE + "ORDER BY t.fire_at LIMIT :most FOR NO KEY UPDATE OF c, t SKIP LOCKED"
_CLAIM = text(CLAIM)
_REST = text(_DUE + "AND t.clock_id = ANY (CAST(:clocks AS uuid[])) ORDER BY t.fire_at FOR NO KEY UPDATE OF t")

# A breach shows in its appeal, so lists that are followed by what changed must find it.
_TOUCH = text("""
UPDATE appeals SET updated_at = :now, changed_xid = pg_current_xact_id()::text::bigint
WHERE id IN (SELECT id FROM appeals WHERE id = ANY (CAST(:appeals AS uuid[])) FOR NO KEY UPDATE SKIP LOCKED)
RETURNING id
""")

_WRITE = text("""
WITH breached AS (
    UPDATE clocks SET state = 'breached', breached_at = :now WHERE id = ANY (CAST(:breached AS uuid[])))
UPDATE timers t SET state = f.state, fired_at = CASE f.state WHEN 'fired' THEN CAST(:now AS timestamptz) END,
    late = f.late
FROM unnest(CAST(:clocks AS uuid[]), CAST(:steps AS text[]), CAST(:states AS text[]), CAST(:late AS boolean[]))
     AS f (clock_id, step, state, late)
WHERE t.clock_id = f.clock_id AND t.step = f.step
""")


async def claim(tx: AsyncSession, now: datetime, most: int) -> Sequence[Row[Any]]:
    """The timers that are due, the earliest first, with their clocks and what is to be said of them."""
    return (await tx.execute(_CLAIM, {"now": now, "most": most})).all()


async def all_due(tx: AsyncSession, now: datetime, clocks: Collection[UUID]) -> Sequence[Row[Any]]:
    """All timers that are due of clocks that were claimed."""
    return (await tx.execute(_REST, {"now": now, "clocks": list(clocks)})).all()


async def touch(tx: AsyncSession, appeals: Collection[UUID], now: datetime) -> set[UUID]:
    """Marks appeals as changed; returns those that nobody is acting on now."""
    if not appeals:
        return set()
    return set((await tx.scalars(_TOUCH, {"appeals": list(appeals), "now": now})).all())


async def write(
    tx: AsyncSession, ended: Sequence[tuple[UUID, str, str, bool | None]], breached: Collection[UUID], now: datetime
) -> None:
    """Writes what became of claimed timers (clock, step, state, late) and which clocks they breached."""
    clocks, steps, states, late = zip(*ended, strict=True)
    values = {"clocks": clocks, "steps": steps, "states": states, "late": late}
    await tx.execute(_WRITE, {**values, "breached": list(breached), "now": now})
