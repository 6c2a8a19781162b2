"""Office hours, as a unit keeps them: weekly shifts, and days that are otherwise. Pure; times of day are China's.

Public holidays are the tracker's to know; a unit that keeps them lists them as exceptions.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from visit_api.civil import CHINA

_FARTHEST = 400  # days; longer than any office is closed

# Monday to Friday, as offices commonly have it; 000 names no hours.
SHIPPED: Mapping[str, Any] = {
    "week": [{"days": [1, 2, 3, 4, 5], "opens": "08:30", "closes": "17:30"}],
    "exceptions": [],
}


def is_open(hours: Mapping[str, Any], at: datetime) -> bool:
    """Whether the office is open at an instant."""
    day = at.astimezone(CHINA).date()
    return any(opens <= at < closes for opens, closes in _shifts(hours, day))


def open_from(hours: Mapping[str, Any], at: datetime) -> datetime | None:
    """The instant from which somebody works on what came in `at`: at once, or when the office opens next."""
    first = at.astimezone(CHINA).date()
    for day in (first + timedelta(days=each) for each in range(_FARTHEST)):
        for opens, closes in sorted(_shifts(hours, day)):
            if at < closes:
                return max(at, opens)
    return None


def _shifts(hours: Mapping[str, Any], day: date) -> Iterator[tuple[datetime, datetime]]:
    special = [each for each in hours["exceptions"] if each["date"] == day.isoformat()]
    for shift in special or (each for each in hours["week"] if day.isoweekday() in each["days"]):
        if shift["opens"] is not None:
            yield _instant(day, shift["opens"]), _instant(day, shift["closes"])


def _instant(day: date, text: str) -> datetime:
    hour, minute = map(int, text.split(":"))
    midnight = datetime(day.year, day.month, day.day, tzinfo=CHINA)
    return (midnight + timedelta(hours=hour, minutes=minute)).astimezone(UTC)
