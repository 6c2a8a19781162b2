"""Queries of the trail; `unit` is always the caller's."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.directory.models import Unit
from appeal_tracker.trail.models import Line
from chassis.scope import within
from chassis.web.paging import Listing, Window


async def find_all(
    tx: AsyncSession, unit: str | None, window: Window, *, thing: str | None, thing_id: str | None, by: str | None
) -> Listing[Line]:
    """The lines about things of the caller's unit and of those below it."""
    query = select(Line).where(within(Unit, unit, Line.unit_code))
    if thing is not None:
        query = query.where(Line.thing == thing)
    if thing_id is not None:
        query = query.where(Line.thing_id == thing_id)
    if by is not None:
        query = query.where(Line.by == by)
    return await window.fetch(tx, query, Line)
