"""Keys are changed while services run: `python -m <service> rotate-keys`, as the role that owns the tables.

First every data key is wrapped by the current master key, after which an older one may leave the file. Then each owner
gets a new data key, and what was sealed under the one before is sealed anew, batch by batch. Killed half way, the next
call goes on: what is still sealed under a retired key shows it, and no second generation is begun before that is done.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from asyncpg import DeadlockDetectedError
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import Database, driver
from chassis.vault import sealing, store
from chassis.vault.sealing import KEY_ID_AT, Place, Sealed
from chassis.vault.vault import FRESH_FOR, Vault

log = logging.getLogger(__name__)

BATCH = 500  # rows of one transaction
# A process may seal under a retired key for so long, and its transaction last so long again.
LINGERING = timedelta(seconds=FRESH_FOR + 60)

_ALONE = "SELECT pg_try_advisory_lock(hashtext('rotate-keys'))"
_ALL = "SELECT id, owner, purpose, master_key, wrapped FROM data_keys"
_WRAPPED = "UPDATE data_keys SET master_key = $2, wrapped = $3 WHERE id = $1"
_UNFINISHED = "SELECT count(*) FROM data_keys WHERE retired_at IS NOT NULL AND emptied_at IS NULL"
_RETIRE = "UPDATE data_keys SET retired_at = now() WHERE id = $1"
_MAKE = "INSERT INTO data_keys (id, owner, purpose, master_key, wrapped) VALUES ($1, $2, $3, $4, $5)"
_RETIRED = "SELECT id FROM data_keys WHERE retired_at IS NOT NULL AND emptied_at IS NULL"
_LINGERS = "SELECT EXISTS (SELECT FROM data_keys WHERE emptied_at IS NULL AND retired_at > now() - $1::interval)"
_EMPTIED = "UPDATE data_keys SET emptied_at = now() WHERE id = ANY($1)"
# A table is gone through some rows at a time, whether or not they are to be sealed anew: no statement grows with it.
_UPTO = "SELECT {key} FROM {table} WHERE $1::uuid IS NULL OR {key} > $1 ORDER BY {key} OFFSET {batch} - 1 LIMIT 1"
_OLD = """
SELECT {key}, {column} FROM {table}
WHERE ($2::uuid IS NULL OR {key} > $2) AND ($3::uuid IS NULL OR {key} <= $3)
  AND substring({column} FROM {at} FOR 16) = ANY($1::bytea[])
ORDER BY {key} FOR UPDATE
"""
_RESEAL = """
UPDATE {table} SET {column} = new.sealed FROM unnest($1::uuid[], $2::bytea[]) AS new (row, sealed)
WHERE {table}.{key} = new.row
"""


class AnotherRuns(Exception):
    """Somebody else changes the keys of this database at this moment."""

    def __init__(self) -> None:
        super().__init__("another rotate-keys runs on this database")


@dataclass
class Done:
    """What a rotation did."""

    wrapped: int = 0
    made: int = 0
    sealed: int = 0


class Rotation:
    """One change of keys; `db` is reached as the tables' owner."""

    lingering = LINGERING

    def __init__(self, db: Database, vault: Vault, columns: Sequence[Sealed]) -> None:
        self._db, self._vault, self._columns = db, vault, columns
        self.done = Done()

    async def run(self, *, wrap_only: bool = False) -> Done:
        """Does all of it. Raises `AnotherRuns`, `KeysMissing`, `KeysUnusable`."""
        alone = await self._db.dedicated()
        try:
            if not await alone.fetchval(_ALONE):
                raise AnotherRuns
            await self.wrap()
            if not wrap_only:
                await self.renew()
                await self.reseal()
        finally:
            await alone.close()
        return self.done

    async def wrap(self) -> None:
        """Has every data key wrapped by the current master key."""
        master = self._vault.masters.read()
        async with self._db.transaction() as tx:
            connection = await driver(tx)
            for row in [store.Row(*found) for found in await connection.fetch(_ALL + " FOR UPDATE")]:
                if row.master_key != master.name:
                    old = self._vault.masters.named(row.master_key)
                    secret = sealing.unwrap(old, row.id, row.owner, row.purpose, row.wrapped)
                    wrapped = sealing.wrap(master, row.id, row.owner, row.purpose, secret)
                    await connection.execute(_WRAPPED, row.id, master.name, wrapped)
                    self.done.wrapped += 1

    async def renew(self) -> None:
        """Gives each owner a new data key, unless there is still something under the ones before."""
        async with self._db.transaction() as tx:
            connection = await driver(tx)
            if await connection.fetchval(_UNFINISHED):
                return
            current = _ALL + " WHERE retired_at IS NULL AND purpose = $1 FOR UPDATE"
            for found in await connection.fetch(current, store.SEALING):
                row = store.Row(*found)
                await connection.execute(_RETIRE, row.id)
                await connection.execute(_MAKE, *self._vault.new_row(row.owner, row.purpose))
                self.done.made += 1

    async def reseal(self) -> None:
        """Seals anew what stands under retired keys, until nobody can have sealed under one any more."""
        while True:
            async with self._db.transaction() as tx:
                connection = await driver(tx)
                retired = [row["id"] for row in await connection.fetch(_RETIRED)]
                lingers = await connection.fetchval(_LINGERS, self.lingering)
            moved = sum([await self._reseal_column(column, retired) for column in self._columns])
            self.done.sealed += moved
            if not moved and not lingers:
                break
            if not moved:
                log.info("waiting until every process seals under the new keys")
                await asyncio.sleep(min(5.0, self.lingering.total_seconds()))
        async with self._db.transaction() as tx:
            await (await driver(tx)).execute(_EMPTIED, retired)

    async def _reseal_column(self, column: Sealed, retired: Sequence[UUID]) -> int:
        last, moved = await self._reseal_batch(column, retired, None)
        while last is not None:
            last, more = await self._reseal_batch(column, retired, last)
            moved += more
        return moved

    async def _reseal_batch(
        self, column: Sealed, retired: Sequence[UUID], last: UUID | None
    ) -> tuple[UUID | None, int]:
        """Seals anew what is to be among the rows after `last`: where it came to, None at the end; and how many. Where
        a service holds the same rows in another order, and it falls to this to give way, it is done again."""
        while True:
            try:
                return await self._reseal_once(column, retired, last)
            except DeadlockDetectedError:
                log.info("gave way to a service, and tries again", extra={"table": column.table})

    async def _reseal_once(self, column: Sealed, retired: Sequence[UUID], last: UUID | None) -> tuple[UUID | None, int]:
        its = {"table": column.table, "column": column.column, "key": column.key}
        async with self._db.transaction() as tx:
            connection = await driver(tx)
            upto = await connection.fetchval(_UPTO.format(**its, batch=BATCH), last)
            old = _OLD.format(**its, at=KEY_ID_AT)
            rows = await connection.fetch(old, [key.bytes for key in retired], last, upto)
            if rows:
                anew = [await self._anew(tx, Place(column.table, column.column, row[0]), row[1]) for row in rows]
                await connection.execute(_RESEAL.format(**its), [row[0] for row in rows], anew)
        return upto, len(rows)

    async def _anew(self, tx: AsyncSession, place: Place, sealed: bytes) -> bytes:
        owner = await self._vault.owner(tx, sealed)
        return await self._vault.seal(tx, owner, place, await self._vault.open(tx, place, sealed))
