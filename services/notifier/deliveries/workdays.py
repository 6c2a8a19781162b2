"""Which days are worked, for the routes that have messages wait for one: a committed copy of the published notices.

It decides when a message leaves that need not leave today, never when anything is due: deadlines are the tracker's.
"""

from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import yaml


class Workdays:
    """Weekdays but for the days off in `off`, and the weekend days in `worked`; of a year that nobody has written down
    yet its weekdays."""

    def __init__(self, off: set[date], worked: set[date]) -> None:
        self._off, self._worked = off, worked

    def __contains__(self, day: object) -> bool:
        assert isinstance(day, date), "days are asked for"
        return day in self._worked or (day.weekday() < 5 and day not in self._off)


@cache
def workdays() -> Workdays:
    """The days in `workdays.yaml`."""
    document: dict[int, dict[str, list[Any]]] = yaml.safe_load(
        files("notifier.deliveries").joinpath("workdays.yaml").read_text(encoding="utf-8")
    )
    days = {
        kind: {date.fromisoformat(f"{year}-{day}") for year, its in document.items() for day in its[kind]}
        for kind in ("rest", "work")
    }
    return Workdays(days["rest"], days["work"])
