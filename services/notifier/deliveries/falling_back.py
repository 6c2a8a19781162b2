"""The next channel, where a message did not arrive by the one before: at once where that gave it up, after the time
that its route gives where it failed so far, or nobody knows; or where it was taken, and the receipt that its provider
sends of what arrived did not come."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from notifier.deliveries import repository
from notifier.deliveries.decision import NO_RECEIPT

# The states are literal, or a generic plan would miss the partial index.
_NOT_ARRIVED = text("""
SELECT * FROM deliveries WHERE fallback <> '{}' AND state IN ('dead', 'failed', 'unknown') AND not_before <= :now
    AND (state = 'dead' OR not_before + make_interval(secs => fallback_after) <= :now)
ORDER BY not_before LIMIT :limit FOR UPDATE SKIP LOCKED
""")
_PASSED_ON = text("UPDATE deliveries SET fallback = '{}' WHERE id = ANY (CAST(:ids AS uuid[]))")
# By an account without receipts nothing more will be heard of it, whatever became of it: it is looked at once.
_WITHOUT_RECEIPT = text("""
SELECT d.*, a.callback_secret IS NOT NULL AND d.sent_at + make_interval(secs => d.fallback_after) > :since AS missed
FROM deliveries d LEFT JOIN sends s ON s.id = d.send_id LEFT JOIN accounts a ON a.id = s.account_id
WHERE d.fallback <> '{}' AND d.state = 'sent' AND d.sent_at <= :now
    AND d.sent_at + make_interval(secs => d.fallback_after) <= :now
ORDER BY d.sent_at LIMIT :limit FOR UPDATE OF d SKIP LOCKED
""")
_UNRECEIPTED = text("""
UPDATE deliveries SET why = :why, updated_at = :now, changed_xid = pg_current_xact_id()::text::bigint
WHERE id = ANY (CAST(:ids AS uuid[]))
""")
LATEST = timedelta(days=1)  # what should have fallen back longer ago, while all stood still, is news to nobody
_KEPT = (
    "event_id",
    "recipient",
    "recipient_kind",
    "audience",
    "audience_unit",
    "audience_role",
    "on_duty",
    "instead_of",
    "route",
    "passes",
    "working_days",
    "fallback_after",
)


async def fall_back(tx: AsyncSession, now: datetime, limit: int) -> Sequence[Any]:
    """Has what did not arrive go by the next channel of its route; returns what was found not to have."""
    found: list[Any] = [*(await tx.execute(_NOT_ARRIVED, {"now": now, "limit": limit})).all()]
    found += await _without_receipt(tx, now, limit)
    rows = [
        {name: getattr(each, name) for name in _KEPT}
        | {
            "id": new_id(),
            "channel": each.fallback[0],
            "fallback": list(each.fallback[1:]),
            "state": "queued",
            "why": f"fallback_of:{each.channel}",
            "fallback_of": each.channel,
            "not_before": now,
            "planned_at": now,
            "updated_at": now,
        }
        for each in found
    ]
    # Whoever is told by that channel already, as of another audience or by another channel's fallback, is told.
    once = {(row["event_id"], row["recipient"], row["channel"]): row for row in reversed(rows)}
    await repository.plan(tx, [*once.values()])
    if found:
        await tx.execute(_PASSED_ON, {"ids": [each.id for each in found]})
    return found


async def _without_receipt(tx: AsyncSession, now: datetime, limit: int) -> list[Any]:
    """What was taken, and of which no receipt came in the time that its route gives. It stays as it is: one that comes
    all the same settles it."""
    rows = (await tx.execute(_WITHOUT_RECEIPT, {"now": now, "since": now - LATEST, "limit": limit})).all()
    missed = [row for row in rows if row.missed]
    if missed:
        await tx.execute(_UNRECEIPTED, {"ids": [row.id for row in missed], "why": NO_RECEIPT, "now": now})
    if len(missed) < len(rows):
        await tx.execute(_PASSED_ON, {"ids": [row.id for row in rows if not row.missed]})
    return missed
