"""SQL of routes."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.web.paging import Listing, Window
from notifier.routes.models import Route


async def page(tx: AsyncSession, window: Window) -> Listing[Route]:
    """Some routes."""
    return await window.fetch(tx, select(Route), Route)


async def get(tx: AsyncSession, id: str, *, lock: bool = False) -> Route | None:
    """The route, locked for a change if asked."""
    return await tx.get(Route, id, with_for_update=lock or None)


async def channels(tx: AsyncSession) -> dict[tuple[str, str], list[str]]:
    """The channels of every route, by event type and audience."""
    rows = await tx.execute(select(Route.event_type, Route.audience, Route.channels))
    return {(event_type, audience): its for event_type, audience, its in rows}
