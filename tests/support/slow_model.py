"""A slow and obvious model of how periods are counted, to judge the engine by.

It shares nothing with the engine: it reads `chinese_calendar`, keeps wall-clock times of China without zones, and walks
day by day and minute by minute. Starts and holds lie on whole minutes, so that walking minutes is exact.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

import chinese_calendar

from appeal_tracker.calendars.period import Period, Unit

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


class Model:
    """Counts on its fingers. All times are what a wall clock in China shows, without a zone."""

    def __init__(self, flipped: frozenset[date], holds: Sequence[tuple[datetime, datetime]]) -> None:
        self.flipped, self.holds = flipped, holds

    def works(self, day: date) -> bool:
        works: bool = chinese_calendar.is_workday(day) != (day in self.flipped)
        return works

    def held(self, since: datetime, until: datetime) -> bool:
        return any(begins <= since and until <= ends for begins, ends in self.holds)

    def days(self, start: datetime, period: Period) -> Iterator[date]:
        """Yield the days that count."""
        day, left = start.date(), period.count
        while left:
            day += DAY
            midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall clock's time
            if self.held(midnight, midnight + DAY):
                continue
            if (period.unit is Unit.WORKING_DAYS or left == 1) and not self.works(day):
                continue
            left -= 1
            yield day

    def after_minutes(self, start: datetime, minutes: int) -> datetime:
        now = start
        while minutes:
            minutes -= not self.held(now, now + MINUTE)
            now += MINUTE
        return now

    def due(self, start: datetime, period: Period) -> datetime:
        if period.unit is Unit.HOURS:
            return self.after_minutes(start, period.count * 60)
        *_, last = self.days(start, period)
        return datetime(last.year, last.month, last.day) + timedelta(microseconds=period.closes)  # noqa: DTZ001

    def part(self, start: datetime, period: Period, quarters: int) -> datetime:
        """Return when so many quarters of the period have passed."""
        if period.unit is Unit.HOURS:
            return self.after_minutes(start, period.count * 15 * quarters)
        minutes = ((period.count - 1) * 1440 + period.closes // 60_000_000) * quarters
        assert minutes % 4 == 0
        minutes //= 4
        for day in self.days(start, period):
            if minutes <= 1440:
                return datetime(day.year, day.month, day.day) + minutes * MINUTE  # noqa: DTZ001
            minutes -= 1440
        raise AssertionError("more quarters than the period has")


def in_utc(wall: datetime) -> datetime:
    return (wall - timedelta(hours=8)).replace(tzinfo=UTC)


def on_the_wall(instant: datetime) -> datetime:
    """What a wall clock in China shows at an instant."""
    return (instant.astimezone(UTC) + timedelta(hours=8)).replace(tzinfo=None)
