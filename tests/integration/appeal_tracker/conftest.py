"""appeal_tracker alone, on a database of its own that each test finds with its units and published rules only."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.conftest import START
from tests.integration.appeal_tracker.desk import Desk
from tests.support.databases import Databases
from tests.support.stack import Stack

# What the migrations published is kept, at its first version; everything else goes.
_EMPTY = """
DO $$ BEGIN EXECUTE (
    SELECT 'TRUNCATE ' || string_agg(quote_ident(tablename), ', ') FROM pg_tables
    WHERE schemaname = 'public'
        AND tablename NOT IN ('alembic_version', 'calendar_versions', 'calendar_days', 'policies')); END $$
"""


@pytest.fixture(scope="session")
async def tracker_alone(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """The service; made once, for making a database takes longer than a test."""
    async with Stack(databases, tmp_path_factory.mktemp("appeal_tracker"), START, names=("appeal_tracker",)) as stack:
        yield stack


@pytest.fixture
async def owner(tracker_alone: Stack, databases: Databases) -> AsyncIterator[asyncpg.Connection]:
    """The service's database as its administrator sees it."""
    name = str(tracker_alone["appeal_tracker"].runtime.db.engine.url.database)
    connection = await asyncpg.connect(databases.server.dsn(database=name))
    yield connection
    await connection.close()


@pytest.fixture
async def desk(tracker_alone: Stack, owner: asyncpg.Connection) -> Desk:
    """The service at `START`, a Friday, with its units."""
    await owner.execute(_EMPTY)
    tracker_alone.clock.set(START)
    its = Desk(tracker_alone)
    await its.found()
    return its
