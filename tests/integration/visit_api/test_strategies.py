"""Strategies are somebody's (§7.2.4)."""

import asyncpg

from tests.integration.visit_api.world import World
from tests.support.explaining import explained
from visit_api.steps.repository import open_strategies


async def started(world: World, *visitors: str) -> str:
    visit = await world.visit(visitor_ids=[*visitors])
    await world.act(visit["id"], "start")
    return str(visit["id"])


MANY = """
INSERT INTO steps (id, visit_id, unit_code, kind, content, at, recorded_at, recorded_by, content_digest, updated_at)
SELECT gen_random_uuid(), '{visit}', '37401', 'strategy', jsonb_build_object('owner', 'E' || n % 500), now(), now(),
       'E101', '', now()
FROM generate_series(1, 20000) AS n;
ANALYZE steps;
"""


async def test_whose_they_are_is_found_by_an_index(world: World, owner: asyncpg.Connection) -> None:
    await owner.execute(MANY.format(visit=await started(world)))
    async with world.runtime.db.transaction() as tx:
        plan = await explained(tx, open_strategies("374", "E101"))
    assert "steps_strategies_of" in plan, plan
