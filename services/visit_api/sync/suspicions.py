"""Queries of visits that may be one; `unit` is always the caller's."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.scope import within
from chassis.web.paging import Listing, Window
from visit_api.directory.models import Unit
from visit_api.sync.models import Suspicion
from visit_api.visits.models import Visit


async def is_suspected(tx: AsyncSession, one: UUID, other: UUID) -> bool:
    """Whether the two were suspected before, whichever came first."""
    pairs = or_(
        and_(Suspicion.first_id == one, Suspicion.second_id == other),
        and_(Suspicion.first_id == other, Suspicion.second_id == one),
    )
    return await tx.scalar(select(Suspicion.id).where(pairs)) is not None


async def counts_instead(tx: AsyncSession, visit_id: UUID, but: UUID | None = None) -> UUID | None:
    """The visit that counts instead of `visit_id`, by the first merge that stands; `but` is one that is left out."""
    its = or_(Suspicion.first_id == visit_id, Suspicion.second_id == visit_id)
    query = select(Suspicion.kept).where(its, Suspicion.kept != visit_id)
    if but is not None:
        query = query.where(Suspicion.id != but)
    found: UUID | None = await tx.scalar(query.order_by(Suspicion.decided_at, Suspicion.id).limit(1))
    return found


async def decided_about(tx: AsyncSession, visit: Visit) -> Sequence[Suspicion]:
    """What was decided about a visit and others that it may be the same as, in the order they were suspected."""
    its = or_(Suspicion.first_id == visit.id, Suspicion.second_id == visit.id)
    query = select(Suspicion).where(Suspicion.customer_id == visit.customer_id)  # of whom there are few, by an index
    query = query.where(its, Suspicion.decided_at.is_not(None))
    return (await tx.scalars(query.order_by(Suspicion.recorded_at, Suspicion.id))).all()


async def find(tx: AsyncSession, unit: str | None, id: UUID, *, lock: bool = False) -> Suspicion | None:
    """The suspicion `id`, where the caller sees it; `lock` holds it for a change."""
    query = select(Suspicion).where(Suspicion.id == id, within(Unit, unit, Suspicion.unit_code))
    found: Suspicion | None = await tx.scalar(query.with_for_update(of=Suspicion) if lock else query)
    return found


async def find_all(
    tx: AsyncSession, unit: str | None, window: Window, *, state: str | None, visit_id: UUID | None
) -> Listing[Suspicion]:
    """The visits that may be one."""
    query = select(Suspicion).where(within(Unit, unit, Suspicion.unit_code))
    if state is not None:
        query = query.where(Suspicion.state == state)
    if visit_id is not None:
        query = query.where(or_(Suspicion.first_id == visit_id, Suspicion.second_id == visit_id))
    return await window.fetch(tx, query, Suspicion)
