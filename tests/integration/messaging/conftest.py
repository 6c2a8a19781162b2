"""A bus under test: every adapter behind the same fixture."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from chassis.db import Database
from chassis.messaging.bus import Bus
from chassis.messaging.embedded import EmbeddedBus
from contracts.topics import Topic
from deploy.local.databases import DatabaseUrls
from tests.faults.bus_reader import clear
from tests.integration.messaging.spine import Spine, template
from tests.support.databases import Databases

MakeBus = Callable[[], Awaitable[Bus]]
MakeTopic = Callable[..., Awaitable[str]]


@pytest.fixture(scope="session")
async def bus_database(databases: Databases) -> DatabaseUrls:
    return await databases.clone("bus")


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def connect(request: pytest.FixtureRequest, bus_database: DatabaseUrls) -> Callable[[], Bus]:
    """A new client of the bus under test."""
    if request.param == "kafka":
        from chassis.messaging.kafka import KafkaBus

        bootstrap = request.getfixturevalue("kafka").bootstrap
        return lambda: KafkaBus(bootstrap, replication=1)
    return lambda: EmbeddedBus(Database(bus_database.service, pool_size=4, name="conformance"))


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


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def bootstrap(request: pytest.FixtureRequest) -> str | None:
    """Both buses in turn: None, or the address of a broker."""
    return request.getfixturevalue("kafka").bootstrap if request.param == "kafka" else None


@pytest.fixture
async def any_spine(databases: Databases, bootstrap: str | None) -> AsyncIterator[Spine]:
    """The same on both buses in turn; nothing is on them."""
    if bootstrap is None:
        async with embedded_bus(databases) as bus, on_a_database(databases, bus) as its:
            yield its
    else:
        from chassis.messaging.kafka import KafkaBus

        await clear(bootstrap)
        async with on_a_database(databases, KafkaBus(bootstrap, replication=1)) as its:
            yield its


@asynccontextmanager
async def embedded_bus(databases: Databases) -> AsyncIterator[Bus]:
    urls = await databases.clone("bus")
    yield EmbeddedBus(Database(urls.service, pool_size=5, name="spine bus"))
    await databases.drop(urls)


@asynccontextmanager
async def on_a_database(databases: Databases, bus: Bus) -> AsyncIterator[Spine]:
    await template(databases)
    urls = await databases.clone("spine")
    async with Spine(urls.service, bus) as its:
        yield its
    await databases.drop(urls)
