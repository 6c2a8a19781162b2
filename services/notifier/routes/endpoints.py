"""HTTP of routes, but for the preview, which asks the planner."""

from typing import Annotated

from fastapi import Depends

from chassis.web.auth import ADMIN, Caller, require
from chassis.web.etag import Match
from chassis.web.paging import Listing, Page, Paging, WholePaging
from chassis.web.route import Router
from chassis.web.schemas import Code
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from notifier.routes import service
from notifier.routes.models import Route, RouteVersion
from notifier.routes.schemas import NewRoute, RouteBody, RouteVersionView, RouteView

router = Router(prefix="/v1/routes", tags=["routes"])
Admin = Annotated[Principal, Depends(require(ADMIN))]


@router.get("", response_model=Page[RouteView])
async def list_routes(tx: Tx, caller: Caller, paging: Paging) -> Listing[Route]:
    """The common routes, and those of the caller's unit and of the units below it."""
    return await service.listed(tx, caller, paging)


@router.post("", status_code=201, response_model=RouteView)
async def add_route(tx: Tx, runtime: TheRuntime, caller: Admin, body: NewRoute) -> Route:
    """Makes a route for a unit and those below it; a common one, by an admin of a top-level unit."""
    return await service.add(tx, caller, body, runtime.clock.now())


@router.get("/{id}", response_model=RouteView)
async def get_route(tx: Tx, caller: Caller, id: Code) -> Route:
    """One route."""
    return await service.one(tx, caller, id)


@router.get("/{id}/versions", response_model=Page[RouteVersionView])
async def list_route_versions(tx: Tx, caller: Caller, window: WholePaging, id: Code) -> Listing[RouteVersion]:
    """A route as it was, version by version; none of a shipped one that nobody has changed."""
    return window.of(await service.versions(tx, caller, id), lambda its: f"{its.version:09}")


@router.put("/{id}", response_model=RouteView)
async def change_route(tx: Tx, runtime: TheRuntime, caller: Admin, match: Match, id: Code, body: RouteBody) -> Route:
    """Gives a route other ways, or switches it off; a common one, by an admin of a top-level unit. What a ladder tells
    of is told in the mailbox where no route is left for it."""
    return await service.change(tx, caller, id, body, runtime.clock.now(), match.on(RouteView))
