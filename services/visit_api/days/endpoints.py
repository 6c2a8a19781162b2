"""A visitor's day over HTTP."""

from typing import Annotated, Any

from fastapi import Query

from chassis.web.auth import Caller
from chassis.web.compression import CompactRouter
from chassis.web.schemas import Day
from chassis.web.work import TheRuntime, Tx
from visit_api.days import service
from visit_api.days.schemas import DayView

router = CompactRouter(prefix="/v1/my-day", tags=["days"])


@router.get("", response_model=DayView)
async def show_my_day(
    caller: Caller, tx: Tx, runtime: TheRuntime, day: Annotated[Day | None, Query(description="today, if none")] = None
) -> dict[str, Any]:
    """What you have to do on a day, in one answer."""
    return await service.my_day(tx, runtime, caller, day)
