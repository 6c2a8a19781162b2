"""Queries of hand-overs; `unit` is always the caller's."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.scope import within
from chassis.web.paging import Listing, Window
from visit_api.directory.models import Unit
from visit_api.leaving.models import StaffHandOver


async def find(tx: AsyncSession, unit: str | None, id: UUID) -> StaffHandOver | None:
    """The hand-over `id`, where the caller sees it."""
    query = select(StaffHandOver).where(StaffHandOver.id == id, within(Unit, unit, StaffHandOver.unit_code))
    found: StaffHandOver | None = await tx.scalar(query)
    return found


async def find_all(tx: AsyncSession, staff_no: str, window: Window) -> Listing[StaffHandOver]:
    """Those of a member of staff, in order."""
    return await window.fetch(tx, select(StaffHandOver).where(StaffHandOver.staff_no == staff_no), StaffHandOver)
