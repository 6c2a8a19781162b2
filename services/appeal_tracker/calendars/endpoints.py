"""`/v1/calendars`: which days are working days, for whoever may read at all."""

from typing import Annotated

from fastapi import Query

from appeal_tracker.calendars import service
from appeal_tracker.calendars.models import CalendarVersion
from appeal_tracker.calendars.schemas import (
    CalendarDays,
    CalendarDayView,
    CalendarVersionName,
    CalendarVersionView,
    CalendarView,
)
from chassis.web.auth import Caller
from chassis.web.paging import CommonPaging, Listing, Page
from chassis.web.route import Router
from chassis.web.schemas import Code, Day
from chassis.web.work import Tx

router = Router(prefix="/v1/calendars", tags=["calendars"])


@router.get("")
async def list_calendars(caller: Caller, tx: Tx, paging: CommonPaging) -> Page[CalendarView]:
    """Every calendar at its newest version. With `updated_since` those that changed from then on, also by a new version
    of what they lie over."""
    calendars, following = await service.listed(tx, paging)
    return Page(items=[*map(CalendarView.of, calendars)], next=following)


@router.get("/{calendar}/versions", response_model=Page[CalendarVersionView])
async def list_calendar_versions(
    calendar: Code, caller: Caller, tx: Tx, paging: CommonPaging
) -> Listing[CalendarVersion]:
    """The versions of a calendar, the first one first."""
    return await service.versions(tx, calendar, paging)


@router.get("/{calendar}/days")
async def list_calendar_days(
    calendar: Code,
    caller: Caller,
    tx: Tx,
    first: Annotated[Day, Query(alias="from", description="the first civil day")],
    last: Annotated[Day, Query(alias="to", description="the last civil day")],
    version: Annotated[
        CalendarVersionName | None,
        Query(description="by its number, or as a deadline names it: `qingdao@3+cn-statutory@1`; else the newest"),
    ] = None,
) -> CalendarDays:
    """What a calendar says of each civil day from one to another, both included, in one of its versions."""
    told = await service.days(tx, calendar, first, last, version)
    return CalendarDays(items=[CalendarDayView.of(*each) for each in told])
