"""Connections to foreign places, some of them kept for the next request: the one that was used last comes first.

httpcore's own pool looks at each of its connections for each of them, at every request: with fifty under way that is
most of what a request costs.
"""

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import httpcore

log = logging.getLogger(__name__)

KEPT = 100  # connections, whomever they lead to: more than one sender has under way
KEPT_FOR = 20.0  # seconds


class Free(NamedTuple):
    """A connection that nobody uses, to whom it leads, and since when (monotonic)."""

    origin: "httpcore.Origin"
    connection: "httpcore.AsyncHTTPConnection"
    since: float


class Connections:
    """Each is used by one request at a time; how many are under way is for the callers to say."""

    def __init__(self, backend: "httpcore.AsyncNetworkBackend") -> None:
        self._backend = backend
        self._free: list[Free] = []  # in the order of `since`

    @asynccontextmanager
    async def to(
        self, origin: "httpcore.Origin", tls: SSLContext | None, *, keep: bool
    ) -> AsyncIterator["httpcore.AsyncHTTPConnection"]:
        """A connection to `origin`, kept afterwards if that is asked for and it can be used again."""
        import httpcore

        connection = await self._taken(origin) if keep else None
        if connection is None:
            connection = httpcore.AsyncHTTPConnection(origin, ssl_context=tls, network_backend=self._backend)
        try:
            yield connection
        finally:
            if keep and connection.is_available():
                self._free.append(Free(origin, connection, time.monotonic()))
            else:
                await connection.aclose()
        # What was asked has been answered: whatever an old connection says at its end is nothing to the request.
        try:
            await self._forget()
        except Exception as error:  # noqa: BLE001 - a foreign transport may end with anything; it is said
            log.warning("a connection that was kept did not close", extra={"error": repr(error)})

    async def close(self) -> None:
        """Closes those that nobody uses; safe twice."""
        while self._free:
            await self._free.pop().connection.aclose()

    async def _taken(self, origin: "httpcore.Origin") -> "httpcore.AsyncHTTPConnection | None":
        oldest = time.monotonic() - KEPT_FOR
        while free := next((each for each in reversed(self._free) if each.origin == origin), None):
            self._free.remove(free)
            if free.since > oldest and not free.connection.has_expired():
                return free.connection
            await free.connection.aclose()
        return None

    async def _forget(self) -> None:
        oldest = time.monotonic() - KEPT_FOR
        while self._free and (len(self._free) > KEPT or self._free[0].since < oldest):
            await self._free.pop(0).connection.aclose()
