"""When no message leaves: quiet hours, and, where a route says so, days off; and when it leaves instead. Pure.

What waited leaves in the first minutes after, each person's at an instant of their own, always the same one: not all at
once, and all that waited for one person together.
"""

from collections.abc import Container
from datetime import UTC, date, datetime, time, timedelta
from zlib import crc32

import msgspec

from notifier.civil import CHINA

SPREAD = 180  # seconds, over which what waited is released


class Window(msgspec.Struct, frozen=True):
    """The part of a day that is quiet: from `begin` on, until `end` no longer; the same instant twice: none is."""

    begin: time
    end: time

    def holds(self, instant: datetime) -> bool:
        """Whether `instant` lies in it."""
        local = instant.astimezone(CHINA).time()
        if self.begin <= self.end:
            return self.begin <= local < self.end
        return local >= self.begin or local < self.end

    def until(self, instant: datetime) -> datetime:
        """The first instant, `instant` or later, outside it; in UTC."""
        if not self.holds(instant):
            return instant.astimezone(UTC)
        local = instant.astimezone(CHINA)
        day = local.date() + timedelta(days=local.time() >= self.end)
        return datetime.combine(day, self.end, CHINA).astimezone(UTC)

    def covers(self, other: "Window") -> bool:
        """Whether all of `other` lies in it; both may pass midnight."""
        minutes = range(24 * 60)
        return all(_minute(self, each) for each in minutes if _minute(other, each))


NIGHT = Window(time(21), time(8))  # 000 §7.2.5.2


class QuietHours:
    """The quiet hours in force, by kind of recipient and channel; where nothing is said, the standard's."""

    def __init__(self, rules: dict[tuple[str, str], Window]) -> None:
        self._rules = rules

    def of(self, kind: str, channel: str) -> Window:
        """When nobody of `kind` is sent anything by `channel`."""
        return self._rules.get((kind, channel), NIGHT)


def is_quiet(instant: datetime, window: Window = NIGHT) -> bool:
    """Whether `instant` lies in quiet hours."""
    return window.holds(instant)


def next_allowed(instant: datetime, window: Window = NIGHT) -> datetime:
    """The first instant, `instant` or later, outside quiet hours; in UTC."""
    return window.until(instant)


def next_morning(instant: datetime, window: Window = NIGHT) -> datetime:
    """When the quiet hours end that begin next, seen from outside them; in UTC."""
    day = instant.astimezone(CHINA).date() + timedelta(days=1)
    return datetime.combine(day, window.end, CHINA).astimezone(UTC)


def next_working(instant: datetime, window: Window, works: Container[date]) -> datetime:
    """The first instant, `instant` or later, on a working day and outside quiet hours; in UTC. A year of which nothing
    is known has no working day: then days off hold nothing up."""
    at = window.until(instant)
    for _ in range(30):
        day = at.astimezone(CHINA).date()
        if day in works:
            return at
        at = window.until(datetime.combine(day + timedelta(days=1), time(), CHINA))
    return window.until(instant)


def spread(recipient: str, channel: str) -> timedelta:
    """How long after a release `recipient`'s message leaves."""
    return timedelta(seconds=crc32(f"{channel}:{recipient}".encode()) % SPREAD)


def _minute(window: Window, minute: int) -> bool:
    at = time(minute // 60, minute % 60)
    return window.begin <= at < window.end if window.begin <= window.end else at >= window.begin or at < window.end
