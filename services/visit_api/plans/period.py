"""The period of a plan, a year or a month of China's calendar, and its parts. Pure."""

import calendar
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple


class Slot(NamedTuple):
    """One of so many visits in a period: the days in which it is to be made."""

    times: int
    slot: int
    due_from: date
    due_by: date


def bounds(period: str) -> tuple[date, date]:
    """The first and the last day of `2026` or `2026-10`."""
    year, _, month = period.partition("-")
    if not month:
        return date(int(year), 1, 1), date(int(year), 12, 31)
    last = calendar.monthrange(int(year), int(month))[1]
    return date(int(year), int(month), 1), date(int(year), int(month), last)


def kind(period: str) -> str:
    """`year` or `month`."""
    return "month" if "-" in period else "year"


def slots(period: str, times: int) -> list[Slot]:
    """The period in so many parts, as even as days allow, none of them empty while it has the days."""
    first, last = bounds(period)
    days = (last - first).days + 1
    edges = [first + timedelta(days=days * place // times) for place in range(times + 1)]
    return [
        Slot(times, place + 1, begins, max(begins, ends - timedelta(days=1)))
        for place, (begins, ends) in enumerate(pairwise(edges))
    ]
