"""A pool of bare connections, for hot statements: SQLAlchemy's takes 0.15 ms of processor time for each, a statement
0.04."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

Connect = Callable[[], Awaitable[asyncpg.Connection]]


class Connections:
    """At most `most` connections made by `connect`, kept when they are idle; the last one used is used first."""

    patience = 5.0  # seconds to wait for one to become free

    def __init__(self, connect: Connect, most: int) -> None:
        self._connect = connect
        self._turns = asyncio.Semaphore(most)
        self._idle: list[asyncpg.Connection] = []

    @asynccontextmanager
    async def one(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection for the length of the block. Raises `TimeoutError` while all are taken."""
        await self._turn()
        try:
            connection = await self._taken()
            try:
                yield connection
            except asyncpg.PostgresError:
                self._give_back(connection)  # refused by the server: the connection is as good as before
                raise
            except BaseException:
                connection.terminate()  # cancelled or broken: its state is unknown to us
                raise
            self._give_back(connection)
        finally:
            self._turns.release()

    async def close(self) -> None:
        """Closes those that are idle; safe twice."""
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.close(timeout=5)

    async def _turn(self) -> None:
        if not self._turns.locked():
            await self._turns.acquire()
            return
        async with asyncio.timeout(self.patience):
            await self._turns.acquire()

    async def _taken(self) -> asyncpg.Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return await self._connect()

    def _give_back(self, connection: asyncpg.Connection) -> None:
        if connection.is_in_transaction():
            connection.terminate()
        elif not connection.is_closed():
            self._idle.append(connection)
