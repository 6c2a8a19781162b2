"""Firing timers as the product does, and what came of it."""

import asyncio
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

from appeal_tracker.escalation.worker import Escalation
from bench.events import AT
from bench.ground import Ground
from bench.measure import Stopwatch
from bench.standing import EARLY, Standing, fresh
from chassis.clock import ManualClock
from chassis.runtime import Runtime

_FIRED = """
SELECT fire_at, fired_at FROM timers WHERE fire_at > $1 AND fire_at <= $2
"""
_WRITTEN = """
SELECT (SELECT count(*) FROM timers WHERE state = 'fired' AND fire_at = $1),
       (SELECT count(*) FROM clocks WHERE state = 'breached' AND due_at = $1),
       (SELECT count(*) FROM clocks WHERE changed_at = $1),
       (SELECT count(*) FROM timeline WHERE recorded_at = $1 AND kind LIKE 'deadline_%'),
       (SELECT count(*) FROM outbox WHERE "time" = $1)
"""

GRACE = 0.5  # seconds that a loop runs on, to fire what fell due at the end


class Running:
    """Domain time that begins at an instant and goes `speed` times as fast as the machine's, until it is stopped."""

    def __init__(self, start: datetime, speed: float = 1.0) -> None:
        self.start, self.speed = start, speed
        self._began = time.monotonic()
        self._stopped: float | None = None

    def now(self) -> datetime:
        elapsed = (self._stopped or time.monotonic()) - self._began
        return self.start + timedelta(seconds=elapsed * self.speed)

    def stop(self) -> None:
        self._stopped = time.monotonic()


class Written(NamedTuple):
    """How many rows an instant left behind, of each kind."""

    timers: int
    clocks: int
    marks: int
    timeline: int
    outbox: int


class Steadily(NamedTuple):
    """What a stretch of steady firing showed: fired a second while time ran, and how late each was committed, in
    milliseconds of the machine's time."""

    rate: float
    lateness: list[float]


@asynccontextmanager
async def fallen_due(ground: Ground, standing: Standing) -> AsyncIterator[Runtime]:
    """The tracker at the instant at which many of a set fall due, warmed up by those that did before."""
    clock = ManualClock(EARLY)
    async with fresh(ground, standing, clock) as runtime:
        await drain(runtime)
        clock.set(AT)
        await ground.rest()
        yield runtime


async def drain(runtime: Runtime) -> float:
    """Fires what is due now; returns the seconds it took."""
    worker, watch = Escalation(runtime), Stopwatch()
    while await worker.run_once():
        pass
    seconds = watch.seconds
    await worker.close()
    return seconds


async def written(runtime: Runtime, at: datetime) -> Written:
    """What was written when the domain's time stood `at` an instant at which timers were due."""
    async with runtime.db.connection() as connection:
        return Written(*await connection.fetchrow(_WRITTEN, at))


class _Watched(Escalation):
    """Notes the domain's time after each turn that had work: what it fired is committed then."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime)
        self.committed: list[datetime] = []

    async def run_once(self) -> bool:
        busy = await super().run_once()
        if busy:
            self.committed.append(self._runtime.clock.now())
        return busy


async def steadily(runtime: Runtime, clock: Running, seconds: float) -> Steadily:
    """Runs the loop for so many seconds of the machine's time, from when `clock` was made, which stands still
    afterwards. Raises RuntimeError if a timer fired early, or not at all."""
    start, worker = clock.start, _Watched(runtime)
    worker.start()
    await asyncio.sleep(seconds)
    end = clock.now()
    await asyncio.sleep(GRACE)
    await worker.stop()
    clock.stop()
    async with runtime.db.connection() as connection:
        rows = await connection.fetch(_FIRED, start, end)
    return judged([(row["fire_at"], row["fired_at"]) for row in rows], worker.committed, end, seconds, clock.speed)


def judged(
    timers: Sequence[tuple[datetime, datetime | None]],
    committed: Sequence[datetime],
    end: datetime,
    seconds: float,
    speed: float,
) -> Steadily:
    """What came of timers, each with its moment and when the turn began that fired it, given when turns were committed;
    they fell due within so many seconds until `end`."""
    lateness, in_time = list[float](), 0
    for fire_at, fired_at in timers:
        if fired_at is None:
            raise RuntimeError(f"the timer of {fire_at} was not fired")
        if fired_at < fire_at:
            raise RuntimeError(f"the timer of {fire_at} was fired early, at {fired_at}")
        at = committed[bisect_left(committed, fired_at)]
        lateness.append((at - fire_at).total_seconds() / speed * 1000)
        in_time += at <= end
    return Steadily(in_time / seconds, lateness)
