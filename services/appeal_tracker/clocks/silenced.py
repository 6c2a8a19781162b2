"""SQL of what is not told any more, or told to others."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import driver

# Of a pack: the clocks that may still tell something, and all such that are merged with them. They are locked first, in
# the order in which whoever locks several does, so that no two wait for each other.
_SILENCE = """
WITH its AS MATERIALIZED (
    SELECT id, subject_kind, subject_id, follows FROM clocks
    WHERE split_part(policy, '@', 1) = $1
      AND (state IN ('running', 'held') OR (state = 'breached' AND stopped_at IS NULL))
), leaders AS MATERIALIZED (
    SELECT follows AS id FROM its WHERE follows IS NOT NULL
    UNION SELECT f.follows FROM clocks f JOIN its ON f.follows = its.id
), members AS (
    SELECT c.id FROM clocks c JOIN leaders ON leaders.id = c.id
    UNION SELECT c.id FROM clocks c JOIN leaders ON leaders.id = c.follows
), locked AS MATERIALIZED (
    SELECT c.id, c.id IN (SELECT id FROM members) AS merged FROM clocks c
    WHERE c.id IN (SELECT id FROM its UNION ALL SELECT id FROM members)
      AND (c.state IN ('running', 'held') OR (c.state = 'breached' AND c.stopped_at IS NULL))
    ORDER BY c.id FOR NO KEY UPDATE
), silenced AS (
    UPDATE timers SET state = CASE WHEN phase = 'due' THEN timers.state ELSE 'cancelled' END,
                      tell = CASE WHEN phase = 'due' THEN '{}' ELSE tell END
    FROM locked WHERE clock_id = locked.id AND NOT locked.merged AND timers.state IN ('pending', 'held'))
SELECT (SELECT count(DISTINCT subject_id) FROM its WHERE subject_kind = 'appeal'),
       (SELECT array_agg(id) FROM locked WHERE merged)
"""

# Of clocks, the steps that are left: those that nobody names any more are never told, the others tell whom it says.
_RETELL = """
UPDATE timers t
SET state = CASE WHEN said.clock_id IS NULL THEN 'cancelled' ELSE t.state END,
    tell = CASE WHEN said.clock_id IS NULL THEN t.tell ELSE string_to_array(said.tell, ',') END
FROM timers its LEFT JOIN unnest($2::uuid[], $3::text[], $4::text[]) AS said (clock_id, step, tell)
     ON said.clock_id = its.clock_id AND said.step = its.step
WHERE its.clock_id = ANY ($1::uuid[]) AND its.state IN ('pending', 'held')
  AND t.clock_id = its.clock_id AND t.step = its.step
"""


async def silence(tx: AsyncSession, pack: str) -> tuple[int, list[UUID]]:
    """Has the clocks of a pack tell nobody of anything; but for those that are merged with others, which are locked and
    named, with all those others that may still tell something. Returns how many appeals they run on, and them."""
    row = await (await driver(tx)).fetchrow(_SILENCE, pack)
    return row[0], row[1] or []


async def retell(tx: AsyncSession, whom: Mapping[UUID, Mapping[str, Collection[str]]]) -> None:
    """Has the steps that are left of locked clocks tell whom it says, by clock and step, and the others nothing."""
    said = [(clock, step, ",".join(tell)) for clock, steps in whom.items() for step, tell in steps.items()]
    await (await driver(tx)).execute(_RETELL, [*whom], *(list(each) for each in zip(*said, strict=True)))
