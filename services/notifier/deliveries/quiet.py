"""Quiet hours: no message leaves between 21:00 and 08:00 in China; what is due then waits for the morning. Pure."""

from datetime import UTC, datetime, time, timedelta

from notifier.civil import CHINA

BEGIN, END = time(21), time(8)  # from 21:00 on it is quiet, from 08:00 on no longer (000 §7.2.5.2)


def is_quiet(instant: datetime) -> bool:
    """Whether `instant` lies in quiet hours."""
    local = instant.astimezone(CHINA).time()
    return local >= BEGIN or local < END


def next_allowed(instant: datetime) -> datetime:
    """The first instant, `instant` or later, outside quiet hours; in UTC."""
    if not is_quiet(instant):
        return instant.astimezone(UTC)
    local = instant.astimezone(CHINA)
    day = local.date() + timedelta(days=local.time() >= BEGIN)
    return datetime.combine(day, END, CHINA).astimezone(UTC)


def next_morning(instant: datetime) -> datetime:
    """When the quiet hours end that begin next, seen from outside them; in UTC."""
    day = instant.astimezone(CHINA).date() + timedelta(days=1)
    return datetime.combine(day, END, CHINA).astimezone(UTC)
