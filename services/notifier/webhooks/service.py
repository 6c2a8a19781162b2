"""What is done with webhooks: keep what each endpoint subscribed to, show it, send it again."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.clock import RealClock
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.vault import Place
from chassis.web.errors import NotFound
from chassis.web.etag import Unchanged
from chassis.web.tokens import Principal
from contracts.envelope import Message as Heard
from notifier.channels.networks import Blocked
from notifier.channels.outward import policy_of
from notifier.channels.secret import UNREADABLE
from notifier.directory import service as directory
from notifier.webhooks import claims, envelope, repository
from notifier.webhooks.errors import (
    EndpointDisabled,
    EndpointTaken,
    MessageUnderway,
    bad_url,
    secret_needed,
    unknown_unit,
)
from notifier.webhooks.models import Attempt, Endpoint, Message
from notifier.webhooks.schemas import EndpointChange, NewEndpoint, Rotation, Span


async def heard(tx: AsyncSession, messages: Sequence[Heard]) -> None:
    """Keeps each event for whoever subscribed to it and may see it."""
    if await repository.is_any(tx):
        its = [(m.id, m.type, envelope.structured(m), envelope.units_of(m)) for m in messages]
        await repository.hear(tx, its, max(m.time for m in messages))


async def add(tx: AsyncSession, runtime: Runtime, caller: Principal, new: NewEndpoint) -> Endpoint:
    """Makes an endpoint. Raises `Unprocessable` for a unit or a URL that cannot be, `EndpointTaken`."""
    _callable(runtime, new.url)
    if not await directory.sees(tx, caller.unit, new.unit_code):
        raise unknown_unit()
    found = await tx.get(Endpoint, new.id) if new.id else None
    if found is not None:
        return await _same(tx, runtime, caller, found, new)
    await directory.require_open(tx, new.unit_code)
    its, now = new.id or new_id(), runtime.clock.now()
    endpoint = Endpoint(
        id=its,
        unit_code=new.unit_code,
        url=new.url,
        description=new.description,
        event_types=new.event_types,
        ordered=new.ordered,
        state="active",
        secret=await runtime.vault.seal(tx, new.unit_code, place(its), new.secret),
        added_by=caller.sub,
        added_at=now,
        updated_at=now,
    )
    tx.add(endpoint)
    await tx.flush()
    return endpoint


async def one(tx: AsyncSession, caller: Principal, id: UUID, *, lock: bool = False) -> Endpoint:
    """The endpoint. Raises `NotFound`."""
    endpoint = await repository.get(tx, caller.unit, id, lock=lock)
    if endpoint is None:
        raise NotFound
    return endpoint


async def change(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, change: EndpointChange, unchanged: Unchanged
) -> Endpoint:
    """Changes an endpoint. Raises `NotFound`, `PreconditionFailed`, `Unprocessable`."""
    endpoint, now = await one(tx, caller, id, lock=True), runtime.clock.now()
    unchanged(endpoint)
    its = change.model_dump(exclude_unset=True)
    if "url" in its:
        _callable(runtime, change.url)
    active, secret = its.pop("active", None), its.pop("secret", None)
    if secret is None and its.get("url", endpoint.url) != endpoint.url:
        raise secret_needed()
    if secret is not None:
        endpoint.secret = await runtime.vault.seal(tx, endpoint.unit_code, place(id), secret)
        endpoint.old_secret = endpoint.old_secret_until = None
    for name, value in its.items():
        setattr(endpoint, name, value)
    endpoint.updated_at = now
    await tx.flush()
    if active is True and endpoint.state == "disabled":
        endpoint.state, endpoint.why, endpoint.failing_since = "active", None, None
    elif active is False and endpoint.state == "active":
        await claims.disable(tx, id, "by_hand", now)
        await tx.refresh(endpoint)
    await tx.flush()
    return endpoint


async def remove(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, unchanged: Unchanged) -> None:
    """Takes an endpoint out of use for good; its log is kept as long as any. Raises `NotFound`."""
    endpoint, now = await one(tx, caller, id, lock=True), runtime.clock.now()
    unchanged(endpoint)
    await claims.disable(tx, id, "removed", now)
    await tx.refresh(endpoint)
    endpoint.state, endpoint.why, endpoint.updated_at = "removed", None, now


async def rotate(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, rotation: Rotation) -> Endpoint:
    """Gives an endpoint a new secret; the old one signs beside it for a while. Raises `NotFound`."""
    endpoint = await one(tx, caller, id, lock=True)
    old = await _secret(tx, runtime, endpoint)
    if old != rotation.secret:
        # One that cannot be opened signs nothing more; a new one is how that is put right.
        its = old and await runtime.vault.seal(tx, endpoint.unit_code, place(id, "old_secret"), old)
        endpoint.old_secret = its or None
        endpoint.secret = await runtime.vault.seal(tx, endpoint.unit_code, place(id), rotation.secret)
    endpoint.old_secret_until = RealClock().now() + timedelta(hours=rotation.both_for_hours)
    endpoint.updated_at = runtime.clock.now()
    await tx.flush()
    return endpoint


async def ping(tx: AsyncSession, caller: Principal, id: UUID, now: datetime) -> Message:
    """Sends a message that says nothing. Raises `NotFound`, `EndpointDisabled`."""
    endpoint = await one(tx, caller, id)
    if endpoint.state != "active":
        raise EndpointDisabled
    event = new_id()
    message = Message(
        id=new_id(),
        endpoint_id=id,
        event_id=event,
        event_type=envelope.PING,
        payload=envelope.ping(event, id, now),
        state="queued",
        heard_at=now,
        updated_at=now,
    )
    tx.add(message)
    await tx.flush()
    await tx.refresh(message)
    return message


async def replay(tx: AsyncSession, caller: Principal, id: UUID, span: Span, now: datetime) -> int:
    """Sends again what was heard in a time; or says how many that would be. Raises `NotFound`, `EndpointDisabled`."""
    endpoint = await one(tx, caller, id)
    if endpoint.state != "active" and not span.dry_run:
        raise EndpointDisabled
    its: dict[str, Any] = {"endpoint": id, "since": span.since, "until": span.until, "states": span.states}
    return await repository.replay(tx, its, now, dry_run=span.dry_run)


async def message(tx: AsyncSession, caller: Principal, id: UUID) -> tuple[Message, Sequence[Attempt]]:
    """The message and every attempt at it. Raises `NotFound`."""
    its = await repository.message(tx, caller.unit, id)
    if its is None:
        raise NotFound
    return its, await repository.attempts(tx, id)


async def replay_one(tx: AsyncSession, caller: Principal, id: UUID, now: datetime) -> Message:
    """Sends a message again, under its id. Raises `NotFound`, `EndpointDisabled`, `MessageUnderway`."""
    its = await repository.message(tx, caller.unit, id, lock=True)
    if its is None:
        raise NotFound
    endpoint = await repository.get(tx, caller.unit, its.endpoint_id)
    if endpoint is None or endpoint.state != "active":
        raise EndpointDisabled
    if its.state == "sending":
        raise MessageUnderway
    its.state, its.tries, its.error, its.due_at, its.updated_at = "queued", 0, None, RealClock().now(), now
    await tx.flush()
    return its


def place(endpoint: UUID, column: str = "secret") -> Place:
    """Where a secret is sealed for."""
    return Place("webhook_endpoints", column, endpoint)


def _callable(runtime: Runtime, url: str) -> None:
    try:
        policy_of(runtime).place(url)
    except Blocked as error:
        raise bad_url(error.reason) from error


async def _secret(tx: AsyncSession, runtime: Runtime, endpoint: Endpoint) -> str | None:
    """The present secret of an endpoint; None where it cannot be opened."""
    try:
        return await runtime.vault.open(tx, place(endpoint.id), endpoint.secret)
    except UNREADABLE:
        return None


async def _same(tx: AsyncSession, runtime: Runtime, caller: Principal, found: Endpoint, new: NewEndpoint) -> Endpoint:
    """What was made under this id before, if it was the same. Raises `EndpointTaken`."""
    its = ("unit_code", "url", "description", "event_types", "ordered")
    if found.state != "removed" and all(getattr(found, name) == getattr(new, name) for name in its):
        secret = await _secret(tx, runtime, found)
        if secret == new.secret and await directory.sees(tx, caller.unit, found.unit_code):
            return found
    raise EndpointTaken(id=str(found.id))
