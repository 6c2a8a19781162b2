"""The analysis of visits by unit and period (T/SDPEA §9.2), of which every figure can be opened into its records."""

from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from visit_api.analysis import repository
from visit_api.analysis.figures import Name, figures
from visit_api.analysis.repository import Asked
from visit_api.analysis.schemas import AnalysisView, FigureView, RecordView
from visit_api.appeals.confidence import Confidence, confidence
from visit_api.appeals.models import Appeal
from visit_api.civil import day_of
from visit_api.directory.units import successor
from visit_api.plans.models import Item
from visit_api.spans import span
from visit_api.steps.models import Step
from visit_api.visits.models import Visit

_THINGS = {Visit: "visit", Step: "step", Appeal: "appeal", Item: "plan_item"}


async def analyse(
    tx: AsyncSession, runtime: Runtime, caller: Principal, unit_code: str | None, first: date | None, last: date | None
) -> AnalysisView:
    """Every figure of a unit and those below it, the caller's own where none is named; of this month up to today where
    no days are. A unit that the caller does not see has nothing to count. Raises `BadPeriod`."""
    now = runtime.clock.now()
    asked = _asked(now, unit_code or await _own(tx, caller), first, last)
    items = [
        FigureView(figure=name, of=row.of, count=row.number, records=_records(asked, name, row.of))
        for name, figure in figures(day_of(now)).items()
        for row in await repository.counted(tx, caller.unit, figure, asked)
    ]
    return AnalysisView(unit_code=asked.unit_code, first_day=asked.first, last_day=asked.last, as_of=now, items=items)


async def list_records(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    window: Window,
    name: Name,
    of: str | None,
    unit_code: str | None,
    first: date | None,
    last: date | None,
) -> Listing[RecordView]:
    """What was counted in a figure. Raises `BadPeriod`."""
    now = runtime.clock.now()
    asked = _asked(now, unit_code or await _own(tx, caller), first, last)
    found = await repository.records(tx, caller.unit, window, figures(day_of(now))[name], asked, of)
    known = await confidence(tx, caller)
    return Listing([_shown(known, each) for each in found.items], found.next)


async def _own(tx: AsyncSession, caller: Principal) -> str | None:
    return None if caller.unit is None else await successor(tx, caller.unit)


def _asked(now: datetime, unit_code: str | None, first: date | None, last: date | None) -> Asked:
    return Asked(unit_code, *span(now, first, last))


def _records(asked: Asked, name: Name, of: str) -> str:
    unit = {} if asked.unit_code is None else {"unit_code": asked.unit_code}
    query = {"figure": name, "of": of, **unit, "from": asked.first, "to": asked.last}
    return f"/v1/analysis/records?{urlencode(query)}"


def _shown(known: Confidence, thing: Any) -> RecordView:
    its_visit = thing.id if isinstance(thing, Visit) else getattr(thing, "visit_id", None)
    if isinstance(thing, Appeal) and not known.may_know(thing):
        its_visit = None
    its = {"id": thing.id, "unit_code": thing.unit_code, "updated_at": thing.updated_at}
    return RecordView(thing=_THINGS[type(thing)], visit_id=its_visit, **its)
