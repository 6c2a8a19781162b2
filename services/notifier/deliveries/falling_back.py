"""The next channel, where a message did not arrive by the one before: at once where that gave it up, after the time
that its route gives where it failed so far, or nobody knows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from notifier.deliveries import repository

# The states are literal, or a generic plan would miss the partial index.
_NOT_ARRIVED = text("""
SELECT * FROM deliveries WHERE fallback <> '{}' AND state IN ('dead', 'failed', 'unknown') AND not_before <= :now
    AND (state = 'dead' OR not_before + make_interval(secs => fallback_after) <= :now)
ORDER BY not_before LIMIT :limit FOR UPDATE SKIP LOCKED
""")
_PASSED_ON = text("UPDATE deliveries SET fallback = '{}' WHERE id = ANY (CAST(:ids AS uuid[]))")
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
    found = (await tx.execute(_NOT_ARRIVED, {"now": now, "limit": limit})).all()
    rows = [
        {name: getattr(each, name) for name in _KEPT}
        | {
            "id": new_id(),
            "channel": each.fallback[0],
            "fallback": list(each.fallback[1:]),
            "state": "queued",
            "why": f"fallback_of:{each.channel}",
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
