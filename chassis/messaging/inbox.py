"""The inbox: "seen" is stored in the transaction of the effect, so a repeated event has no second effect."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import driver

_SEE = """
INSERT INTO inbox (event_id) SELECT DISTINCT unnest($1::uuid[]) ORDER BY 1
ON CONFLICT DO NOTHING RETURNING event_id
"""

_PURGE = text("""
DELETE FROM inbox WHERE event_id IN (
    SELECT event_id FROM inbox WHERE seen_at < now() - CAST(:keep AS interval) ORDER BY seen_at LIMIT 10000)
""")


async def see(tx: AsyncSession, ids: Sequence[UUID]) -> set[UUID]:
    """Marks events as seen; returns those that were not. A twin in another transaction is waited for."""
    return {row["event_id"] for row in await (await driver(tx)).fetch(_SEE, ids)}


async def purge(tx: AsyncSession, keep: timedelta) -> int:
    """Deletes marks older than `keep`, which must outlive every topic's retention; returns how many."""
    return (await tx.execute(_PURGE, {"keep": keep})).rowcount  # type: ignore[attr-defined,no-any-return]
