"""Queries of steps; `unit` is always the caller's, None where a service sees all."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import CompoundSelect, Select, Text, literal_column, select, text, union
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.scope import listed_within, within
from chassis.web.paging import Listing, Window
from visit_api.directory.models import Unit
from visit_api.steps.models import Step
from visit_api.visits.models import Visit

_NEEDS_HEARD = text("""
SELECT DISTINCT need ->> 'category'
FROM visits JOIN steps ON steps.visit_id = visits.id, jsonb_array_elements(steps.content -> 'needs') AS need
WHERE visits.customer_id = :customer_id AND steps.kind = 'needs' AND steps.superseded_by IS NULL
""")


async def find(tx: AsyncSession, unit: str | None, id: UUID) -> Step | None:
    """The step `id`, where the caller sees its unit's."""
    found: Step | None = await tx.scalar(select(Step).where(Step.id == id, within(Unit, unit, Step.unit_code)))
    return found


async def find_all(
    tx: AsyncSession, window: Window, visit_id: UUID, *, kind: str | None, current: bool | None
) -> Listing[Step]:
    """The steps of a visit, those that count or those that do not, or both."""
    return await _fetched(tx, window, select(Step).where(Step.visit_id == visit_id), kind, current)


async def seen(
    tx: AsyncSession, unit: str | None, window: Window, *, kind: str | None, current: bool | None
) -> Listing[Step]:
    """The same of all visits that the caller sees."""
    seen = await listed_within(tx, Unit, unit, Step.unit_code)
    return await _fetched(tx, window, select(Step).where(seen), kind, current)


async def _fetched(
    tx: AsyncSession, window: Window, query: Select[Step], kind: str | None, current: bool | None
) -> Listing[Step]:
    if kind is not None:
        query = query.where(Step.kind == kind)
    if current is not None:
        query = query.where(Step.superseded_by.is_(None) == current)
    return await window.fetch(tx, query, Step)


async def of_visit(tx: AsyncSession, visit_id: UUID) -> Sequence[Step]:
    """All steps of a visit, in the order in which they were done."""
    query = select(Step).where(Step.visit_id == visit_id).order_by(Step.at, Step.id)
    return (await tx.scalars(query, execution_options={"populate_existing": True})).all()


async def superseding(tx: AsyncSession, id: UUID) -> UUID | None:
    """What corrects the step `id`, if anything does."""
    found: UUID | None = await tx.scalar(select(Step.id).where(Step.supersedes == id))
    return found


async def hold_visits(tx: AsyncSession, unit: str | None, staff_no: str) -> None:
    """Holds the visits that somebody is still to make, and those with strategies that they own, where the caller sees
    them, in the order in which everybody holds several."""
    query = select(Visit.id).where(Visit.id.in_(_with_work(unit, staff_no)), within(Unit, unit, Visit.unit_code))
    await tx.execute(query.order_by(Visit.id).with_for_update(of=Visit))


async def has_work(tx: AsyncSession, visit_id: UUID, staff_no: str) -> bool:
    """Whether the visit is one that `hold_visits` of somebody holds."""
    query = select(Visit.id).where(Visit.id == visit_id, Visit.id.in_(_with_work(None, staff_no)))
    return await tx.scalar(query) is not None


async def strategies_of(tx: AsyncSession, unit: str | None, staff_no: str) -> Sequence[Step]:
    """The strategies without an outcome that somebody owns, on visits that are not archived, where the caller sees
    them."""
    query = open_strategies(unit, staff_no).order_by(Step.id)
    return (await tx.scalars(query, execution_options={"populate_existing": True})).all()


def open_strategies(unit: str | None, staff_no: str) -> Select[Step]:
    """The query for them. What its index says of a step is said here in the same words: by a value that comes later the
    server would not know that it may use it."""
    owner = literal_column("(steps.content ->> 'owner')", Text)
    query = select(Step).join(Visit, Visit.id == Step.visit_id).where(text("steps.kind = 'strategy'"))
    query = query.where(Step.superseded_by.is_(None), owner == staff_no, Step.content["outcome"].astext.is_(None))
    return query.where(within(Unit, unit, Step.unit_code), Visit.state.in_(("in_progress", "completed")))


def _with_work(unit: str | None, staff_no: str) -> CompoundSelect[UUID]:
    open_ones = text("state IN ('planned', 'in_progress')")
    makes = select(Visit.id).where(open_ones, Visit.visitor_ids.bool_op("@>")([staff_no]))
    return union(makes, open_strategies(unit, staff_no).with_only_columns(Step.visit_id))


async def needs_heard(tx: AsyncSession, customer_id: UUID) -> set[str]:
    """The fields in which a customer had needs, on whatever visit."""
    return set(await tx.scalars(_NEEDS_HEARD, {"customer_id": customer_id}))
