"""Of which days figures are asked for."""

from datetime import date, datetime
from typing import NamedTuple

from chassis.web.errors import FieldError, Unprocessable, Words
from visit_api.civil import day_of

LONGEST = 366  # days
_FIRST, _LAST = date(1900, 1, 1), date(9000, 12, 31)


class BadPeriod(Unprocessable):
    slug = "bad-period"
    title = Words("统计期间不合法", "Not a period that can be counted")
    detail = Words(
        "from 不晚于 to，最多 {days} 天，且在 1900 至 9000 年之间。",
        "`from` is not after `to`, {days} days at most, between the years 1900 and 9000.",
    )

    def __init__(self, *, days: int) -> None:
        super().__init__(FieldError("/from", "bad_period", self.title, "query"), days=days)


class Span(NamedTuple):
    """From which civil day to which, both included."""

    first: date
    last: date


def span(now: datetime, first: date | None, last: date | None) -> Span:
    """The days that are asked for: of this month up to today where none are given. Raises `BadPeriod`."""
    last = last or day_of(now)
    first = first or last.replace(day=1)
    if not (_FIRST <= first <= last <= _LAST and (last - first).days < LONGEST):
        raise BadPeriod(days=LONGEST)
    return Span(first, last)
