"""Long lists of what a small unit has are found by its unit, not by looking at everybody's."""

from typing import Any

import asyncpg
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from tests.integration.visit_api.world import World
from tests.support.explaining import explained
from visit_api.attachments import repository as attachments
from visit_api.steps import repository as steps

MANY = """
INSERT INTO steps (id, visit_id, unit_code, kind, content, at, recorded_at, recorded_by, content_digest, updated_at)
SELECT gen_random_uuid(), '{visit}', CASE WHEN n % 2000 = 0 THEN '37401' ELSE '37402' END, 'publicise', '{{}}', now(),
       now(), 'E101', '', now()
FROM generate_series(1, 20000) AS n;
INSERT INTO attachments (id, visit_id, unit_code, name, kind, size, sha256, state, declared_by, declared_at, version,
                         content_digest, updated_at)
SELECT id, visit_id, unit_code, 'a', 'photo', 1, '', 'uploading', 'E101', now(), 1, '', now() FROM steps;
ANALYZE steps;
ANALYZE attachments;
"""


class Explaining:
    """A window that keeps how its list would be found."""

    plan = ""

    async def fetch(self, tx: AsyncSession, query: Select[Any], entity: Any) -> None:
        self.plan = await explained(tx, query.order_by(entity.id).limit(51))


async def test_what_a_unit_has_is_found_by_an_index(world: World, owner: asyncpg.Connection) -> None:
    await owner.execute(MANY.format(visit=(await world.visit())["id"]))
    window: Any = Explaining()
    async with world.runtime.db.transaction() as tx:
        await steps.seen(tx, "37401", window, kind=None, current=None)
        assert "steps_unit_code" in window.plan, window.plan
        await attachments.find_all(tx, "37401", window, None)
        assert "attachments_unit_code" in window.plan, window.plan
