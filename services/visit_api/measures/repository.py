"""Queries of measures; `unit` is always the caller's, None where a service sees all."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import and_, not_, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.scope import within
from chassis.web.paging import Listing, Window
from visit_api.directory.models import Unit
from visit_api.measures.models import Measure, MeasureAct


async def find(tx: AsyncSession, unit: str | None, id: UUID, *, lock: bool = False) -> Measure | None:
    """The measure `id`, where the caller sees it; `lock` holds it for a change."""
    query = select(Measure).where(Measure.id == id, within(Unit, unit, Measure.unit_code))
    found: Measure | None = await tx.scalar(query.with_for_update(of=Measure) if lock else query)
    return found


async def find_all(
    tx: AsyncSession,
    unit: str | None,
    window: Window,
    *,
    today: date,
    overdue: bool | None,
    due_until: date | None,
    **wanted: object,
) -> Listing[Measure]:
    """The measures that the caller sees, by the day they are due on; of `wanted` columns, those that are not None."""
    query = select(Measure).where(within(Unit, unit, Measure.unit_code))
    for column, value in wanted.items():
        if value is not None:
            query = query.where(getattr(Measure, column) == value)
    if due_until is not None:
        query = query.where(Measure.due_on <= due_until)
    if overdue is not None:
        late = and_(Measure.state == "open", Measure.due_on < today)
        query = query.where(late if overdue else not_(late))
    return await window.fetch(tx, query, Measure, Measure.due_on, Measure.id)


async def acts_of(tx: AsyncSession, measure_id: UUID, window: Window) -> Listing[MeasureAct]:
    """What was done with a measure, in order."""
    return await window.fetch(tx, select(MeasureAct).where(MeasureAct.measure_id == measure_id), MeasureAct)


async def lock_open_of(tx: AsyncSession, unit: str | None, owner: str) -> Sequence[Measure]:
    """The open measures of somebody, where the caller sees them, held for a change, always in one order."""
    query = select(Measure).where(
        Measure.state == "open", Measure.owner == owner, within(Unit, unit, Measure.unit_code)
    )
    return (await tx.scalars(query.order_by(Measure.id).with_for_update(of=Measure))).all()
