"""`/v1/calendars`: which days are working days, for whoever may read at all."""

from typing import Annotated

from fastapi import Query

from appeal_tracker.calendars import service
from appeal_tracker.calendars.schemas import (
    CalendarDays,
    CalendarDayView,
    Calendars,
    CalendarVersions,
    CalendarVersionView,
    CalendarView,
)
from chassis.web.auth import Caller
from chassis.web.route import Router
from chassis.web.schemas import Code, Day
from chassis.web.work import Tx

router = Router(prefix="/v1/calendars", tags=["calendars"])


@router.get("")
async def list_calendars(caller: Caller, tx: Tx) -> Calendars:
    """Every calendar at its newest version."""
    return Calendars(items=[*map(CalendarView.model_validate, (await service.newest(tx)).values())])


@router.get("/{calendar}/versions")
async def list_calendar_versions(calendar: Code, caller: Caller, tx: Tx) -> CalendarVersions:
    """The versions of a calendar, newest first."""
    return CalendarVersions(items=[*map(CalendarVersionView.model_validate, await service.versions(tx, calendar))])


@router.get("/{calendar}/days")
async def list_calendar_days(
    calendar: Code,
    caller: Caller,
    tx: Tx,
    first: Annotated[Day, Query(alias="from", description="the first civil day")],
    last: Annotated[Day, Query(alias="to", description="the last civil day")],
) -> CalendarDays:
    """What a calendar says of each civil day from one to another, both included."""
    return CalendarDays(items=[CalendarDayView.of(*told) for told in await service.days(tx, calendar, first, last)])
