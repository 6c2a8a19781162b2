"""How the database looks for what a file names, while nothing is known yet of what it holds."""

import asyncpg

from chassis.db import lines
from tests.integration.visit_api.world import World
from visit_api.imports import repository

_LINES = "00000000-0000-0000-0000-000000000000"
_FILLING = f"""
SET LOCAL session_replication_role = replica;
INSERT INTO customers (id, name, kind, unit_code, customer_no, particulars, marks, source, source_no, version,
                       updated_at, content_digest)
SELECT gen_random_uuid(), 'x', 'government', '37401', n, '{{}}', '{{}}', 'sg186', n, 1, now(), ''
FROM generate_series(1, 20000) AS n;
INSERT INTO import_numbers SELECT '{_LINES}', n FROM generate_series(1, 20000) AS n;
"""


async def test_each_number_is_looked_for_by_itself_while_a_file_fills_its_table(
    world: World, owner: asyncpg.Connection
) -> None:
    numbers = lines(range(2000))
    looks = {repository._KNOWN: "sg186", repository._ELSEWHERE: "sg186", repository._NAMED: _LINES}
    filling = owner.transaction()
    await filling.start()
    try:
        await owner.execute(_FILLING)
        for query, its in looks.items():
            plan = "\n".join(row[0] for row in await owner.fetch(f"EXPLAIN {query}", its, numbers))
            assert "_no = number.number)" in plan, plan
            assert "_no = ANY" not in plan, plan
            assert "Seq Scan on customers" not in plan, plan
            assert "Nested Loop Anti Join" not in plan, plan
    finally:
        await filling.rollback()
