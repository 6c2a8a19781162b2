"""`/v1/statistics`: how the appeals of a period were handled."""

from typing import Annotated, Literal

from fastapi import Query, Request, Response
from msgspec.structs import astuple

from appeal_tracker.statistics import service
from appeal_tracker.statistics.schemas import COLUMNS, StatisticsView
from chassis.web.auth import Caller
from chassis.web.negotiation import wants
from chassis.web.route import Router
from chassis.web.schemas import Code, Day
from chassis.web.tables import MEDIA_TYPE, OR_TABLE, csv_response
from chassis.web.work import TheRuntime, Tx

router = Router(prefix="/v1/statistics", tags=["statistics"])

Dimension = Literal["unit", "type", "day", "week", "month"]


@router.get("", response_model=StatisticsView, responses=OR_TABLE)
async def show_statistics(
    caller: Caller,
    tx: Tx,
    runtime: TheRuntime,
    request: Request,
    first_day: Annotated[
        Day | None, Query(alias="from", description="the first civil day; the first of the month where it is left out")
    ] = None,
    last_day: Annotated[Day | None, Query(alias="to", description="the last; today where it is left out")] = None,
    unit_code: Annotated[Code | None, Query(description="this unit and those below it, instead of your own")] = None,
    type: Annotated[Code | None, Query(description="the appeal type")] = None,
    by: Annotated[
        list[Dimension] | None, Query(max_length=5, description="a row for each unit, type, and day, week or month")
    ] = None,
) -> service.Statistics | Response:
    """What was received, contacted and answered in time, breached, corrected, and is open, and how long it took; of
    your unit and those below it. The schema says how each figure is counted."""
    found = await service.statistics(
        tx,
        caller,
        runtime.clock.now(),
        first_day=first_day,
        last_day=last_day,
        unit_code=unit_code,
        type=type,
        by=by or [],
    )
    if wants(request, MEDIA_TYPE):
        name = f"statistics-{found.first_day}-{found.last_day}"
        return csv_response(name, COLUMNS, map(astuple, found.items))
    return found
