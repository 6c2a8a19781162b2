"""Read the days of one year in the form of holiday-cn, as committed here and as published over REST.

`{"year": 2026, "papers": [addresses of notices], "days": [{"name": "元旦", "date": "2026-01-01", "isOffDay": true}]}`

A day may name its own `source` where a later notice changed the year; otherwise it is the first paper's. Other keys
are left alone: holiday-cn files carry a `$schema`. Dates are read as dates and never pass through a time zone.
"""

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from appeal_tracker.calendars.festivals import FIRST_YEAR, LAST_YEAR, CalendarDay
from appeal_tracker.calendars.pointers import locate
from appeal_tracker.calendars.refusals import DuplicateDay, HalfYear, MalformedNotice, OutsideYear

_Text = Annotated[str, Meta(min_length=1, max_length=200)]


class _Day(msgspec.Struct):
    name: _Text
    date: date
    is_off_day: bool = msgspec.field(name="isOffDay")
    source: _Text | None = None


class _Year(msgspec.Struct):
    year: Annotated[int, Meta(ge=FIRST_YEAR, le=LAST_YEAR)]
    papers: Annotated[list[_Text], Meta(max_length=20)]
    days: Annotated[list[_Day], Meta(max_length=1000)]


class Notice(msgspec.Struct, frozen=True):
    """The listed days of one year, in order, and the notices that list them."""

    year: int
    papers: tuple[str, ...]
    days: tuple[CalendarDay, ...]


def parse_notice(document: object) -> Notice:
    """Read one year; refused, with a pointer: MalformedNotice, OutsideYear, DuplicateDay, HalfYear (no day at all)."""
    try:
        given = msgspec.convert(document, _Year)
    except msgspec.ValidationError as error:
        raise MalformedNotice(*locate(error)) from None
    if not given.days:
        raise HalfYear(given.year, ())
    days: dict[date, CalendarDay] = {}
    for index, day in enumerate(given.days):
        if day.date.year != given.year:
            raise OutsideYear(day.date, given.year, f"/days/{index}/date")
        if day.date in days:
            raise DuplicateDay(day.date, f"/days/{index}/date")
        source = day.source or next(iter(given.papers), "")
        days[day.date] = CalendarDay(day.date, not day.is_off_day, day.name, source)
    return Notice(given.year, tuple(given.papers), tuple(days[day] for day in sorted(days)))
