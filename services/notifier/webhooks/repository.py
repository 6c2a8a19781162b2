"""SQL of webhooks, but for the dispatcher's own (`claims`)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import scope
from chassis.web.paging import Listing, Window
from notifier.directory.models import Unit
from notifier.webhooks.models import Attempt, Endpoint, Message

_ANY = text("SELECT true FROM webhook_endpoints WHERE state <> 'removed' LIMIT 1")
# Who subscribed to an event sees it: the endpoint's unit, or the one that merged with, is one of those named in it, or
# above one of them. For an endpoint that is disabled it is kept all the same, to be replayed.
_HEAR = text("""
WITH RECURSIVE line (unit, code) AS (
    SELECT DISTINCT its, its FROM unnest(CAST(:codes AS text[])) AS its
    UNION SELECT line.unit, units.parent_code FROM line JOIN units ON units.code = line.code
    WHERE units.parent_code IS NOT NULL
)
INSERT INTO webhook_messages (id, endpoint_id, event_id, event_type, payload, state, heard_at, updated_at)
SELECT gen_random_uuid(), e.id, m.id, m.type, m.payload, CASE e.state WHEN 'active' THEN 'queued' ELSE 'skipped' END,
    :at, :at
FROM unnest(CAST(:ids AS uuid[]), CAST(:types AS text[]), CAST(:payloads AS text[]), CAST(:firsts AS text[]),
            CAST(:seconds AS text[])) WITH ORDINALITY AS m (id, type, payload, first, second, place)
JOIN webhook_endpoints e ON e.state <> 'removed' AND (m.type = ANY (e.event_types) OR '*' = ANY (e.event_types))
WHERE EXISTS (SELECT FROM line WHERE line.unit IN (m.first, m.second) AND line.code =
    coalesce((SELECT max(units.merged_into) FROM units WHERE units.code = e.unit_code), e.unit_code))
ORDER BY m.place
ON CONFLICT (endpoint_id, event_id) DO NOTHING
""")
_REPLAY = text("""
UPDATE webhook_messages SET state = 'queued', tries = 0, due_at = now(), error = NULL, updated_at = :now,
    changed_xid = pg_current_xact_id()::text::bigint
WHERE endpoint_id = :endpoint AND heard_at >= :since AND heard_at < :until
    AND state = ANY (CAST(:states AS text[]))
""")
_COUNT = text("""
SELECT count(*) FROM webhook_messages WHERE endpoint_id = :endpoint AND heard_at >= :since AND heard_at < :until
    AND state = ANY (CAST(:states AS text[]))
""")
_PURGE = text("""
DELETE FROM webhook_messages WHERE id IN (
    SELECT id FROM webhook_messages WHERE made_at < now() - CAST(:age AS interval)
    AND state NOT IN ('queued', 'sending') ORDER BY made_at LIMIT :limit)
""")


async def is_any(tx: AsyncSession) -> bool:
    """Whether anybody listens at all."""
    return bool(await tx.scalar(_ANY))


async def hear(tx: AsyncSession, messages: Sequence[tuple[UUID, str, str, Sequence[str]]], at: datetime) -> None:
    """Stores for each endpoint what it subscribed to: events as id, type, payload, and the units they name."""
    await tx.execute(
        _HEAR,
        {
            "codes": [unit for its in messages for unit in its[3]],
            "ids": [its[0] for its in messages],
            "types": [its[1] for its in messages],
            "payloads": [its[2] for its in messages],
            "firsts": [its[3][0] for its in messages],
            "seconds": [its[3][-1] for its in messages],
            "at": at,
        },
    )


def _seen(unit: str | None) -> Select[Endpoint]:
    return select(Endpoint).where(scope.within(Unit, unit, Endpoint.unit_code))


async def page(tx: AsyncSession, unit: str | None, window: Window, **same: str | None) -> Listing[Endpoint]:
    """Endpoints seen from `unit`; a feed tells also of removed ones."""
    query = _seen(unit).filter_by(**{name: value for name, value in same.items() if value is not None})
    if not window.is_feed:
        query = query.where(Endpoint.state != "removed")
    return await window.fetch(tx, query, Endpoint)


async def get(tx: AsyncSession, unit: str | None, id: UUID, *, lock: bool = False) -> Endpoint | None:
    """The endpoint, unless it is removed; locked for a change if asked."""
    query = _seen(unit).where(Endpoint.id == id, Endpoint.state != "removed")
    return await tx.scalar(query.with_for_update(of=Endpoint) if lock else query)


async def messages(
    tx: AsyncSession, unit: str | None, window: Window, *, endpoint_id: UUID | None, **same: str | None
) -> Listing[Message]:
    """Messages to the endpoints seen from `unit`."""
    query = select(Message).where(Message.endpoint_id.in_(_seen(unit).with_only_columns(Endpoint.id)))
    if endpoint_id is not None:
        query = query.where(Message.endpoint_id == endpoint_id)
    query = query.filter_by(**{name: value for name, value in same.items() if value is not None})
    return await window.fetch(tx, query, Message)


async def message(tx: AsyncSession, unit: str | None, id: UUID, *, lock: bool = False) -> Message | None:
    """The message, if its endpoint is seen from `unit`."""
    query = select(Message).where(Message.id == id, Message.endpoint_id.in_(_seen(unit).with_only_columns(Endpoint.id)))
    return await tx.scalar(query.with_for_update(of=Message) if lock else query)


async def attempts(tx: AsyncSession, message: UUID) -> Sequence[Attempt]:
    """Every attempt at a message, in order."""
    return (await tx.scalars(select(Attempt).where(Attempt.message_id == message).order_by(Attempt.at))).all()


async def replay(tx: AsyncSession, span: dict[str, Any], now: datetime, *, dry_run: bool) -> int:
    """Queues the messages of a span again; how many there are."""
    if dry_run:
        return int(await tx.scalar(_COUNT, span) or 0)
    done: Any = await tx.execute(_REPLAY, span | {"now": now})
    return int(done.rowcount)


async def purge(tx: AsyncSession, days: int, limit: int) -> int:
    """Deletes what has come to its end so long ago, with its attempts."""
    done: Any = await tx.execute(_PURGE, {"age": timedelta(days=days), "limit": limit})
    return int(done.rowcount)
