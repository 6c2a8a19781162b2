"""What is done with routes: show them, make and change them, ask them."""

from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.web.errors import FieldError, Forbidden, NotFound, Unprocessable
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from notifier.directory import service as directory
from notifier.directory.audience import CUSTOMER, GROUP, LADDER_AUDIENCES
from notifier.routes import repository
from notifier.routes.errors import COMMON_GROUP, CUSTOMERS_SLEEP, LADDER_NAMES, NOT_FOR_CUSTOMERS, unknown
from notifier.routes.events import LADDER
from notifier.routes.models import Route, RouteVersion
from notifier.routes.rules import RouteTable, Rule, condition
from notifier.routes.schemas import NewRoute, RouteBody

_AMONG_STAFF = frozenset({"mailbox", "wecom", "dingtalk", "feishu"})
_BODY = ("condition", "channels", "fallback", "fallback_after", "passes", "reason", "working_days", "active")


async def table(tx: AsyncSession, types: Collection[str]) -> RouteTable:
    """The routes of some event types as they are now."""
    return RouteTable([_rule(route) for route in await repository.in_force(tx, types)])


async def spoken_of(tx: AsyncSession) -> set[str]:
    """The event types of which some route speaks."""
    return await repository.spoken_of(tx)


async def listed(tx: AsyncSession, caller: Principal, window: Window) -> Listing[Route]:
    """The common routes, and those of the caller's unit and of the units below it."""
    return await repository.page(tx, caller.unit, window)


async def one(tx: AsyncSession, caller: Principal, id: str) -> Route:
    """The route. Raises `NotFound`."""
    route = await repository.get(tx, caller.unit, id)
    if route is None:
        raise NotFound
    return route


async def versions(tx: AsyncSession, caller: Principal, id: str) -> list[RouteVersion]:
    """A route as it was, newest first; none of a shipped one that nobody has changed. Raises `NotFound`."""
    await one(tx, caller, id)
    return await repository.versions(tx, id)


async def add(tx: AsyncSession, caller: Principal, new: NewRoute, now: datetime) -> Route:
    """Makes a route. Raises `Forbidden` where a common one is made below the top, `Unprocessable`."""
    await _may_write(tx, caller, new.unit_code)
    if new.unit_code is not None:
        await directory.require_open(tx, new.unit_code)
    route = Route(id=str(new_id()), unit_code=new.unit_code, event_type=new.event_type, audience=new.audience)
    await _check(tx, caller, route, new)
    route.version = 0
    return await _write(tx, route, new, caller, now)


async def change(
    tx: AsyncSession, caller: Principal, id: str, body: RouteBody, now: datetime, unchanged: Callable[[Route], None]
) -> Route:
    """Gives a route other ways. Raises `NotFound`, `Forbidden`, `Unprocessable`, and what `unchanged` raises."""
    route = await repository.get(tx, caller.unit, id, lock=True)
    if route is None:
        raise NotFound
    await _may_write(tx, caller, route.unit_code)
    unchanged(route)
    await _check(tx, caller, route, body)
    return await _write(tx, route, body, caller, now)


async def _may_write(tx: AsyncSession, caller: Principal, unit: str | None) -> None:
    if unit is None and not await directory.is_top_level(tx, caller.unit):
        raise Forbidden
    if unit is not None and unit != caller.unit and await directory.unseen(tx, caller.unit, [unit]):
        raise unknown("/unit_code")


async def _check(tx: AsyncSession, caller: Principal, route: Route, body: RouteBody) -> None:
    faults: list[FieldError] = []
    audience = route.audience
    if route.event_type in LADDER and audience not in LADDER_AUDIENCES:
        faults.append(LADDER_NAMES)
    if audience == CUSTOMER and _AMONG_STAFF & {*body.channels, *body.fallback}:
        faults.append(NOT_FOR_CUSTOMERS)
    if audience == CUSTOMER and body.passes is not None:
        faults.append(CUSTOMERS_SLEEP)
    if audience.startswith(GROUP) and route.unit_code is None:
        faults.append(COMMON_GROUP)
    if faults:
        raise Unprocessable(*faults)
    if audience.startswith(GROUP) and not await directory.has_group(tx, caller, audience.removeprefix(GROUP)):
        raise unknown("/audience")
    if body.condition.units and await directory.unseen(tx, caller.unit, body.condition.units):
        raise unknown("/condition/units")


async def _write(tx: AsyncSession, route: Route, body: RouteBody, caller: Principal, now: datetime) -> Route:
    its = body.model_dump(include={*_BODY}, exclude_none=True)
    its = {"passes": None, "reason": None} | its
    for name, value in its.items():
        setattr(route, name, value)
    route.version += 1
    route.changed_by, route.updated_at = caller.sub, now
    tx.add(route)
    await tx.flush()
    tx.add(RouteVersion(route_id=route.id, version=route.version, body=its, by=caller.sub, at=now))
    await tx.flush()
    return route


def _rule(route: Route) -> Rule:
    return Rule(
        label=f"{route.id}@{route.version}",
        unit=route.unit_code,
        event_type=route.event_type,
        audience=route.audience,
        condition=condition(route.condition),
        channels=tuple(route.channels),
        fallback=tuple(route.fallback),
        fallback_after=route.fallback_after,
        passes=route.passes,
        working_days=route.working_days,
    )
