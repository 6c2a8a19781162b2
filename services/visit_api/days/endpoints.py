"""A visitor's day over HTTP."""

from typing import Annotated, Any

from fastapi import Query

from chassis.web.auth import Caller
from chassis.web.compression import CompactRouter
from chassis.web.schemas import Day
from chassis.web.work import TheRuntime, Tx
from visit_api.days import service
from visit_api.days.schemas import MyVisitsView

router = CompactRouter(prefix="/v1/my-day", tags=["days"])


@router.get("", response_model=MyVisitsView)
async def show_my_visits(
    caller: Caller, tx: Tx, runtime: TheRuntime, day: Annotated[Day | None, Query(description="today, if none")] = None
) -> dict[str, Any]:
    """What visits and calls you have to make on a day, in one answer; your appeals are at the tracker's `my-day`."""
    return await service.my_day(tx, runtime, caller, day)
