"""SQL of routes."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import scope
from chassis.web.paging import Listing, Window
from notifier.directory.models import Unit
from notifier.routes.models import Route, RouteVersion


def _seen_from(unit: str | None) -> ColumnElement[bool]:
    return or_(Route.unit_code.is_(None), scope.within(Unit, unit, Route.unit_code))


async def page(tx: AsyncSession, unit: str | None, window: Window) -> Listing[Route]:
    """The common routes, and those of `unit` and of the units below it."""
    return await window.fetch(tx, select(Route).where(_seen_from(unit)), Route)


async def get(tx: AsyncSession, unit: str | None, id: str, *, lock: bool = False) -> Route | None:
    """A route seen from `unit`, locked for a change if asked."""
    query = select(Route).where(Route.id == id, _seen_from(unit))
    if lock:
        query = query.with_for_update(of=Route).execution_options(populate_existing=True)
    return (await tx.scalars(query)).one_or_none()


async def versions(tx: AsyncSession, id: str) -> list[RouteVersion]:
    """A route as it was, version by version."""
    query = select(RouteVersion).where(RouteVersion.route_id == id).order_by(RouteVersion.version)
    return list(await tx.scalars(query))


async def in_force(tx: AsyncSession, types: Collection[str] | None = None) -> list[Route]:
    """The routes that are not switched off; those of some event types, if asked."""
    query = select(Route).where(Route.active)
    if types is not None:
        query = query.where(Route.event_type.in_(types))
    return list(await tx.scalars(query))


async def spoken_of(tx: AsyncSession) -> set[str]:
    """The event types of which some route speaks."""
    return set(await tx.scalars(select(Route.event_type).where(Route.active).distinct()))
