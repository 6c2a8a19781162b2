"""Calendars as callers see them."""

import datetime as dt
from typing import Annotated, Literal, Self

from msgspec.structs import asdict
from pydantic import BeforeValidator

from appeal_tracker.calendars.calendar import Reason
from chassis.web.schemas import Instant, View


class CalendarView(View):
    """A calendar at its newest version; `label` names those it lies over too."""

    id: str
    version: int
    label: str
    published_years: Annotated[list[int], BeforeValidator(sorted)]


class CalendarVersionView(View):
    """One published version."""

    calendar: str
    version: int
    extends: str | None
    published_at: Instant


class CalendarDayView(View):
    """One civil day, working or not, and why; `estimated` where no notice has been published for its year."""

    date: dt.date
    working: bool
    kind: Literal["workday", "weekend", "festival", "make_up"]
    name: str
    source: str
    estimated: bool

    @classmethod
    def of(cls, day: dt.date, reason: Reason) -> Self:
        return cls(date=day, **asdict(reason))


class Calendars(View):
    items: list[CalendarView]


class CalendarVersions(View):
    items: list[CalendarVersionView]


class CalendarDays(View):
    items: list[CalendarDayView]
