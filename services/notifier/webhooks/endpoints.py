"""HTTP of webhooks."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query

from chassis.web.auth import require
from chassis.web.etag import Match
from chassis.web.paging import Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Code
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from notifier.webhooks import repository, service
from notifier.webhooks.models import Endpoint, Message
from notifier.webhooks.schemas import (
    EndpointChange,
    EndpointView,
    MessageItem,
    MessageState,
    MessageView,
    NewEndpoint,
    Replayed,
    Rotation,
    Span,
)

router = Router(prefix="/v1", tags=["webhooks"])

Integrator = Annotated[Principal, Depends(require("integration"))]


@router.post("/webhooks", status_code=201, response_model=EndpointView)
async def add_webhook(tx: Tx, runtime: TheRuntime, caller: Integrator, new: NewEndpoint) -> Endpoint:
    """Subscribes an address to events of a unit and those below it."""
    return await service.add(tx, runtime, caller, new)


@router.get("/webhooks", response_model=Page[EndpointView])
async def list_webhooks(
    tx: Tx, caller: Integrator, paging: Paging, unit_code: Annotated[Code | None, Query()] = None
) -> object:
    """The endpoints of the caller's unit and of those below it; a feed tells also of removed ones."""
    return await repository.page(tx, caller.unit, paging, unit_code=unit_code)


@router.get("/webhooks/{id}", response_model=EndpointView)
async def get_webhook(tx: Tx, caller: Integrator, id: UUID) -> Endpoint:
    """One endpoint."""
    return await service.one(tx, caller, id)


@router.patch("/webhooks/{id}", response_model=EndpointView)
async def change_webhook(
    tx: Tx, runtime: TheRuntime, caller: Integrator, match: Match, id: UUID, change: EndpointChange
) -> Endpoint:
    """Changes an endpoint, enables or disables it."""
    return await service.change(tx, runtime, caller, id, change, match.on(EndpointView))


@router.delete("/webhooks/{id}", status_code=204)
async def remove_webhook(tx: Tx, runtime: TheRuntime, caller: Integrator, match: Match, id: UUID) -> None:
    """Takes an endpoint out of use for good."""
    await service.remove(tx, runtime, caller, id, match.on(EndpointView))


@router.post("/webhooks/{id}/rotate", response_model=EndpointView)
async def rotate_webhook_secret(
    tx: Tx, runtime: TheRuntime, caller: Integrator, id: UUID, rotation: Rotation
) -> Endpoint:
    """Gives it a new secret; for a while every message bears a signature by each."""
    return await service.rotate(tx, runtime, caller, id, rotation)


@router.post("/webhooks/{id}/ping", response_model=MessageItem)
async def ping_webhook(tx: Tx, runtime: TheRuntime, caller: Integrator, id: UUID) -> Message:
    """Sends it a message that says nothing."""
    return await service.ping(tx, caller, id, runtime.clock.now())


@router.post("/webhooks/{id}/replay", response_model=Replayed)
async def replay_webhook(tx: Tx, runtime: TheRuntime, caller: Integrator, id: UUID, span: Span) -> dict[str, Any]:
    """Sends again what was heard in a time, each under its id; with `dry_run` it only counts."""
    return {"count": await service.replay(tx, caller, id, span, runtime.clock.now())}


@router.get("/webhook-messages", response_model=Page[MessageItem])
async def list_webhook_messages(
    tx: Tx,
    caller: Integrator,
    paging: Paging,
    endpoint_id: Annotated[UUID | None, Query()] = None,
    event_type: Annotated[Code | None, Query()] = None,
    state: Annotated[MessageState | None, Query()] = None,
) -> object:
    """The messages to the endpoints that the caller sees; they are kept for 30 days."""
    return await repository.messages(
        tx, caller.unit, paging, endpoint_id=endpoint_id, event_type=event_type, state=state
    )


@router.get("/webhook-messages/{id}", response_model=MessageView)
async def get_webhook_message(tx: Tx, caller: Integrator, id: UUID) -> dict[str, Any]:
    """One message, and every attempt at it with the heads of request and answer."""
    message, attempts = await service.message(tx, caller, id)
    names = [*MessageItem.model_fields, "payload"]
    return {**{name: getattr(message, name) for name in names}, "log": attempts}


@router.post("/webhook-messages/{id}/replay", response_model=MessageItem)
async def replay_webhook_message(tx: Tx, runtime: TheRuntime, caller: Integrator, id: UUID) -> Message:
    """Sends one message again, under its id."""
    return await service.replay_one(tx, caller, id, runtime.clock.now())
