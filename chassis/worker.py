"""The one shape every loop has: `Config`, `start`, `stop`, and a `run_once` that does one bounded piece of work."""

import asyncio
import logging
import random
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TypeVar

from prometheus_client import Gauge

from chassis.outage import is_outage

log = logging.getLogger(__name__)
_waiting = Gauge("worker_waiting", "1 while a loop waits for an outage to end: database, broker, keys", ["worker"])

Item = TypeVar("Item")


class Worker(ABC):
    """A named loop over `run_once`.

    An outage makes it back off and try again for ever; any other error ends the loop, and with it the process.
    """

    class Config:
        """What a loop goes by; each adds its own, each instance has one of its own."""

        idle: float = 0.1  # seconds between two looks when there was nothing to do
        stall: float = 60.0  # seconds a single `run_once` may take before the loop counts as stuck
        longest_backoff: float = 5.0  # seconds

    config: Config

    def __init__(self, name: str) -> None:
        self.name = name
        self.config = self.Config()
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._progress = time.monotonic()  # when the present piece of work began, or is to begin after a pause
        self._outage: str | None = None

    @abstractmethod
    async def run_once(self) -> bool:
        """Does one bounded piece of work; True asks to be called again at once."""

    async def close(self) -> None:
        """Gives back what `run_once` acquired; called once."""

    def start(self) -> asyncio.Task[None]:
        """Starts the loop; the task ends when the loop is stopped, or with the error that broke it."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=self.name)
        return self._task

    async def stop(self, grace: float = 10.0) -> None:
        """Lets the running piece of work end, at most `grace` seconds; safe twice."""
        self._stopping = True
        self.wake()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=grace)
            if not self._task.done():
                self._task.cancel()
                await asyncio.wait({self._task}, timeout=grace)

    def wake(self) -> None:
        """Ends an idle wait at once."""
        self._wake.set()

    def healthy(self) -> tuple[bool, str]:
        """Whether the loop moves. Waiting for an outage to end is moving: a restart would not help."""
        if self._task is not None and self._task.done() and not self._stopping:
            return False, "ended"
        still = time.monotonic() - self._progress
        if still > self.config.stall + self.config.longest_backoff:
            return False, f"no progress for {still:.0f} s"
        return True, f"waiting: {self._outage}" if self._outage else "running"

    async def _run(self) -> None:
        try:
            while not self._stopping:
                if not await self._persist(self.run_once):
                    await self._pause(self.config.idle)
        finally:
            await self.close()

    async def _persist(self, work: Callable[[], Awaitable[bool | None]]) -> bool:
        delay = 0.05
        while not self._stopping:
            self._progress = time.monotonic()
            try:
                busy = bool(await work())
            except Exception as error:
                if not is_outage(error):
                    raise
                if self._outage is None:
                    log.warning("waiting for an outage to end", extra={"worker": self.name, "error": repr(error)})
                self._outage = repr(error)
                _waiting.labels(self.name).set(1)
                await self._pause(delay * random.uniform(0.5, 1.0))
                delay = min(delay * 2, self.config.longest_backoff)
            else:
                if self._outage is not None:
                    self._outage = None
                    _waiting.labels(self.name).set(0)
                return busy
        return False

    async def _pause(self, seconds: float) -> None:
        self._progress = time.monotonic() + seconds  # nobody is stuck who rests as long as it means to
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return
        finally:
            self._wake.clear()


async def breathing(items: Iterable[Item], longest: float = 0.001) -> AsyncIterator[Item]:
    """Gives the items one by one; after so many seconds, whoever else has work in this process has a turn."""
    began = time.monotonic()
    for item in items:
        yield item
        if time.monotonic() - began > longest:
            await asyncio.sleep(0)
            began = time.monotonic()
