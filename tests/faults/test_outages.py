"""PostgreSQL away, bus away: what callers are told meanwhile, and that everything recovers by itself."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg
import pytest

from deploy.local.kafka import Kafka
from tests.faults.conftest import Begin
from tests.faults.load import Load
from tests.support.databases import SERVICES, Databases
from tests.support.eventually import eventually
from tests.support.processes import Processes


async def test_postgresql_away(begin: Begin, databases: Databases) -> None:
    async with begin() as load:
        await load.day()
        async with asyncio.TaskGroup() as together:
            with postgresql_away(databases):
                await nothing_can_be_asked(load)
                together.create_task(load.day())
                await eventually(lambda: len(load.client.refusals) > 3)
        assert all(after is not None and int(after) > 0 for after in load.client.refusals)
        await load.end()
        assert load.services.deaths == [], "an outage is waited for"


async def test_embedded_bus_away(begin: Begin) -> None:
    async with begin(names=["visit_api"]) as load:
        async with embedded_bus_away(load.services):
            await writes_go_on(load)
        await load.audit.until_told("visit_api")
        await load.audit.told()
        assert load.services.deaths == []


@pytest.mark.long
@pytest.mark.kafka
@pytest.mark.timeout(600)
async def test_kafka_away(begin: Begin, kafka_topics: str, kafka: Kafka) -> None:
    async with begin(kafka_topics) as load:
        for _ in range(3):
            await load.day()
            with kafka_away(kafka):
                await writes_go_on(load)
        await load.end(within=120)
        assert load.services.accidents() == []


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
async def test_postgresql_dies_again_and_again(
    begin: Begin, bus: str | None, databases: Databases, how: signal.Signals
) -> None:
    chance = random.Random(how)
    async with durable(databases), begin(bus) as load:
        for _ in range(8):
            async with asyncio.TaskGroup() as together:
                together.create_task(load.day())
                await asyncio.sleep(chance.uniform(0, 1.5))  # any moment of a day's work will do
                with postgresql_away(databases, how):
                    await nothing_can_be_asked(load)
        await load.end(within=120)
        assert load.services.accidents() == []


async def nothing_can_be_asked(load: Load) -> None:
    """Every service answers 503 and when to come again; it is not ready, and lives."""
    asked = {"visit_api": "/v1/units", "appeal_tracker": "/v1/appeals", "notifier": "/v1/deliveries"}
    for service, path in asked.items():
        answer = await load.client.look(service, path)
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/service-unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        assert (await load.client.look(service, "/readyz")).status_code == 503
        assert (await load.client.look(service, "/livez")).status_code == 200


async def writes_go_on(load: Load) -> None:
    """A visit and the complaints on it are acknowledged; what is to be told of them waits, and the metrics say so."""
    before = len(load.client.ledger.of("raise"))
    await load.neglect(5)
    assert len(load.client.ledger.of("raise")) == before + 5
    assert load.client.refusals == []

    async def seen() -> bool:
        depth = await load.services.metric("visit_api", "outbox_depth", topic="visit.events")
        age = await load.services.metric("visit_api", "outbox_age_seconds", topic="visit.events")
        assert depth >= 7, depth  # planned, started, five raised
        assert age > 0
        return True

    await eventually(seen, within=30)


@contextmanager
def postgresql_away(databases: Databases, how: signal.Signals = signal.SIGINT) -> Iterator[None]:
    """The server is stopped, or its first process killed, for the length of the block."""
    server = databases.server
    cluster = server._cluster
    assert cluster is not None
    assert cluster._child is not None
    cluster._child.send_signal(how)
    server.stop()
    try:
        yield
    finally:
        server.start()


@asynccontextmanager
async def durable(databases: Databases) -> AsyncIterator[None]:
    """Commits survive the server's death, which is what the test server saves for speed."""

    async def alter(what: str) -> None:
        admin = await asyncpg.connect(databases.server.dsn())
        try:
            for name in (*SERVICES, "bus"):
                await admin.execute(f"ALTER ROLE {name}_service {what}")
        finally:
            await admin.close()

    for name in (*SERVICES, "bus"):
        await databases.template(name)
    await alter("SET synchronous_commit = on")
    try:
        yield
    finally:
        await alter("RESET synchronous_commit")


@contextmanager
def kafka_away(kafka: Kafka) -> Iterator[None]:
    kafka.stop()
    try:
        yield
    finally:
        kafka.start()


@asynccontextmanager
async def embedded_bus_away(services: Processes) -> AsyncIterator[None]:
    """Nobody gets a connection to the bus, and those there were are gone; the databases beside it are well."""
    services.altered = True
    name = services.urls["bus"].service.rpartition("/")[2]
    admin = await asyncpg.connect(services.admin("visit_api"))
    try:
        await admin.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 0")
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        yield
        await admin.execute(f"ALTER DATABASE {name} CONNECTION LIMIT -1")
    finally:
        await admin.close()
