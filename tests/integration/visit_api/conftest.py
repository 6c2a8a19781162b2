"""visit_api alone, on a database of its own that each test finds empty but for the units and the staff."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.conftest import START
from tests.integration.visit_api.told import copied, on_record
from tests.integration.visit_api.world import World
from tests.support.databases import Databases, empty, put_aside, put_back
from tests.support.stack import Stack


@pytest.fixture(scope="session")
async def stack_of_one(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """The service; made once, for making a database takes longer than a test."""
    async with Stack(databases, tmp_path_factory.mktemp("visit_api"), START, names=("visit_api",)) as stack:
        yield stack


@pytest.fixture(scope="session")
async def administrator(stack_of_one: Stack, databases: Databases) -> AsyncIterator[asyncpg.Connection]:
    """One connection for all tests: a new one would have to learn of every table again."""
    name = str(stack_of_one["visit_api"].runtime.db.engine.url.database)
    connection = await asyncpg.connect(databases.server.dsn(database=name), statement_cache_size=0)
    yield connection
    await connection.close()


@pytest.fixture
async def owner(administrator: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """The service's database as its administrator sees it."""
    yield administrator
    await administrator.reset()
    await administrator.execute("DISCARD ALL")


_KEPT = "data_keys"  # the service remembers its keys


@pytest.fixture(scope="session")
async def founded(stack_of_one: Stack, administrator: asyncpg.Connection) -> str:
    """Under which the company is put aside, once it was made, and told of."""
    await empty(administrator, _KEPT)
    stack_of_one.clock.set(START)
    await World(stack_of_one).found()
    await stack_of_one.settle()
    await put_aside(administrator, "founded", "alembic_version", _KEPT)
    return "founded"


@pytest.fixture
async def told_whole(world: World) -> AsyncIterator[None]:
    """After the test, whoever built a copy from what was told from the beginning has units, staff and customers as they
    are."""
    yield
    await world.stack.settle()
    told, there = await copied(world), await on_record(world)
    assert {key: told.get(key) for key in there} == there
    assert told.keys() == there.keys(), "nothing is told of that is not there, or is gone"


@pytest.fixture
async def world(stack_of_one: Stack, owner: asyncpg.Connection, founded: str) -> World:
    """A small power company at `START`."""
    await empty(owner, _KEPT)
    await put_back(owner, founded)
    stack_of_one.clock.set(START)
    return World(stack_of_one)
