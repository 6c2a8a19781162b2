"""The pool of bare connections: what it hands on is as good as new, and there are never more than it may have."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from chassis.connections import Connections
from tests.support.databases import Databases


@pytest.fixture
async def pool(databases: Databases) -> AsyncIterator[Connections]:
    its = Connections(lambda: asyncpg.connect(databases.server.dsn()), most=2)
    yield its
    await its.close()


async def backend(pool: Connections) -> int:
    async with pool.one() as connection:
        return int(await connection.fetchval("SELECT pg_backend_pid()"))


async def test_a_connection_is_used_again(pool: Connections) -> None:
    assert await backend(pool) == await backend(pool)


async def test_a_refused_statement_spoils_nothing(pool: Connections) -> None:
    before = await backend(pool)
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with pool.one() as connection:
            await connection.fetchval("SELECT 1 / 0")
    assert await backend(pool) == before


async def test_a_cancelled_statement_takes_its_connection_with_it(pool: Connections) -> None:
    before = await backend(pool)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05), pool.one() as connection:
            await connection.fetchval("SELECT pg_sleep(60)")
    assert await backend(pool) != before


async def test_an_open_transaction_is_never_handed_on(pool: Connections) -> None:
    before = await backend(pool)
    async with pool.one() as connection:
        await connection.execute("BEGIN")
    assert await backend(pool) != before


async def test_one_that_the_server_closed_is_replaced(pool: Connections, databases: Databases) -> None:
    before = await backend(pool)
    admin = await asyncpg.connect(databases.server.dsn())
    await admin.fetchval("SELECT pg_terminate_backend($1, 5000)", before)
    await admin.close()
    assert await backend(pool) != before


async def test_there_are_no_more_than_it_may_have(pool: Connections) -> None:
    pool.patience = 0.05
    async with pool.one(), pool.one():
        with pytest.raises(TimeoutError):
            async with pool.one():
                raise AssertionError("a third connection")
    assert await backend(pool)
