"""The dispatcher's claims and outcomes. Whoever claims holds the endpoint's row meanwhile, so that no two processes
choose the next message of one: that is what keeps an order."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from notifier.webhooks.models import Attempt

_READY = text("""
SELECT e.id, e.url, e.ordered, e.secret, e.failing_since,
    CASE WHEN e.old_secret_until > now() THEN e.old_secret END AS old_secret
FROM webhook_endpoints e
WHERE e.state = 'active' AND e.id <> ALL (CAST(:full AS uuid[])) AND EXISTS (
    SELECT FROM webhook_messages m
    WHERE m.endpoint_id = e.id AND m.state IN ('queued', 'sending') AND m.due_at <= now())
FOR NO KEY UPDATE OF e SKIP LOCKED
""")
# A statement of its own: it sees what those who held the endpoints before have written.
_CLAIM = text("""
WITH chosen AS (
    SELECT m.id FROM unnest(CAST(:free_ids AS uuid[]), CAST(:frees AS integer[])) AS e (id, free) CROSS JOIN LATERAL (
        SELECT id FROM webhook_messages
        WHERE endpoint_id = e.id AND state IN ('queued', 'sending') AND due_at <= now()
        ORDER BY due_at LIMIT e.free) m
    UNION ALL
    SELECT m.id FROM unnest(CAST(:ordered AS uuid[])) AS e (id) CROSS JOIN LATERAL (
        SELECT id, due_at FROM webhook_messages
        WHERE endpoint_id = e.id AND state IN ('queued', 'sending') ORDER BY seq LIMIT 1) m
    WHERE m.due_at <= now()
)
UPDATE webhook_messages m SET state = 'sending', attempts = attempts + 1, tries = tries + 1,
    due_at = now() + CAST(:lease AS interval)
FROM chosen WHERE m.id = chosen.id
RETURNING m.id, m.endpoint_id, m.payload, m.attempts, m.tries
""")
# Only the last to claim it may say what became of it.
_END = text("""
UPDATE webhook_messages SET state = :state, error = :error, updated_at = :now,
    due_at = now() + make_interval(secs => :pause), changed_xid = pg_current_xact_id()::text::bigint
WHERE id = :id AND state = 'sending' AND attempts = :attempts
""")
_WELL = text("""
UPDATE webhook_endpoints SET failing_since = NULL, updated_at = :now,
    changed_xid = pg_current_xact_id()::text::bigint WHERE id = :id AND failing_since IS NOT NULL
""")
_FAILING = text("""
UPDATE webhook_endpoints SET failing_since = now(), updated_at = :now,
    changed_xid = pg_current_xact_id()::text::bigint WHERE id = :id AND failing_since IS NULL
""")
_DISABLE = text("""
UPDATE webhook_endpoints SET state = 'disabled', why = :why, updated_at = :now,
    changed_xid = pg_current_xact_id()::text::bigint WHERE id = :id AND state = 'active'
""")
_SKIP = text("""
UPDATE webhook_messages SET state = 'skipped', updated_at = :now, changed_xid = pg_current_xact_id()::text::bigint
WHERE endpoint_id = :id AND state = 'queued'
""")


class Claimed(msgspec.Struct, frozen=True):
    """A message that is ours until its lease runs out, and where it goes."""

    id: UUID
    endpoint_id: UUID
    url: str
    payload: str
    secrets: Sequence[bytes]  # sealed, the present one first
    attempts: int
    tries: int
    failing: bool


async def claim(
    tx: AsyncSession, *, in_flight: Mapping[UUID, int], most: int, most_failing: int, lease: timedelta
) -> list[Claimed]:
    """Leases what is due: of an endpoint that keeps its order the next one, of others as many as may be under way."""
    full = [its for its, count in in_flight.items() if count >= most]
    endpoints = {row.id: row for row in await tx.execute(_READY, {"full": full})}
    free = {
        its: (most_failing if row.failing_since else most) - in_flight.get(its, 0)
        for its, row in endpoints.items()
        if not row.ordered
    }
    ordered = [its for its, row in endpoints.items() if row.ordered and not in_flight.get(its)]
    free = {its: count for its, count in free.items() if count > 0}
    if not free and not ordered:
        return []
    values = {"free_ids": list(free), "frees": list(free.values()), "ordered": ordered, "lease": lease}
    claimed = []
    for row in await tx.execute(_CLAIM, values):
        its = endpoints[row.endpoint_id]
        secrets = [its.secret, *([its.old_secret] if its.old_secret else [])]
        failing = its.failing_since is not None
        claimed.append(
            Claimed(row.id, row.endpoint_id, its.url, row.payload, secrets, row.attempts, row.tries, failing)
        )
    return claimed


async def note(tx: AsyncSession, attempt: Mapping[str, Any]) -> None:
    """Keeps what was asked and answered."""
    await tx.execute(insert(Attempt), [{"id": new_id(), **attempt}])


async def delivered(tx: AsyncSession, its: Claimed, now: datetime) -> None:
    """It arrived."""
    await _end(tx, its, "delivered", None, 0.0, now)
    if its.failing:
        await tx.execute(_WELL, {"id": its.endpoint_id, "now": now})


async def failed(tx: AsyncSession, its: Claimed, error: str, pause: float | None, now: datetime) -> None:
    """It did not; after the pause it is tried again, and without one it is given up."""
    await _end(tx, its, "dead" if pause is None else "queued", error, pause or 0.0, now)
    if not its.failing:
        await tx.execute(_FAILING, {"id": its.endpoint_id, "now": now})


async def gone(tx: AsyncSession, its: Claimed, now: datetime) -> None:
    """The endpoint says that it is no more: it is disabled, and nothing more is sent there."""
    await _end(tx, its, "dead", "status 410", 0.0, now)
    await disable(tx, its.endpoint_id, "gone", now)


async def disable(tx: AsyncSession, endpoint: UUID, why: str, now: datetime) -> None:
    """Nothing more is sent there; what waits can be replayed."""
    await tx.execute(_DISABLE, {"id": endpoint, "why": why, "now": now})
    await tx.execute(_SKIP, {"id": endpoint, "now": now})


async def _end(tx: AsyncSession, its: Claimed, state: str, error: str | None, pause: float, now: datetime) -> None:
    values = {"id": its.id, "attempts": its.attempts, "state": state, "error": error, "pause": pause, "now": now}
    await tx.execute(_END, values)
