"""How far plans have come, from their items and the visits made of them."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from chassis.web.tokens import Principal
from visit_api.civil import CHINA
from visit_api.plans.service import get_plan, item_on_record
from visit_api.progress import repository
from visit_api.progress.schemas import Counts, Line, ProgressView
from visit_api.visits.models import Visit


async def get_progress(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID) -> ProgressView:
    """What of a plan was made, missed, and is open still. A visit that is planned or goes on has not been made, nor has
    one by another channel than the plan wants, or in another form; one whose days are over was missed, also where it is
    planned for later. Raises `NotFound`."""
    plan = await get_plan(tx, caller, id)
    today = runtime.clock.now().astimezone(CHINA).date()
    lines = [
        Line(**row._mapping, open=row.planned - row.made - row.missed)
        for row in await repository.counted(tx, id, today)
    ]
    total = {name: sum(getattr(line, name) for line in lines) for name in Counts.model_fields}
    return ProgressView(
        plan_id=id, unit_code=plan.unit_code, period=plan.period, as_of=today, total=Counts(**total), lines=lines
    )


async def on_record(tx: AsyncSession, runtime: Runtime, visit: Visit) -> list[dict[str, Any]]:
    """What is archived of the plan of a visit: the item that it was made for, if any."""
    return [] if visit.plan_item_id is None else [await item_on_record(tx, visit.plan_item_id)]
