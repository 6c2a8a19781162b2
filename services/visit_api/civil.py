"""The civil day in China, by which retention and adopted rules count."""

from datetime import date, datetime

from visit_api.moments import CHINA


def day_of(instant: datetime) -> date:
    """The civil day on which something happened."""
    return instant.astimezone(CHINA).date()


def years_after(day: date, years: int) -> date:
    """The same day so many years later; of a leap day the last of February."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
