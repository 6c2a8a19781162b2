"""SQL of what is not told any more, or told to others."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import driver

# Of a pack: the clocks that may still tell something; and such of them as are merged, with those that they are merged
# with. These are locked, in the order in which whoever locks several does, so that no two wait for each other.
_RUNS_BY_IT = """
SELECT id, subject_kind, subject_id, follows FROM clocks
WHERE split_part(policy, '@', 1) = $1
  AND (state IN ('running', 'held') OR (state = 'breached' AND stopped_at IS NULL))
"""
_COUNT = f"SELECT count(DISTINCT subject_id) FROM ({_RUNS_BY_IT}) AS its WHERE subject_kind = 'appeal'"  # noqa: S608
_MERGED = f"""
WITH its AS MATERIALIZED ({_RUNS_BY_IT}), leaders AS MATERIALIZED (
    SELECT follows AS id FROM its WHERE follows IS NOT NULL
    UNION SELECT f.follows FROM clocks f JOIN its ON f.follows = its.id
)
SELECT c.id FROM clocks c
WHERE c.id IN (SELECT id FROM leaders UNION SELECT f.id FROM clocks f JOIN leaders ON leaders.id = f.follows)
  AND (c.state IN ('running', 'held') OR (c.state = 'breached' AND c.stopped_at IS NULL))
ORDER BY c.id FOR NO KEY UPDATE
"""  # noqa: S608 - made of constants

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


async def running_by(tx: AsyncSession, pack: str) -> int:
    """How many appeals have clocks of a pack that would still tell something."""
    return int(await (await driver(tx)).fetchval(_COUNT, pack))


async def merged_with(tx: AsyncSession, pack: str) -> list[UUID]:
    """The clocks that would still tell something and are merged with some of a pack, those too; locked."""
    return [row[0] for row in await (await driver(tx)).fetch(_MERGED, pack)]


async def retell(tx: AsyncSession, whom: Mapping[UUID, Mapping[str, Collection[str]]]) -> None:
    """Has the steps that are left of locked clocks tell whom it says, by clock and step, and the others nothing."""
    said = [(clock, step, ",".join(tell)) for clock, steps in whom.items() for step, tell in steps.items()]
    await (await driver(tx)).execute(_RETELL, [*whom], *(list(each) for each in zip(*said, strict=True)))
