"""Queries of the rulebooks."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.web.paging import Listing, Window
from visit_api.rulebooks.models import Edition


async def newest(tx: AsyncSession, units: Sequence[str], subject: str) -> dict[str, Edition]:
    """The newest edition on a subject of each of `units` that has one."""
    query = select(Edition).where(Edition.unit_code.in_(units), Edition.subject == subject)
    return {each.unit_code: each for each in await tx.scalars(query.order_by(Edition.edition))}


async def of_unit(tx: AsyncSession, unit_code: str, window: Window) -> Listing[Edition]:
    """Every edition of a unit, in order."""
    return await window.fetch(tx, select(Edition).where(Edition.unit_code == unit_code), Edition)
