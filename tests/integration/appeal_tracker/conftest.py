"""appeal_tracker alone, on a database of its own that each test finds with its units and published rules only."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from appeal_tracker.calendars import service as calendars
from appeal_tracker.policies import service as policies
from tests.conftest import START
from tests.integration.appeal_tracker.desk import Desk
from tests.support.databases import Databases, empty, put_aside, put_back
from tests.support.stack import Stack

# What the migrations published is kept; everything else goes.
_KEPT = ("calendar_versions", "calendar_days", "policies")
_PUBLISHED = """
DELETE FROM calendar_days d USING calendar_versions v
    WHERE (v.calendar, v.version) = (d.calendar, d.version) AND v.published_by IS NOT NULL;
DELETE FROM calendar_versions WHERE published_by IS NOT NULL;
DELETE FROM policies WHERE published_by IS NOT NULL;
"""


@pytest.fixture(scope="session")
async def tracker_alone(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """The service; made once, for making a database takes longer than a test."""
    async with Stack(databases, tmp_path_factory.mktemp("appeal_tracker"), START, names=("appeal_tracker",)) as stack:
        yield stack


@pytest.fixture(scope="session")
async def administrator(tracker_alone: Stack, databases: Databases) -> AsyncIterator[asyncpg.Connection]:
    """One connection for all tests: a new one would have to learn of every table again."""
    name = str(tracker_alone["appeal_tracker"].runtime.db.engine.url.database)
    connection = await asyncpg.connect(databases.server.dsn(database=name), statement_cache_size=0)
    yield connection
    await connection.close()


@pytest.fixture
async def owner(administrator: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """The service's database as its administrator sees it."""
    yield administrator
    await administrator.reset()
    await administrator.execute("DISCARD ALL")


async def emptied(stack: Stack, owner: asyncpg.Connection) -> None:
    """Has the service know nothing, at `START`."""
    await owner.execute(_PUBLISHED)
    await empty(owner, *_KEPT)
    for built in (calendars._built, policies._built):
        built.clear()  # what was published under the same name before is gone
    stack.clock.set(START)


async def keep(owner: asyncpg.Connection, name: str) -> None:
    """Has what the service knows now be known to `begin` by a name; no pack and no calendar was published."""
    await put_aside(owner, name, "alembic_version", *_KEPT)


async def begin(stack: Stack, owner: asyncpg.Connection, name: str) -> Desk:
    """The service at `START`, which knows what was kept under a name."""
    await emptied(stack, owner)
    await put_back(owner, name)
    return Desk(stack)


@pytest.fixture(scope="session")
async def founded(tracker_alone: Stack, administrator: asyncpg.Connection) -> str:
    """Under which the service's units are kept: it hears of them once."""
    await emptied(tracker_alone, administrator)
    await Desk(tracker_alone).found()
    await keep(administrator, "founded")
    return "founded"


@pytest.fixture
async def desk(tracker_alone: Stack, owner: asyncpg.Connection, founded: str) -> Desk:
    """The service at `START`, a Friday, with its units."""
    return await begin(tracker_alone, owner, founded)
