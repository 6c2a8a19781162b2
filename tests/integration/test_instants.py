"""Instants on their way to the real database and back, on connections of the pool and outside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone

import asyncpg
import pytest

from chassis.db import Database
from tests.support.databases import Databases

NOON = datetime(2026, 3, 2, 12, 0, 0, 1, tzinfo=UTC)
BEIJING = timezone(timedelta(hours=8))

INSTANTS = [
    NOON,
    NOON.astimezone(BEIJING),
    datetime(1, 1, 2, tzinfo=UTC),
    datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(9999, 12, 30, 23, 59, 59, 999_999, tzinfo=UTC),
]


@pytest.fixture(params=["pool", "dedicated"])
async def connection(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[asyncpg.Connection]:
    urls = await databases.clone("appeal_tracker")
    db = Database(urls.service, pool_size=1)
    async with db.connection() if request.param == "pool" else _dedicated(db) as its:
        yield its
    await db.close()
    await databases.drop(urls)


@asynccontextmanager
async def _dedicated(db: Database) -> AsyncIterator[asyncpg.Connection]:
    connection = await db.dedicated()
    try:
        yield connection
    finally:
        await connection.close()


@pytest.mark.parametrize("instant", INSTANTS, ids=str)
async def test_an_instant_comes_back_to_the_microsecond_in_utc(
    connection: asyncpg.Connection, instant: datetime
) -> None:
    same, back, many = await connection.fetchrow(
        "SELECT $1::timestamptz = $2::text::timestamptz, $1::timestamptz, $3::timestamptz[]",
        instant,
        instant.isoformat(),
        [instant, None],
    )
    assert same
    assert (back, back.tzinfo) == (instant, UTC)
    assert many == [instant, None]


async def test_what_is_copied_is_what_was_meant(connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE TEMP TABLE copied (at timestamptz)")
    await connection.copy_records_to_table("copied", records=[(NOON,), (NOON.astimezone(BEIJING),), (None,)])
    assert await connection.fetchval("SELECT count(*) FROM copied WHERE at = $1::text::timestamptz", str(NOON)) == 2
    assert await connection.fetchval("SELECT count(*) FROM copied WHERE at IS NULL") == 1


@pytest.mark.parametrize(
    "time",
    [
        NOON.replace(tzinfo=None),
        NOON.date(),
        datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=8))),
        datetime(1, 1, 1, tzinfo=BEIJING),
    ],
    ids=str,
)
async def test_what_is_no_instant_or_has_no_year_in_utc_is_refused(
    connection: asyncpg.Connection, time: datetime
) -> None:
    with pytest.raises(asyncpg.DataError):
        await connection.fetchval("SELECT $1::timestamptz", time)
    assert await connection.fetchval("SELECT $1::timestamptz", NOON) == NOON


@pytest.mark.parametrize("never", ["infinity", "-infinity", "10000-01-01 00:00+00"])
async def test_what_no_datetime_can_hold_is_an_error_and_the_connection_goes_on(
    connection: asyncpg.Connection, never: str
) -> None:
    with pytest.raises(OverflowError):
        await connection.fetchval("SELECT $1::text::timestamptz", never)
    assert await connection.fetchval("SELECT $1::timestamptz", NOON) == NOON


async def test_what_rows_share_is_worked_out_once(connection: asyncpg.Connection) -> None:
    rows = await connection.fetch("SELECT $1::timestamptz + interval '1 s' FROM generate_series(1, 3)", NOON)
    assert len({id(row[0]) for row in rows}) == 1
