"""The spine's statements are planned while nothing waits, and stay as planned when a flood comes: each part of it must
be found by an index, and nothing that waits or was published be looked through for it."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from appeal_tracker.recalculations import repository
from chassis.db import Database
from chassis.messaging import embedded, relay
from chassis.messaging.embedded import EmbeddedBus
from contracts.topics import Topic
from tests.support.databases import SERVICES, Databases
from tests.support.stack import Stack


@asynccontextmanager
async def emptied(databases: Databases, name: str) -> AsyncIterator[str]:
    """A database in which the planner knows that there is nothing."""
    urls = await databases.clone(name)
    owner = await asyncpg.connect(urls.migration)
    await owner.execute("VACUUM ANALYZE")
    await owner.close()
    yield urls.service
    await databases.drop(urls)


async def kept_plan(connection: asyncpg.Connection, sql: str) -> str:
    """The plan that a session keeps for a statement, whatever it is asked with."""
    await connection.execute(f"SET plan_cache_mode = force_generic_plan; PREPARE kept AS {sql}")
    asked = "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'kept'"
    count = await connection.fetchval(asked)
    rows = await connection.fetch(f"EXPLAIN EXECUTE kept ({', '.join(['NULL'] * count)})")
    await connection.execute("DEALLOCATE kept")
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("sql", [relay._READ, relay._MARK, repository._WAITING], ids=["read", "mark", "waiting"])
async def test_a_loop_on_its_own_connection_goes_by_the_index(databases: Databases, sql: str) -> None:
    async with emptied(databases, "appeal_tracker") as url:
        db = Database(url, pool_size=1)
        connection = await db.dedicated()
        plan = await kept_plan(connection, sql)
        await connection.close()
        await db.close()
    assert "Index" in plan
    assert "Seq Scan" not in plan
    assert "Sort" not in plan


@pytest.mark.parametrize(
    ("sql", "scan"),
    [
        (embedded._FETCH, "Index Scan using records_pkey on records"),
        (embedded._LAG, "Index Only Scan Backward using records_pkey on records"),
    ],
    ids=["fetch", "lag"],
)
async def test_the_embedded_bus_reads_on_from_a_place_by_its_index(databases: Databases, sql: str, scan: str) -> None:
    async with emptied(databases, "bus") as url:
        db = Database(url, pool_size=1, by_index=True)
        async with db.connection() as connection:
            plan = await kept_plan(connection, sql)
        await db.close()
    # Of what lies there a part is read: as much as was asked for.
    assert re.search(rf"Limit .*\n *->  {scan} ", plan), plan
    assert "Seq Scan" not in plan
    assert "Sort" not in plan


@pytest.mark.parametrize("service", SERVICES)
async def test_every_service_asks_the_embedded_bus_so(stack: Stack, service: str) -> None:
    shown = await stack[service].runtime.bus.fetchval("SHOW enable_seqscan")  # type: ignore[attr-defined]
    assert shown == "off"


async def test_what_goes_through_a_whole_topic_is_planned_for_what_there_is(databases: Databases) -> None:
    """A plan kept from an empty bus would look through the topic once for each of its records."""
    topic = Topic("t.compacted", "tests", compacted=True, retention_days=7, partitions=1)
    async with emptied(databases, "bus") as url:
        bus = EmbeddedBus(Database(url, pool_size=1, by_index=True))
        await bus.ensure([topic, log := topic._replace(name="t.log", compacted=False)])
        for _ in range(8):  # from the sixth time on a session keeps a plan
            await bus.maintain([topic, log])
        kept = await bus.fetch("SELECT statement, generic_plans FROM pg_prepared_statements")
        await bus.close()
    plans = {row["statement"]: row["generic_plans"] for row in kept}
    assert [plans[sql] for sql in (embedded._COMPACT, embedded._BURY, embedded._EXPIRE)] == [0, 0, 0]
