"""visit_api's database with a table of sealed notes, and vaults as its processes have them."""

import base64
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from chassis.db import Database, driver
from chassis.ids import new_id
from chassis.vault import Place, Sealed, Vault
from chassis.vault.rotation import Rotation
from deploy.local.databases import DatabaseUrls
from tests.support.databases import Databases

COLUMN = Sealed("notes", "words")
FIRST, SECOND = (f"{name} {base64.b64encode(bytes([sign] * 32)).decode()}\n" for name, sign in (("a", 1), ("b", 2)))


class Notes:
    """The database as the service's role and as the tables' owner use it."""

    def __init__(self, urls: DatabaseUrls, file: Path) -> None:
        self.urls, self.file = urls, file
        self.db, self.owner = Database(urls.service, pool_size=4), Database(urls.migration, pool_size=4)

    def vault(self) -> Vault:
        """What another process has."""
        return Vault(self.db, self.file)

    def rotation(self) -> Rotation:
        its = Rotation(self.owner, Vault(self.owner, self.file), [COLUMN])
        its.lingering = timedelta()
        return its

    async def write(self, vault: Vault, text: str, owner: str = "374") -> UUID:
        """A new note."""
        note = new_id()
        async with self.db.transaction() as tx:
            sealed = await vault.seal(tx, owner, Place("notes", "words", note), text)
            await (await driver(tx)).execute("INSERT INTO notes VALUES ($1, $2)", note, sealed)
        return note

    async def read(self, vault: Vault, id: UUID) -> str:
        async with self.db.transaction() as tx:
            sealed = await (await driver(tx)).fetchval("SELECT words FROM notes WHERE id = $1", id)
            return await vault.open(tx, Place("notes", "words", id), sealed)

    async def keys(self) -> dict[UUID, str]:
        """Under which key each note is sealed: its state."""
        async with self.db.connection() as connection:
            rows = await connection.fetch("""
                SELECT n.id, CASE WHEN k.emptied_at IS NOT NULL THEN 'emptied' WHEN k.retired_at IS NOT NULL
                                  THEN 'retired' ELSE 'current' END || ' ' || k.owner || ' ' || k.master_key AS its
                FROM notes n JOIN data_keys k ON uuid_send(k.id) = substring(n.words FROM 2 FOR 16)""")
        return {row["id"]: row["its"] for row in rows}


@pytest.fixture
async def notes(databases: Databases, tmp_path: Path) -> AsyncIterator[Notes]:
    """Nothing is sealed yet; there is one master key."""
    urls = await databases.lend("visit_api")
    its = Notes(urls, tmp_path / "keys")
    its.file.write_text(FIRST)
    async with its.owner.connection() as connection:
        await connection.execute("CREATE TABLE notes (id uuid PRIMARY KEY, words bytea)")
    yield its
    async with its.owner.connection() as connection:
        await connection.execute("DROP TABLE notes")
    await its.db.close()
    await its.owner.close()
    databases.give_back("visit_api", urls)
