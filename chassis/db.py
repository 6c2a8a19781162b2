"""The one place that opens transactions and commits them."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import BigInteger, DateTime, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Mapped, Synonym, declared_attr, mapped_column, synonym

from chassis import crash, instants
from chassis.outage import is_outage

__all__ = ["Database", "Tracked", "Written", "address", "after_commit", "driver", "is_outage", "lines", "meanwhile"]

log = logging.getLogger(__name__)
T = TypeVar("T")

# A dead peer must give up its locks and its place as the active relay within seconds.
_SERVER_SETTINGS = {
    "timezone": "UTC",
    "idle_in_transaction_session_timeout": "15000",
    "statement_timeout": "30000",
    "tcp_keepalives_idle": "2",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "2",
    "tcp_user_timeout": "4000",  # ms; keep-alive does not act where data wait for an acknowledgement
}
# Statements are planned while their tables are small, or empty, and stay as planned: what does for that, to look at a
# whole table and sort what is found, would be done again for each part of a flood.
_BY_INDEX = {"enable_seqscan": "off", "enable_bitmapscan": "off", "enable_sort": "off"}


class Tracked:
    """Columns by which a list can be followed: `changed_xid` is the transaction that last wrote the row, so that a
    feed can stop before the oldest running transaction and never skip a late commit."""

    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    changed_xid: Mapped[int] = mapped_column(
        BigInteger,
        server_default=text("(pg_current_xact_id()::text::bigint)"),
        onupdate=text("(pg_current_xact_id()::text::bigint)"),
    )


class Written:
    """The same for rows that are written once, at their `recorded_at`, and never change."""

    changed_xid: Mapped[int] = mapped_column(BigInteger, server_default=text("(pg_current_xact_id()::text::bigint)"))

    @declared_attr
    def updated_at(cls) -> Synonym[datetime]:  # noqa: N805 - a mixin's way to name a property of the class
        return synonym("recorded_at")


_PATIENCE = 5  # seconds until whoever gets no connection gives up


class Database:
    """One service's PostgreSQL, through one pool, of which requests take `pool_size` connections at most: however many
    there are, and however long they wait for each other, `spare` ones are left to the loops beside them. `by_index`:
    whatever is asked goes by an index and in its order, however little there was when it was planned."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        spare: int = 0,
        name: str = "customer-visit",
        by_index: bool = False,
    ) -> None:
        self._url = address(url)
        self._name = name
        self.engine = create_async_engine(
            self._url.replace("postgresql://", "postgresql+asyncpg://", 1),
            async_creator=lambda: self._connect(by_index=by_index),
            pool_size=pool_size + spare,
            max_overflow=0,
            hide_parameters=True,  # an error message must not quote what a citizen said
            pool_timeout=_PATIENCE,
        )
        self._requests = asyncio.Semaphore(pool_size)
        self._waiting, self._leisure = 0, asyncio.Event()
        self._leisure.set()
        self._waited_for = float("-inf")

    @contextmanager
    def waited_for(self) -> Iterator[None]:
        """Notes that somebody waits for what is done within: a request, an event that was heard."""
        self._waiting += 1
        self._leisure.clear()
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._leisure.set()
            self._waited_for = time.monotonic()

    def is_waited_for(self, within: float) -> bool:
        """Whether anybody has waited within so many seconds: what has time takes little at once then."""
        return self._waiting > 0 or time.monotonic() - self._waited_for < within

    async def leisure(self, patience: float) -> None:
        """Returns when nobody waits, or after so many seconds: what has time lets others go before."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._leisure.wait(), patience)

    @asynccontextmanager
    async def for_a_request(self) -> AsyncIterator[None]:
        """Waits until fewer requests than may have a connection. Raises `TimeoutError`, as the pool does."""
        with self.waited_for():
            if self._requests.locked():
                async with asyncio.timeout(_PATIENCE):
                    await self._requests.acquire()
            else:
                await self._requests.acquire()
            try:
                yield
            finally:
                self._requests.release()

    @asynccontextmanager
    async def request(self) -> AsyncIterator[AsyncSession]:
        """The transaction of a request that has no other: also of a part of an answer that is written while it is
        made, so that nobody who reads slowly holds a connection."""
        async with self.for_a_request(), self.transaction() as tx:
            yield tx

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One unit of work: commits on a clean exit, rolls back otherwise, finishes either even when cancelled."""
        session = AsyncSession(self.engine, expire_on_commit=False)
        try:
            yield session
            await _finish(session.commit())
        except BaseException:
            await _finish(session.rollback())
            raise
        finally:
            await _finish(session.close())
        crash.point("db.committed")
        for call in session.info.get("after_commit", ()):
            try:
                call()
            except Exception:  # it is stored: nobody is told otherwise, and what comes behind is not left out
                log.exception("what follows a commit failed")

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A bare asyncpg connection of the same pool, where each statement is its own commit: for hot statements."""
        connection = await self.engine.connect()
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        try:
            yield driver
        except BaseException as error:
            # A statement that the server refused leaves the connection as good as before. Otherwise (cancelled, broken,
            # shut down) its state is unknown to the pool: never hand it on.
            if not isinstance(error, asyncpg.PostgresError) or driver.is_closed():
                await _finish(connection.invalidate())
            raise
        finally:
            await _finish(connection.close())

    async def dedicated(self) -> asyncpg.Connection:
        """A connection outside the pool, for locks, listeners and loops that live as long as it does, which goes by
        indexes; the caller closes it."""
        return await self._connect(by_index=True)

    async def _connect(self, *, by_index: bool) -> asyncpg.Connection:
        connection = await asyncpg.connect(
            self._url,
            timeout=5,
            command_timeout=40,
            server_settings={
                **_SERVER_SETTINGS,
                **(_BY_INDEX if by_index else {}),
                "application_name": self._name,
            },
        )
        try:
            await instants.carry(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def ping(self) -> None:
        """Raises when the database cannot be used."""
        async with self.connection() as connection:
            await connection.fetchval("SELECT 1")

    async def close(self) -> None:
        """Closes the pool; safe twice."""
        await self.engine.dispose()


def address(url: str) -> str:
    """A database's address as the driver reads it, where it may be written for SQLAlchemy."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)


async def driver(tx: AsyncSession) -> asyncpg.Connection:
    """The bare connection of `tx`, inside its transaction: for hot statements, whose parameters are $1, $2, …"""
    connection = await tx.connection()
    its: asyncpg.Connection = (await connection.get_raw_connection()).driver_connection
    if not its.is_in_transaction():
        await tx.execute(
            text("SELECT 1")
        )  # SQLAlchemy says BEGIN with a statement of its own; the bare ones go around it
    return its


def lines(values: Iterable[object]) -> str:
    """Values of a hot statement, thousands of them, none empty nor with a line break in it, as one text for
    `string_to_array($1, E'\\n')`: in an array the driver looks at each of them four times."""
    return "\n".join(map(str, values))


async def meanwhile(statement: Coroutine[Any, Any, object], work: Callable[[], T]) -> T:
    """Does `work` while the server is at a hot statement, and returns, or raises, when both have ended."""
    asked = asyncio.create_task(statement)
    try:
        await asyncio.sleep(0)  # it is sent now
        done = work()
    except BaseException:
        await asyncio.gather(asked, return_exceptions=True)  # its connection is free then
        raise
    await asked
    return done


def after_commit(tx: AsyncSession, call: Callable[[], None]) -> None:
    """Runs `call` once when `tx` has been committed; it must not wait. Whatever it raises is logged, for
    nothing of what was committed is taken back."""
    calls = tx.info.setdefault("after_commit", {})
    calls[call] = None


async def _finish(work: Coroutine[Any, Any, None]) -> None:
    # A cancelled COMMIT or ROLLBACK leaks the connection with its locks (sqlalchemy#12099): let it end, then cancel.
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
