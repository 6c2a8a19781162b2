"""The vault of a running service: seals, opens, and gives the index; remembers unwrapped keys, so many and no more."""

import asyncio
import os
import time
from collections import OrderedDict
from pathlib import Path
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import Database
from chassis.ids import new_id
from chassis.vault import sealing, store
from chassis.vault.errors import KeysMissing, NoDataKey
from chassis.vault.masters import SIZE, MasterKeys
from chassis.vault.sealing import DataKey, Place
from chassis.vault.searching import Index

REMEMBERED = 512  # keys, opened
FRESH_FOR = 30.0  # seconds after which a key that was retired meanwhile is no longer sealed under


class Vault:
    """What `runtime.vault` is. Nothing is read before it is first asked for something."""

    def __init__(self, db: Database, keys: Path | None) -> None:
        self._db, self.masters = db, MasterKeys(keys)
        self._keys: OrderedDict[UUID, DataKey] = OrderedDict()
        self._current: OrderedDict[str, tuple[DataKey, float]] = OrderedDict()
        self._index: Index | None = None
        self._making = asyncio.Lock()

    async def seal(self, tx: AsyncSession, owner: str, place: Place, text: str) -> bytes:
        """`text` of `owner`, sealed for `place`. Raises `KeysMissing`, `KeysUnusable`."""
        return (await self._sealing(tx, owner)).seal(place, text)

    async def key(self, tx: AsyncSession, owner: str) -> DataKey:
        """What `owner`'s values are sealed under now: for whoever seals a thousand at once, and forgets it then."""
        return await self._sealing(tx, owner)

    async def open(self, tx: AsyncSession, place: Place, sealed: bytes) -> str:
        """What was sealed for `place`. Raises `Misplaced` for anything else, `KeysMissing`, `KeysUnusable`."""
        return (await self._key(tx, sealing.key_of(sealed))).open(place, sealed)

    async def owner(self, tx: AsyncSession, sealed: bytes) -> str:
        """Whose key a value is sealed under. Raises `Misplaced`, `KeysMissing`, `KeysUnusable`."""
        return (await self._key(tx, sealing.key_of(sealed))).owner

    async def index(self, tx: AsyncSession) -> Index:
        """The hashes by which sealed text is found. Their key stays, or nothing would be found any more."""
        if self._index is None:
            self._index = Index(self._unwrapped(await self._row(tx, "", store.SEARCHING)).secret)
        return self._index

    async def _sealing(self, tx: AsyncSession, owner: str) -> DataKey:
        key, since = self._current.get(owner, (None, 0.0))
        if key is None or time.monotonic() - since > FRESH_FOR:
            key = self._remember(await self._row(tx, owner, store.SEALING))
            self._current[owner] = key, time.monotonic()
            self._current.move_to_end(owner)
            if len(self._current) > REMEMBERED:
                self._current.popitem(last=False)
        return key

    async def _key(self, tx: AsyncSession, id: UUID) -> DataKey:
        if id in self._keys:
            self._keys.move_to_end(id)
            return self._keys[id]
        row = await store.by_id(tx, id)
        if row is None:
            raise NoDataKey(f"there is no data key {id}: are table and rows from one backup?")
        return self._remember(row)

    async def _row(self, tx: AsyncSession, owner: str, purpose: str) -> store.Row:
        found = await store.current(tx, owner, purpose)
        if found is None:
            async with self._making:  # of this process one; others are told apart by the table
                found = await store.current(tx, owner, purpose)
                if found is None:
                    await store.make(self._db, self.new_row(owner, purpose))
                    found = await store.current(tx, owner, purpose)
        if found is None:
            raise KeysMissing(f"the data key of {owner!r} was made and is not seen")
        return found

    def new_row(self, owner: str, purpose: str) -> store.Row:
        """A new data key, wrapped by what the file says now is the current master key."""
        master, key_id = self.masters.read(), new_id()
        wrapped = sealing.wrap(master, key_id, owner, purpose, os.urandom(SIZE))
        return store.Row(key_id, owner, purpose, master.name, wrapped)

    def _unwrapped(self, row: store.Row) -> DataKey:
        master = self.masters.named(row.master_key)
        try:
            secret = sealing.unwrap(master, row.id, row.owner, row.purpose, row.wrapped)
        except KeysMissing:
            self.masters.forget()  # it may be the wrong file, and be put right
            raise
        return DataKey(row.id, row.owner, secret)

    def _remember(self, row: store.Row) -> DataKey:
        key = self._keys[row.id] = self._keys.get(row.id) or self._unwrapped(row)
        self._keys.move_to_end(row.id)
        if len(self._keys) > REMEMBERED:
            self._keys.popitem(last=False)
        return key
