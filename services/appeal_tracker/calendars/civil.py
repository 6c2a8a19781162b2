"""Civil time in China: from an instant to the civil day it falls on, and back.

Arithmetic runs on integers. A date becomes a day number, days since 2007-01-01; an instant becomes ticks, microseconds
since that day began in China, so that `ticks // DAY` is its day number and `ticks % DAY` its time of day.
"""

from datetime import UTC, date, datetime, timedelta, timezone

# A fixed offset, not `zoneinfo`: China has kept UTC+8 without summer time since 1991-09-15, no calendar here begins
# before 2007, and a slim container has no zone database to ask. So each civil day here is 86,400 seconds long.
CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")

SECOND = 1_000_000  # in ticks
HOUR = 3600 * SECOND
DAY = 24 * HOUR
DAY_ZERO = date(2007, 1, 1)
_ZERO_ORDINAL = DAY_ZERO.toordinal()
_ZERO = datetime(2006, 12, 31, 16, tzinfo=UTC)
_TICK = timedelta.resolution


class NaiveTimeError(ValueError):
    """A time without an offset names no instant; it is refused instead of guessed from the host's zone."""

    def __init__(self, value: datetime) -> None:
        super().__init__(f"{value.isoformat()} has no UTC offset: a time must say which instant it means")
        self.value = value


def day_number(instant: datetime) -> int:
    """Return the number of the civil day an instant falls on; NaiveTimeError if it has no offset."""
    try:
        return (instant - _ZERO).days
    except TypeError:
        raise NaiveTimeError(instant) from None


def ticks_of(instant: datetime) -> int:
    """Return an instant as ticks; NaiveTimeError if it has no offset."""
    try:
        return (instant - _ZERO) // _TICK
    except TypeError:
        raise NaiveTimeError(instant) from None


def instant_of(ticks: int) -> datetime:
    """Return the UTC instant of ticks; `(number + 1) * DAY` is 24:00 of a day."""
    return _ZERO + _TICK * ticks


def number_of(day: date) -> int:
    return day.toordinal() - _ZERO_ORDINAL


def date_of(number: int) -> date:
    return date.fromordinal(_ZERO_ORDINAL + number)


def closing_day(instant: datetime) -> date:
    """Return the civil day an instant closes: midnight is 24:00 of the day that ends, not 00:00 of the next."""
    return date_of((ticks_of(instant) - 1) // DAY)


def span(first: date, last: date) -> tuple[datetime, datetime]:
    """Return the instants between which two civil days, and those between them, lie; the second is outside."""
    return instant_of(number_of(first) * DAY), instant_of((number_of(last) + 1) * DAY)


def wall_text(instant: datetime) -> str:
    """Write an instant as deadlines are written on paper: `2026-10-19 24:00`, never `2026-10-20 00:00`."""
    if ticks_of(instant) % DAY == 0:
        return f"{closing_day(instant)} 24:00"
    local = instant.astimezone(CHINA)
    return f"{local:%Y-%m-%d %H:%M:%S}" if local.second else f"{local:%Y-%m-%d %H:%M}"
