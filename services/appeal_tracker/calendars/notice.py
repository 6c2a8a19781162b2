"""Read the days of one year in the form of holiday-cn, as committed here and as published over REST.

`{"year": 2026, "papers": [addresses of notices], "days": [{"name": "元旦", "date": "2026-01-01", "isOffDay": true}]}`

A day may name its own `source` where a later notice changed the year; otherwise it is the first paper's. The `$schema`
and `$id` of holiday-cn files are left alone. Dates are read as dates and never pass through a time zone.
"""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from appeal_tracker.calendars.festivals import FIRST_YEAR, LAST_YEAR, CalendarDay
from appeal_tracker.calendars.pointers import LINE, locate
from appeal_tracker.calendars.refusals import DuplicateDay, HalfYear, MalformedNotice, OutsideYear

T = TypeVar("T")
_Text = Annotated[str, Meta(min_length=1, max_length=200, pattern=LINE)]


class _Day(msgspec.Struct, forbid_unknown_fields=True):
    name: _Text
    date: date
    is_off_day: bool = msgspec.field(name="isOffDay")
    source: _Text | None = None


_Days = Annotated[list[_Day], Meta(max_length=1000)]
_Papers = Annotated[list[_Text], Meta(max_length=20)]
_YearNumber = Annotated[int, Meta(ge=FIRST_YEAR, le=LAST_YEAR)]


class _Document(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What files of holiday-cn say of themselves."""

    schema: _Text | None = msgspec.field(name="$schema", default=None)
    id: _Text | None = msgspec.field(name="$id", default=None)


class _Year(_Document, kw_only=True):
    year: _YearNumber
    papers: _Papers
    days: _Days


class OverlaidYear(_Document, kw_only=True):
    """All that a calendar says about one year, in the holiday-cn form. An overlay names what it `extends` beside it,
    and lists only what it adds or takes away. `year` and `papers` may be left out by an overlay only: the year is then
    that of the first day, and each day names its own `source`."""

    days: _Days
    year: _YearNumber | None = None
    papers: _Papers = []
    extends: _Text | None = None


class Notice(msgspec.Struct, frozen=True):
    """The listed days of one year, in order, and the notices that list them; `extends` as an overlay names it."""

    year: int
    papers: tuple[str, ...]
    days: tuple[CalendarDay, ...]
    extends: str | None = None


def parse_notice(document: object) -> Notice:
    """Read one year; refused, with a pointer: MalformedNotice, OutsideYear, DuplicateDay, HalfYear (no day at all)."""
    given = _read(document, _Year)
    if not given.days:
        raise HalfYear(given.year, ())
    return Notice(given.year, tuple(given.papers), _listed(given.days, given.year, given.papers))


def parse_overlay(document: object) -> Notice:
    """Read what an overlay says of one year: any days, or none; the year may be left to the first of them.

    Refused, with a pointer: MalformedNotice, OutsideYear, DuplicateDay.
    """
    given = _read(document, OverlaidYear)
    if given.year is None and not given.days:
        raise MalformedNotice("/year", "without days the year must be named")
    year = given.year or given.days[0].date.year
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise MalformedNotice("/days/0/date", f"calendars cover the years from {FIRST_YEAR} to {LAST_YEAR}")
    return Notice(year, tuple(given.papers), _listed(given.days, year, given.papers), given.extends)


def _read(document: object, form: type[T]) -> T:
    try:
        return msgspec.convert(document, form)
    except msgspec.ValidationError as error:
        raise MalformedNotice(*locate(error)) from None


def _listed(given: Sequence[_Day], year: int, papers: Sequence[str]) -> tuple[CalendarDay, ...]:
    days: dict[date, CalendarDay] = {}
    for index, day in enumerate(given):
        if day.date.year != year:
            raise OutsideYear(day.date, year, f"/days/{index}/date")
        if day.date in days:
            raise DuplicateDay(day.date, f"/days/{index}/date")
        source = day.source or next(iter(papers), None)
        if source is None:
            raise MalformedNotice("/papers", "no notice is named, neither here nor as the day's own `source`")
        days[day.date] = CalendarDay(day.date, not day.is_off_day, day.name, source)
    return tuple(days[day] for day in sorted(days))
