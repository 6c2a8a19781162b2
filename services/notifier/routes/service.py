"""What is done with routes: show them, change them, ask them."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.web.errors import Forbidden, NotFound
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from notifier.directory import service as directory
from notifier.routes import repository
from notifier.routes.models import Route

# What no route speaks of (an audience that a newer tracker names) is told all the same.
FALLBACK = ("mailbox",)


class RouteTable:
    """All routes, as they are at one moment."""

    def __init__(self, channels: dict[tuple[str, str], list[str]]) -> None:
        self._channels = channels

    def channels(self, event_type: str, audience: str) -> Sequence[str]:
        """The channels by which `audience` is told of `event_type`; never none."""
        return self._channels.get((event_type, audience)) or FALLBACK


async def table(tx: AsyncSession) -> RouteTable:
    """All routes as they are now."""
    return RouteTable(await repository.channels(tx))


async def listed(tx: AsyncSession, window: Window) -> Listing[Route]:
    """Some routes; they belong to no unit and everyone may see them."""
    return await repository.page(tx, window)


async def one(tx: AsyncSession, id: str) -> Route:
    """The route. Raises `NotFound`."""
    route = await repository.get(tx, id)
    if route is None:
        raise NotFound
    return route


async def change(
    tx: AsyncSession,
    id: str,
    channels: Sequence[str],
    *,
    by: Principal,
    now: datetime,
    unchanged: Callable[[Route], None],
) -> Route:
    """Gives a route other channels. Raises `Forbidden` for an admin of a unit that is not top-level, `NotFound`, and
    what `unchanged` raises."""
    if not await directory.is_top_level(tx, by.unit):
        raise Forbidden
    route = await repository.get(tx, id, lock=True)
    if route is None:
        raise NotFound
    unchanged(route)
    route.channels = list(channels)
    route.version += 1
    route.changed_by, route.updated_at = by.sub, now
    await tx.flush()
    return route
