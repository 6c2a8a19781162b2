"""HTTP of routes."""

from typing import Annotated

from fastapi import Depends

from chassis.web.auth import ADMIN, Caller, require
from chassis.web.etag import Match
from chassis.web.paging import Page, Paging
from chassis.web.route import Router
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from notifier.routes import service
from notifier.routes.models import Route
from notifier.routes.schemas import RouteBody, RouteView

router = Router(prefix="/v1/routes", tags=["routes"])


@router.get("", response_model=Page[RouteView])
async def list_routes(tx: Tx, caller: Caller, paging: Paging) -> object:
    """The routes."""
    return await service.listed(tx, paging)


@router.get("/{id}", response_model=RouteView)
async def get_route(tx: Tx, caller: Caller, id: str) -> Route:
    """One route."""
    return await service.one(tx, id)


@router.put("/{id}", response_model=RouteView)
async def change_route(
    tx: Tx,
    runtime: TheRuntime,
    caller: Annotated[Principal, Depends(require(ADMIN))],
    match: Match,
    id: str,
    body: RouteBody,
) -> Route:
    """Changes the channels of a route; for an admin of a top-level unit."""
    return await service.change(
        tx, id, body.channels, by=caller, now=runtime.clock.now(), unchanged=match.on(RouteView)
    )
