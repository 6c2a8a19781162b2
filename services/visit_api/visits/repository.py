"""Queries of visits; `unit` is always the caller's, None where a service sees all."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.scope import within
from chassis.web.paging import Listing, Window
from visit_api.directory.models import Unit
from visit_api.visits.models import HandOver, Late, Visit


async def find(tx: AsyncSession, unit: str | None, id: UUID, *, lock: bool = False) -> Visit | None:
    """The visit `id`, where the caller sees it; `lock` holds it for a change, against every raising too."""
    query = select(Visit).where(Visit.id == id, within(Unit, unit, Visit.unit_code))
    found: Visit | None = await tx.scalar(query.with_for_update(of=Visit) if lock else query)
    return found


async def find_all(
    tx: AsyncSession,
    unit: str | None,
    window: Window,
    *,
    state: str | None,
    unit_code: str | None,
    customer_id: UUID | None,
    plan_item_id: UUID | None,
) -> Listing[Visit]:
    """The visits that the caller sees, by the time they are planned for."""
    query = select(Visit).where(within(Unit, unit, Visit.unit_code))
    if state is not None:
        query = query.where(Visit.state == state)
    if unit_code is not None:
        query = query.where(Visit.unit_code == unit_code)
    if customer_id is not None:
        query = query.where(Visit.customer_id == customer_id)
    if plan_item_id is not None:
        query = query.where(Visit.plan_item_id == plan_item_id)
    return await window.fetch(tx, query, Visit, Visit.scheduled_at, Visit.id)


async def hold(tx: AsyncSession, ids: Collection[UUID]) -> Sequence[Visit]:
    """The visits `ids`, none of which changes its state until the transaction ends."""
    # In one order, so that two who hold several never wait for each other.
    query = select(Visit).where(Visit.id.in_(ids)).order_by(Visit.id)
    return (await tx.scalars(query.with_for_update(read=True))).all()


async def hand_overs(tx: AsyncSession, visit_id: UUID, window: Window) -> Listing[HandOver]:
    """To whom a visit was handed, in order."""
    return await window.fetch(tx, select(HandOver).where(HandOver.visit_id == visit_id), HandOver)


async def all_hand_overs(tx: AsyncSession, visit_id: UUID) -> Sequence[HandOver]:
    """The same, all of them."""
    return (await tx.scalars(select(HandOver).where(HandOver.visit_id == visit_id).order_by(HandOver.id))).all()


async def lock_open_of(tx: AsyncSession, unit: str | None, staff_no: str) -> Sequence[Visit]:
    """The visits that somebody is still to make, where the caller sees them, held for a change, always in one order."""
    its = text("state IN ('planned', 'in_progress')")
    query = select(Visit).where(its, Visit.visitor_ids.bool_op("@>")([staff_no]), within(Unit, unit, Visit.unit_code))
    return (await tx.scalars(query.order_by(Visit.id).with_for_update(of=Visit))).all()


async def one_with_more(tx: AsyncSession, but: Collection[UUID]) -> UUID | None:
    """A visit of which something came late that no supplement has yet, the first that there is; `but` are left out."""
    waiting = select(Late.visit_id).where(Late.entry_id.is_(None), Late.visit_id.not_in(but))
    found: UUID | None = await tx.scalar(waiting.order_by(Late.id).limit(1))
    return found


async def late_in(tx: AsyncSession, entry_id: UUID) -> Sequence[Late]:
    """What came late and is in the supplement `entry_id`."""
    return (await tx.scalars(select(Late).where(Late.entry_id == entry_id))).all()


async def late_of(tx: AsyncSession, visit_id: UUID) -> Sequence[Late]:
    """What came late of a visit and no supplement has yet."""
    query = select(Late).where(Late.visit_id == visit_id, Late.entry_id.is_(None))
    return (await tx.scalars(query.order_by(Late.id))).all()
