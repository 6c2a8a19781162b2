"""Calendars as callers see them."""

import datetime as dt
from typing import Annotated, Any, Literal, Self

from msgspec.structs import asdict
from pydantic import AfterValidator, StringConstraints, WithJsonSchema

from appeal_tracker.calendars.calendar import Calendar, Reason
from appeal_tracker.calendars.drafting import Change
from appeal_tracker.calendars.notice import OverlaidYear
from appeal_tracker.calendars.pointers import schema_of
from chassis.web.schemas import Instant, View

# What a new calendar may be called: its labels, `qingdao@3+cn-statutory@1`, are taken apart at @ and +.
CalendarId = Annotated[str, StringConstraints(strict=True, pattern="^[a-z0-9][a-z0-9-]{0,63}$")]

# A number, or a label as deadlines have it; its + comes as a blank from whoever does not encode it.
_VERSION = "[1-9][0-9]{0,8}"
_LABEL = f"[a-z0-9][a-z0-9-]{{0,63}}@{_VERSION}"
CalendarVersionName = Annotated[
    str,
    StringConstraints(strict=True, max_length=1000, pattern=f"^({_VERSION}|{_LABEL}([+ ]{_LABEL})*)$"),
    AfterValidator(lambda name: name.replace(" ", "+")),
]

# Read by `calendars.notice`, as the packaged years are.
NoticeDocument = Annotated[dict[str, Any], WithJsonSchema(schema_of(OverlaidYear))]


class CalendarView(View):
    """A calendar at its newest version; `label` names those it lies over too."""

    id: str
    version: int
    label: str
    extends: str | None
    published_years: list[int]

    @classmethod
    def of(cls, calendar: Calendar) -> Self:
        extends = calendar.lineage[1].partition("@")[0] if len(calendar.lineage) > 1 else None
        return cls(
            id=calendar.id,
            version=calendar.version,
            label=calendar.label,
            extends=extends,
            published_years=sorted(calendar.published_years),
        )


class CalendarVersionView(View):
    """One published version, by whom (nobody: it came with the service), and the notices it was published for."""

    calendar: str
    version: int
    extends: str | None
    published_at: Instant
    published_by: str | None
    sources: list[str]


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


class CalendarChange(View):
    """A civil day of which a new version says something else than the one before it."""

    date: dt.date
    before: CalendarDayView
    after: CalendarDayView

    @classmethod
    def of(cls, change: Change) -> Self:
        before, after = (CalendarDayView.of(change.date, reason) for reason in (change.before, change.after))
        return cls(date=change.date, before=before, after=after)


class CalendarDays(View):
    items: list[CalendarDayView]
