"""What an older revision stored is brought by the newer ones to what they go by."""

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from chassis import migrate
from tests.support.databases import Databases

STAFF = """
INSERT INTO units (id, code, name, parent_code, version, content_digest, updated_at)
SELECT gen_random_uuid(), code, '', parent, 1, '', now()
FROM (VALUES ('374', NULL), ('37401', '374'), ('37402', '374'), ('37403', '374')) AS its (code, parent);
INSERT INTO staff (id, staff_no, name, unit_code, roles, active, version, content_digest, updated_at)
SELECT gen_random_uuid(), staff_no, '', unit, '{}', true, 1, '', now()
FROM (VALUES ('E101', '37402'), ('E102', '37402'), ('E103', '37402')) AS its (staff_no, unit);
INSERT INTO customers (id, name, kind, unit_code, accounts, particulars, marks, version, content_digest, updated_at)
SELECT gen_random_uuid(), '', 'other.important', code, '{}', '{}', '{}', 1, '', now() FROM units;
INSERT INTO visits (id, customer_id, unit_code, channel, direction, form, state, scheduled_at, visitor_ids, preparation,
                    version, content_digest, updated_at)
SELECT gen_random_uuid(), customers.id, unit_code, 'phone', 'outbound', 'ordinary', 'planned', now(), visitors, '{}',
       1, '', now()
FROM (VALUES ('37401', ARRAY['E101', 'E999']), ('37402', ARRAY['E101']), ('374', ARRAY['E101', 'E102']))
     AS its (code, visitors)
JOIN customers ON customers.unit_code = its.code;
INSERT INTO staff_hand_overs (id, staff_no, to_staff_no, unit_code, reason, leaves, visits, obligations, measures,
                              recorded_at, recorded_by, content_digest, updated_at)
SELECT gen_random_uuid(), staff_no, 'E102', unit, '轮岗', false, 0, 0, 0, now(), 'E001', '', now()
FROM (VALUES ('E103', '374'), ('E103', '37403'), ('E103', '37402')) AS its (staff_no, unit);
"""


class Older:
    """A database of an older revision."""

    def __init__(self, url: str, connection: asyncpg.Connection) -> None:
        self.url, self.connection = url, connection

    async def brought(self, before: str, script: str, to: str) -> None:
        """Has what `script` stored at one revision brought to another."""
        await migrate.upgrade("visit_api", self.url, before)
        await self.connection.execute(script)
        await migrate.upgrade("visit_api", self.url, to)

    async def rows(self, query: str) -> list[tuple[object, ...]]:
        return [tuple(row) for row in await self.connection.fetch(query)]


@pytest.fixture
async def older(databases: Databases) -> AsyncIterator[Older]:
    url = databases.server.ensure_database(f"older_{uuid4().hex}").migration
    connection = await asyncpg.connect(url)
    yield Older(url, connection)
    await connection.close()


async def test_where_staff_were_is_told_by_their_visits_and_hand_overs(older: Older) -> None:
    await older.brought("0059", STAFF, "0061")
    found = await older.rows("SELECT staff_no, unit_code FROM staff_leavings ORDER BY 1, 2")
    assert found == [("E101", "37401"), ("E103", "374"), ("E103", "37403")], (
        "but not that they were of the unit above, for which they visited"
    )
    await older.connection.execute("UPDATE staff SET unit_code = '37401' WHERE staff_no = 'E102'")
    assert ("E102", "37402") in await older.rows("SELECT staff_no, unit_code FROM staff_leavings")
