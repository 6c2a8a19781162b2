"""Whether the files that are archived are still the bytes that were archived: their hashes are in the record, which is
chained, and the store is asked for each of them. Those of visits that are not archived yet follow."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from chassis.chain.command import Looked
from chassis.chain.verifying import Finding, has
from chassis.db import Database, driver
from chassis.vault import KeysMissing, Misplaced, Place, Vault
from visit_api.attachments.store import FileStore, Store
from visit_api.settings import Settings

_BATCH = 100  # rows read at once
_ENTRIES = "SELECT id, record, {sealed} AS sealed FROM archive_entries WHERE id > $1 ORDER BY id LIMIT $2"
_STORED = "SELECT id, sha256 FROM attachments WHERE state = 'stored' AND id > $1 ORDER BY id LIMIT $2"


class _Named(NamedTuple):
    """A file, and the row that names it."""

    source: str
    row_id: UUID
    id: str
    sha256: str


async def files(settings: Settings, db: Database, vault: Vault, folder: Path | None) -> AsyncIterator[Looked]:
    """Each file once, as it is named first; the folder is that of the settings where none is said."""
    store, seen = FileStore(folder or settings.attachments_dir), set[str]()
    for named in (_archived(db, vault), _stored(db)):
        async for file in named:
            if file.sha256 not in seen:
                seen.add(file.sha256)
                yield await _looked_at(store, file)


async def _looked_at(store: Store, file: _Named) -> Looked:
    digest, size, what = hashlib.sha256(), 0, None
    try:
        async for chunk in store.open(file.sha256):
            digest.update(chunk)
            size += len(chunk)
        if digest.hexdigest() != file.sha256:
            what = "file changed"
    except FileNotFoundError:
        what = "file missing"
    except OSError:
        what = "file unread"
    its = Finding(what, source=file.source, row_id=file.row_id, named=f"{file.id} {file.sha256}") if what else None
    return Looked(size, its)


async def _archived(db: Database, vault: Vault) -> AsyncIterator[_Named]:
    """The files in all records. What cannot be opened is found by who compares the records themselves."""
    entries = _ENTRIES.format(sealed="sealed" if await has(db, "archive_entries", "sealed") else "NULL")
    at = UUID(int=0)
    while True:
        async with db.transaction() as tx:
            rows = await (await driver(tx)).fetch(entries, at, _BATCH)
            texts = [(row["id"], row["record"] or await _opened(tx, vault, row["id"], row["sealed"])) for row in rows]
        for row_id, text in texts:
            for each in _record(text).get("attachments", ()):
                yield _Named("archive_entries", row_id, each["id"], each["sha256"])
        if not rows:
            return
        at = rows[-1]["id"]


async def _opened(tx: Any, vault: Vault, row_id: UUID, sealed: bytes | None) -> str:
    try:
        return await vault.open(tx, Place("archive_entries", "sealed", row_id), sealed or b"")
    except (Misplaced, KeysMissing):
        return "{}"


def _record(text: Any) -> dict[str, Any]:
    # As text, unless somebody taught the connection to read it.
    its: dict[str, Any] = msgspec.json.decode(text) if isinstance(text, str) else text
    return its


async def _stored(db: Database) -> AsyncIterator[_Named]:
    at = UUID(int=0)
    while True:
        async with db.transaction() as tx:
            rows = await (await driver(tx)).fetch(_STORED, at, _BATCH)
        for row in rows:
            yield _Named("attachments", row["id"], str(row["id"]), row["sha256"])
        if not rows:
            return
        at = rows[-1]["id"]
