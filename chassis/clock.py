"""Domain time. Everything a rule compares comes from here; leases, polling and time-outs use monotonic time instead."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import msgspec


class Clock(Protocol):
    """Says what time it is for the rules."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...

    @property
    def speed(self) -> float:
        """Seconds that pass here in a real second: what is prompt for a machine may be hours in scaled time."""
        ...


class RealClock:
    """The machine's own time."""

    speed = 1.0

    def now(self) -> datetime:
        return datetime.now(UTC)


class ManualClock:
    """Time that moves only when told to; for tests."""

    speed = 1.0

    def __init__(self, start: datetime) -> None:
        self.set(start)

    def now(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        if now.tzinfo is None:
            raise ValueError("a clock needs an aware time")
        self._now = now.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        self._now += by


class Scale(msgspec.Struct, frozen=True):
    """The scaled clock's file: virtual time was `start` at real epoch second `anchor`, and runs `speed` times as fast;
    without an anchor it stands still at `start`."""

    start: datetime
    speed: float
    anchor: float | None = None


class ScaledClock:
    """Time as the file at `path` scales it; a rewritten file is noticed within 50 ms, and never turns time back."""

    _RECHECK = 0.05  # seconds

    def __init__(self, path: Path) -> None:
        self._path = path
        self._checked = float("-inf")
        self._stamp: tuple[int, int] | None = None
        self._latest = datetime.min.replace(tzinfo=UTC)
        self._read()

    def now(self) -> datetime:
        self._read()
        scale = self._scale
        elapsed = 0.0 if scale.anchor is None else max(0.0, time.time() - scale.anchor)
        self._latest = max(self._latest, scale.start.astimezone(UTC) + timedelta(seconds=elapsed * scale.speed))
        return self._latest

    @property
    def speed(self) -> float:
        self._read()
        return self._scale.speed

    def _read(self) -> None:
        if time.monotonic() - self._checked < self._RECHECK:
            return
        self._checked = time.monotonic()
        status = self._path.stat()
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp != self._stamp:
            self._scale = msgspec.json.decode(self._path.read_bytes(), type=Scale)
            self._stamp = stamp


def clock_from(path: Path | None) -> Clock:
    """The scaled clock of the file at `path`, or the real one when there is none."""
    return RealClock() if path is None else ScaledClock(path)
