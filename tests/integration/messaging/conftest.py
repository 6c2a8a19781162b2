"""A bus under test: every adapter behind the same fixture."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest

from chassis.db import Database
from chassis.messaging.bus import Bus
from chassis.messaging.embedded import EmbeddedBus
from contracts.topics import Topic
from deploy.local.databases import DatabaseUrls
from deploy.local.kafka import Kafka
from tests.faults.bus_reader import clear
from tests.integration.messaging.spine import Spine, template
from tests.support.databases import Databases

MakeBus = Callable[[], Awaitable[Bus]]
MakeTopic = Callable[..., Awaitable[str]]
Away = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture(scope="session")
async def bus_database(databases: Databases) -> DatabaseUrls:
    return await databases.clone("bus")


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def broker(request: pytest.FixtureRequest) -> Kafka | None:
    """Both buses in turn: None, or the broker."""
    return request.getfixturevalue("kafka") if request.param == "kafka" else None


@pytest.fixture
def connect(broker: Kafka | None, bus_database: DatabaseUrls) -> Callable[[], Bus]:
    """A new client of the bus under test."""
    if broker is not None:
        from chassis.messaging.kafka import KafkaBus

        return lambda: KafkaBus(broker.bootstrap, replication=1)
    return lambda: EmbeddedBus(Database(bus_database.service, pool_size=4, name="conformance"))


@pytest.fixture
def away(broker: Kafka | None, bus_database: DatabaseUrls, databases: Databases) -> Away:
    """`async with away():` the bus under test cannot be reached, and whoever was connected to it is not any more."""

    @asynccontextmanager
    async def until_it_is_back() -> AsyncIterator[None]:
        if broker is None:
            async with closed_to_all(databases, bus_database):
                yield
            return
        await asyncio.to_thread(broker.stop)
        try:
            yield
        finally:
            await asyncio.to_thread(broker.start)

    return until_it_is_back


@asynccontextmanager
async def closed_to_all(databases: Databases, urls: DatabaseUrls) -> AsyncIterator[None]:
    name = urls.service.rpartition("/")[2]
    admin = await asyncpg.connect(databases.server.dsn())
    await admin.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 0")
    await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    try:
        yield
    finally:
        await admin.execute(f"ALTER DATABASE {name} CONNECTION LIMIT -1")
        await admin.close()


@pytest.fixture
async def make_bus(connect: Callable[[], Bus]) -> AsyncIterator[MakeBus]:
    """Makes one more client of the same bus, as another process would have; all are closed at the end."""
    made: list[Bus] = []

    async def make() -> Bus:
        bus = connect()
        await bus.start()
        made.append(bus)
        return bus

    yield make
    for bus in made:
        await bus.close()


@pytest.fixture
async def bus(make_bus: MakeBus) -> Bus:
    return await make_bus()


@pytest.fixture
def make_topic(bus: Bus) -> MakeTopic:
    """Makes a topic of a name of its own."""

    async def make(*, compacted: bool = False, retention_days: int = 1, partitions: int = 1) -> str:
        topic = Topic(f"t.{uuid4().hex}", "tests", compacted, retention_days, partitions)
        await bus.ensure([topic])
        return topic.name

    return make


@pytest.fixture
async def spine(databases: Databases) -> AsyncIterator[Spine]:
    """A service with nothing but plumbing, on a database and an embedded bus of its own."""
    async with embedded_bus(databases) as bus, on_a_database(databases, bus) as its:
        yield its


@pytest.fixture
async def any_spine(databases: Databases, broker: Kafka | None) -> AsyncIterator[Spine]:
    """The same on both buses in turn; nothing is on them."""
    if broker is None:
        async with embedded_bus(databases) as bus, on_a_database(databases, bus) as its:
            yield its
    else:
        from chassis.messaging.kafka import KafkaBus

        await clear(broker.bootstrap)
        async with on_a_database(databases, KafkaBus(broker.bootstrap, replication=1)) as its:
            yield its


@asynccontextmanager
async def embedded_bus(databases: Databases) -> AsyncIterator[Bus]:
    urls = await databases.lend("bus")
    yield EmbeddedBus(Database(urls.service, pool_size=5, name="spine bus"))
    databases.give_back("bus", urls)


@asynccontextmanager
async def on_a_database(databases: Databases, bus: Bus) -> AsyncIterator[Spine]:
    await template(databases)
    urls = await databases.lend("spine")
    async with Spine(urls.service, bus) as its:
        yield its
    databases.give_back("spine", urls)
