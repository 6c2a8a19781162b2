"""The civil day in China, by which retention, validity and adopted rules count. Pure."""

from datetime import date, datetime, timedelta, timezone

# A fixed offset: China has kept UTC+8 without summer time since 1991, and a slim container has no zone database.
CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")


def day_of(instant: datetime) -> date:
    """The civil day on which something happened."""
    return instant.astimezone(CHINA).date()


def begins(day: date) -> datetime:
    """The instant at which a civil day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=CHINA)


def years_after(day: date, years: int) -> date:
    """The same day so many years later; of a leap day the last of February."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
