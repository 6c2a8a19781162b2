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


NUMBERS = """
INSERT INTO units (id, code, name, version, content_digest, updated_at)
VALUES (gen_random_uuid(), '37401', '', 1, '', now());
INSERT INTO customers (id, name, kind, unit_code, accounts, particulars, marks, source, source_no, customer_no, version,
                       content_digest, updated_at)
SELECT gen_random_uuid(), name, 'other.ordinary', '37401', '{}', '{}', '{}', source, number, coalesce(own, number), 1,
       '', 'epoch'
FROM (VALUES ('wide', 'sg2', E'\\u300001\\u00a0 ', NULL), ('renamed', 'sg2', '02 ', ' A2'),
             ('clean', 'sg2', '0 3', NULL), ('twin', 'sg2', '04', NULL), ('of a twin', 'sg2', '04  ', NULL),
             ('two', 'sg2', '05 ', NULL), ('alike', 'sg2', ' 05', NULL),
             ('of another', 'csg', '04 ', NULL), ('empty', 'sg2', '  ', NULL),
             ('typed in', NULL, NULL, '06 '), ('said of', 'sg2', '07 ', NULL), ('meant', 'csg', '08', NULL))
     AS its (name, source, number, own);
INSERT INTO customer_said (id, customer_id, source, source_no, said_sealed, digest, updated_at)
SELECT gen_random_uuid(), customers.id, its.source, its.number, '', '', 'epoch'
FROM (VALUES ('wide', 'sg2', E'\\u300001\\u00a0 '), ('wide', 'csg', '01 '), ('meant', 'sg2', '07'),
             ('two', 'csg', '08 '))
     AS its (name, source, number)
JOIN customers USING (name);
"""


async def test_numbers_lose_the_blanks_around_them_where_nobody_has_them_without(older: Older) -> None:
    await older.brought("0062", NUMBERS, "0063")
    found = await older.rows("SELECT name, source_no, customer_no, version FROM customers")
    assert {name: tuple(its) for name, *its in found} == {
        "wide": ("01", "01", 2),
        "renamed": ("02", " A2", 2),
        "clean": ("0 3", "0 3", 1),
        "twin": ("04", "04", 1),
        "of a twin": ("04  ", "04  ", 1),
        "two": ("05 ", "05 ", 1),
        "alike": (" 05", " 05", 1),
        "of another": ("04", "04", 2),
        "empty": ("  ", "  ", 1),
        "typed in": (None, "06 ", 1),
        "said of": ("07 ", "07 ", 1),
        "meant": ("08", "08", 1),
    }
    said = "SELECT name, s.source, s.source_no FROM customer_said AS s JOIN customers AS c ON c.id = customer_id"
    assert await older.rows(f"{said} ORDER BY 1, 2") == [
        ("meant", "sg2", "07"),
        ("two", "csg", "08 "),
        ("wide", "csg", "01"),
        ("wide", "sg2", "01"),
    ]
    behind = "SELECT count(*) FROM customers WHERE (version = 2) <> (updated_at > 'epoch')"
    assert await older.rows(behind) == [(0,)], "who changed is met by whoever follows customers"
