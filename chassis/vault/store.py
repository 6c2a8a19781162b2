"""The rows of `data_keys`."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import Database, driver

SEALING, SEARCHING = "sealing", "searching"

_CURRENT = "SELECT id, owner, purpose, master_key, wrapped FROM data_keys WHERE owner = $1 AND purpose = $2"
_CURRENT += " AND retired_at IS NULL"
_BY_ID = "SELECT id, owner, purpose, master_key, wrapped FROM data_keys WHERE id = $1"
# Of two that are made at once the first one committed is taken, by both.
_MAKE = """
INSERT INTO data_keys (id, owner, purpose, master_key, wrapped) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (owner, purpose) WHERE retired_at IS NULL DO NOTHING
"""


class Row(NamedTuple):
    """A data key as it is stored."""

    id: UUID
    owner: str
    purpose: str
    master_key: str
    wrapped: bytes


async def current(tx: AsyncSession, owner: str, purpose: str) -> Row | None:
    """The key that `owner`'s values are sealed under now."""
    found = await (await driver(tx)).fetchrow(_CURRENT, owner, purpose)
    return None if found is None else Row(*found)


async def by_id(tx: AsyncSession, id: UUID) -> Row | None:
    """The key `id`, retired or not."""
    found = await (await driver(tx)).fetchrow(_BY_ID, id)
    return None if found is None else Row(*found)


async def make(db: Database, row: Row) -> None:
    """Stores a key unless its owner has one, at once and for good: what is sealed under it may be stored by another
    transaction than the one that asked for it. On a connection of its own: all of the pool may be waiting for it."""
    connection = await db.dedicated()
    try:
        await connection.execute(_MAKE, *row)
    finally:
        await connection.close()
