"""The unit of work of one request: a transaction opened when first asked for, and endpoints' ways to ask for it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Annotated, Any, Self

import asyncpg
from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import Database, after_commit, driver
from chassis.runtime import Runtime

_KEY = "unit_of_work"  # in the request's scope


class UnitOfWork:
    """At most one transaction; leaving the block commits it, an exception rolls it back."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.tx: AsyncSession | None = None
        self._stack = AsyncExitStack()

    async def transaction(self) -> AsyncSession:
        """The request's transaction."""
        if self.tx is None:
            await self._stack.enter_async_context(self.db.for_a_request())
            self.tx = await self._stack.enter_async_context(self.db.transaction())
        return self.tx

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[AsyncSession]:
        """A transaction that ends before slow work begins; the request's own where it has one (it brought an
        Idempotency-Key), since nobody who holds a connection may wait for another."""
        if self.tx is not None:
            yield self.tx
        else:
            async with self.db.request() as tx:
                yield tx

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def undo(self) -> None:
        """Forgets what was written so far."""
        if self.tx is not None:
            await self.tx.rollback()


class Statements:
    """For a hot endpoint whose whole effect is one statement: it commits by itself, in one round trip, unless the
    request has a transaction already (it brought an Idempotency-Key), and then it is part of that."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    async def fetchrow(self, sql: str, *values: Any) -> asyncpg.Record | None:
        """The first row of `sql`, whose parameters are $1, $2, …"""
        if self._work.tx is not None:
            return await (await driver(self._work.tx)).fetchrow(sql, *values)
        async with self._work.db.for_a_request(), self._work.db.connection() as connection:
            return await connection.fetchrow(sql, *values)

    async def transaction(self) -> AsyncSession:
        """The request's transaction, which all that follows is part of."""
        return await self._work.transaction()

    def committed(self, call: Callable[[], None]) -> None:
        """Runs `call` when what was written so far is stored: now, or after the transaction's commit."""
        if self._work.tx is not None:
            after_commit(self._work.tx, call)
        else:
            call()


def begin(request: Request, work: UnitOfWork) -> None:
    """Makes `work` the one that the endpoint's dependencies find."""
    request.scope[_KEY] = work


async def _runtime(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


async def _transaction(request: Request) -> AsyncSession:
    work: UnitOfWork = request.scope[_KEY]
    return await work.transaction()


async def _work(request: Request) -> UnitOfWork:
    work: UnitOfWork = request.scope[_KEY]
    return work


async def _statements(request: Request) -> Statements:
    return Statements(request.scope[_KEY])


Tx = Annotated[AsyncSession, Depends(_transaction)]
# For an endpoint that has slow things to do before it begins its transaction.
Work = Annotated[UnitOfWork, Depends(_work)]
TheRuntime = Annotated[Runtime, Depends(_runtime)]
HotStatements = Annotated[Statements, Depends(_statements)]
