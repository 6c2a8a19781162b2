"""Queries of appointments; whoever asks has found their visit."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.web.paging import Listing, Window
from visit_api.appointments.models import Appointment


async def find(tx: AsyncSession, visit_id: UUID, id: UUID) -> Appointment | None:
    """The entry `id` of a visit."""
    found: Appointment | None = await tx.scalar(
        select(Appointment).where(Appointment.id == id, Appointment.visit_id == visit_id)
    )
    return found


async def last(tx: AsyncSession, visit_id: UUID) -> Appointment | None:
    """The last word with the customer about a visit."""
    query = select(Appointment).where(Appointment.visit_id == visit_id)
    found: Appointment | None = await tx.scalar(
        query.order_by(Appointment.updated_at.desc(), Appointment.id.desc()).limit(1)
    )
    return found


async def said_after(tx: AsyncSession, visit_id: UUID, at: datetime) -> Appointment | None:
    """The latest word with the customer about a visit, by when it was said, where that was after `at`."""
    query = select(Appointment).where(Appointment.visit_id == visit_id, Appointment.at > at)
    found: Appointment | None = await tx.scalar(query.order_by(Appointment.at.desc(), Appointment.id.desc()).limit(1))
    return found


async def find_all(tx: AsyncSession, visit_id: UUID, window: Window) -> Listing[Appointment]:
    """Every word with the customer about a visit, in order."""
    query = select(Appointment).where(Appointment.visit_id == visit_id)
    return await window.fetch(tx, query, Appointment, Appointment.updated_at, Appointment.id)


async def of_visit(tx: AsyncSession, visit_id: UUID) -> Sequence[Appointment]:
    """The same, all of them."""
    query = select(Appointment).where(Appointment.visit_id == visit_id)
    return (await tx.scalars(query.order_by(Appointment.updated_at, Appointment.id))).all()
