"""Queries of obligations; `unit` is always the caller's, None where a service sees all."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.scope import within
from chassis.web.paging import Listing, Window
from visit_api.directory.models import Unit
from visit_api.obligations.models import Obligation


async def find(tx: AsyncSession, unit: str | None, id: UUID, *, lock: bool = False) -> Obligation | None:
    """The obligation `id`, where the caller sees it; `lock` holds it for a change."""
    query = select(Obligation).where(Obligation.id == id, within(Unit, unit, Obligation.unit_code))
    found: Obligation | None = await tx.scalar(query.with_for_update(of=Obligation) if lock else query)
    return found


async def find_all(tx: AsyncSession, unit: str | None, window: Window, **wanted: object) -> Listing[Obligation]:
    """The obligations that the caller sees, as the calls came; of `wanted` columns, those that are not None."""
    query = select(Obligation).where(within(Unit, unit, Obligation.unit_code))
    for column, value in wanted.items():
        if value is not None:
            query = query.where(getattr(Obligation, column) == value)
    return await window.fetch(tx, query, Obligation, Obligation.called_at, Obligation.id)


async def of_visit(tx: AsyncSession, visit_id: UUID) -> Sequence[Obligation]:
    """What is or was owed in the course of a visit, as the calls came."""
    query = select(Obligation).where(Obligation.visit_id == visit_id)
    return (await tx.scalars(query.order_by(Obligation.called_at, Obligation.id))).all()


async def lock_open_of(tx: AsyncSession, unit: str | None, owner: str) -> Sequence[Obligation]:
    """What somebody owes, where the caller sees it, held for a change, always in one order."""
    its = text("state = 'open'")
    query = select(Obligation).where(its, Obligation.owner == owner, within(Unit, unit, Obligation.unit_code))
    return (await tx.scalars(query.order_by(Obligation.id).with_for_update(of=Obligation))).all()
