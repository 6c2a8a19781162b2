"""Whether master keys are those of a database: asked before anything is started that would have to open its texts."""

from pathlib import Path
from typing import Any

import asyncpg

from chassis.vault import sealing, store
from chassis.vault.masters import MasterKeys

_IS_THERE = "SELECT to_regclass('public.data_keys') IS NOT NULL"
_NEEDED = "SELECT id, owner, purpose, master_key, wrapped FROM public.data_keys WHERE emptied_at IS NULL"


async def require(connection: "asyncpg.Connection[Any]", keys: Path) -> None:
    """Returns when every data key that is still needed can be unwrapped with the master keys in the file `keys`, which
    need not be there where there is none. Raises `KeysMissing`, `KeysUnusable`."""
    if not await connection.fetchval(_IS_THERE):
        return
    masters = MasterKeys(keys)
    for row in [store.Row(*found) for found in await connection.fetch(_NEEDED)]:
        # Not by the name alone: every stack calls its first key the same.
        sealing.unwrap(masters.named(row.master_key), row.id, row.owner, row.purpose, row.wrapped)
