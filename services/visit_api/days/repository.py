"""Queries of one visitor's day; `unit` is always the caller's."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.scope import within
from visit_api.appointments.models import Appointment
from visit_api.customers.models import Customer
from visit_api.directory.models import Unit
from visit_api.obligations.models import Obligation
from visit_api.visits.models import Visit

MOST = 100  # visits left over that are shown, and calls owed
_BEGINS = func.coalesce(Visit.window_from, Visit.scheduled_at)


async def of_day(tx: AsyncSession, unit: str | None, visitor: str, begins: datetime, ends: datetime) -> Sequence[Visit]:
    """The visits of `visitor` that are planned, or appointed, between two instants; in their order."""
    planned = and_(Visit.scheduled_at >= begins, Visit.scheduled_at < ends)
    appointed = and_(Visit.window_from < ends, Visit.window_to > begins)
    query = _of(unit, visitor).where(or_(planned, appointed))
    return (await tx.scalars(query.order_by(_BEGINS, Visit.id))).all()


async def left_over(tx: AsyncSession, unit: str | None, visitor: str, begins: datetime) -> tuple[Sequence[Visit], int]:
    """The visits of `visitor` of before that are not over, the earliest of them, and how many there are."""
    over = and_(Visit.state.in_(("planned", "in_progress")), _all_before(begins))
    query = _of(unit, visitor).where(over)
    count = await tx.scalar(query.with_only_columns(func.count()))
    return (await tx.scalars(query.order_by(_BEGINS, Visit.id).limit(MOST))).all(), count or 0


async def customers(tx: AsyncSession, ids: Collection[UUID]) -> dict[UUID, Customer]:
    """The customers `ids`, removed or not."""
    return {each.id: each for each in await tx.scalars(select(Customer).where(Customer.id.in_(ids)))}


async def agreed(tx: AsyncSession, visits: Sequence[Visit]) -> Sequence[Appointment]:
    """What was agreed last about visits, while it stands."""
    standing = [visit.id for visit in visits if visit.window_from is not None]
    query = select(Appointment).where(Appointment.visit_id.in_(standing), Appointment.window_from.is_not(None))
    last = query.ext(distinct_on(Appointment.visit_id)).order_by(
        Appointment.visit_id, Appointment.updated_at.desc(), Appointment.id.desc()
    )
    return (await tx.scalars(last)).all()


async def owed(tx: AsyncSession, unit: str | None, owner: str) -> Sequence[Obligation]:
    """What `owner` owes, the longest first."""
    query = select(Obligation).where(
        Obligation.owner == owner, Obligation.state == "open", within(Unit, unit, Obligation.unit_code)
    )
    return (await tx.scalars(query.order_by(Obligation.called_at, Obligation.id).limit(MOST))).all()


def _of(unit: str | None, visitor: str) -> Select[Any]:
    return select(Visit).where(Visit.visitor_ids.bool_op("@>")([visitor]), within(Unit, unit, Visit.unit_code))


def _all_before(begins: datetime) -> ColumnElement[bool]:
    return and_(Visit.scheduled_at < begins, or_(Visit.window_to.is_(None), Visit.window_to <= begins))
