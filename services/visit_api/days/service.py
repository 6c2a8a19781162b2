"""What one visitor has to do on a day, gathered in one call."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from chassis.web.errors import FieldError, Unprocessable, Words
from chassis.web.tokens import Principal
from visit_api.civil import CHINA, day_of
from visit_api.customers import sealing
from visit_api.days import repository
from visit_api.texts import service as texts
from visit_api.visits.lifecycle import keeps_from_starting, wanting
from visit_api.visits.models import Visit
from visit_api.visits.showing import course

# The days that begin and end within what is a time everywhere.
_FIRST, _LAST = date(1, 1, 2), date(9999, 12, 30)
_NO_DAY = FieldError("/day", "out_of_range", Words("日期超出范围", "Out of range"), "query")


async def my_day(tx: AsyncSession, runtime: Runtime, caller: Principal, day: date | None) -> dict[str, Any]:
    """What the caller has to do on `day`, in China's time; today, where none is named. Raises `Unprocessable`."""
    day = day or day_of(runtime.clock.now())
    if not _FIRST <= day <= _LAST:
        raise Unprocessable(_NO_DAY)
    begins = datetime.combine(day, time(), CHINA)
    visits = await repository.of_day(tx, caller.unit, caller.sub, begins, begins + timedelta(days=1))
    left, count = await repository.left_over(tx, caller.unit, caller.sub, begins)
    return {
        "day": day,
        "visitor": caller.sub,
        "visits": await _shown(tx, runtime, visits),
        "left": await _shown(tx, runtime, left),
        "left_over": count,
        "owed": await repository.owed(tx, caller.unit, caller.sub),
    }


async def _shown(tx: AsyncSession, runtime: Runtime, visits: Sequence[Visit]) -> list[dict[str, Any]]:
    customers = await repository.customers(tx, {visit.customer_id for visit in visits})
    await sealing.show(tx, runtime, [*customers.values()])
    agreed = await repository.agreed(tx, visits)
    await texts.show(tx, runtime, agreed)
    places = {each.visit_id: each.place for each in agreed}
    return [
        {
            **{name: getattr(visit, name) for name in _AS_THEY_ARE},
            "customer": customers[visit.customer_id],
            "place": places.get(visit.id),
            "wanting": [unmet._asdict() for unmet in wanting(course(visit))] if visit.state == "planned" else [],
            "may_start": visit.state == "planned" and not keeps_from_starting(course(visit)),
        }
        for visit in visits
    ]


_AS_THEY_ARE = (
    "id",
    "channel",
    "direction",
    "form",
    "state",
    "scheduled_at",
    "window_from",
    "window_to",
    "visitor_ids",
    "arrived_at",
    "started_at",
    "completed_at",
    "version",
)
