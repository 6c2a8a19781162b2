"""Verifying: every link hashes the one before, every row is what was sealed, and what is older elsewhere is still here.

A chain shows what was done to its rows. That its own end was cut off, together with the rows, only somebody else can
tell who kept a head of it: a file of heads that `--save` wrote, or another database, such as a restored backup.
"""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.chain.links import START, Link, Source, digest, linked
from chassis.chain.rows import rows_of
from chassis.db import Database, driver
from chassis.vault import KeysMissing, Misplaced, NoDataKey, Place, Vault

_BATCH = 1000  # links read at once
_CHAIN = """
SELECT top, seq, source, row_id, form, digest, link FROM chain
WHERE (top, seq) > ($1, $2) ORDER BY top, seq LIMIT $3
"""
_UNSEALED = """
SELECT id FROM {table} AS its
WHERE NOT EXISTS (SELECT FROM chain WHERE source = '{table}' AND row_id = its.id) ORDER BY id
"""
_HAS = "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = $1::text::regclass AND attname = $2)"
_LINK_AT = "SELECT link FROM chain WHERE top = $1 AND seq = $2"


class Finding(NamedTuple):
    """Something that is not as it was sealed: `edited`, `removed`, `broken` (a link was edited, removed or moved),
    `unsealed` (a row that no link names), `resealed` (sealed text that is not what was chained), `cut` or `rewritten`
    (what an older head shows), `file missing` and `file changed`; or what nobody can tell of: `unopened` text, a
    `file unread`. `named`: the file."""

    what: str
    top: str = ""
    seq: int | None = None
    source: str = ""
    row_id: UUID | None = None
    named: str = ""

    def __str__(self) -> str:
        at = f" chain {self.top or '(of no unit)'} link {self.seq}" if self.seq is not None else ""
        return f"{self.what}{at}" + (f" {self.source} {self.row_id}" if self.row_id else "") + f" {self.named}".rstrip()


class Head(NamedTuple):
    """The end of a chain, at one time."""

    seq: int
    link: str


class Report(NamedTuple):
    """What a verification saw; a whole chain has no finding but rows that have been waiting for a moment."""

    links: int
    heads: Mapping[str, Head]
    findings: Sequence[Finding]


async def verify(connection: asyncpg.Connection, sources: Sequence[Source]) -> Report:
    """Goes through all chains and all their rows, as they stand at one moment."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        findings: list[Finding] = []
        heads: dict[str, Head] = {}
        count, at = 0, ("", 0)
        while batch := [Link(*row) for row in await connection.fetch(_CHAIN, *at, _BATCH)]:
            findings += await _rows_differ(connection, sources, batch)
            for link in batch:
                before = heads.get(link.top, Head(0, START.hex()))
                expected = linked(bytes.fromhex(before.link), link.top, before.seq + 1, *link[2:6])
                if expected != link:
                    findings.append(Finding("broken", link.top, link.seq, link.source, link.row_id))
                heads[link.top] = Head(link.seq, link.link.hex())
            count, at = count + len(batch), batch[-1][:2]
        for source in sources:
            statement = _UNSEALED.format(table=source.table)
            findings += [
                Finding("unsealed", source=source.table, row_id=row["id"]) for row in await connection.fetch(statement)
            ]
    return Report(count, heads, findings)


async def still_said(db: Database, vault: Vault, source: Source) -> list[Finding]:
    """Rows whose sealed text is gone, cannot be opened where it stands, or is not what was chained: `resealed`; where
    it is the master key that is not at hand, `unopened`. Nothing, where the copy is of before any was sealed: a chained
    digest is read with its row, and missed there."""
    if source.said is None:
        return []
    sealed, said = source.said
    if not await has(db, source.table, said):
        return []
    statement = f"""
        SELECT id, {sealed}, {said} FROM {source.table} WHERE {said} IS NOT NULL AND id > $1 ORDER BY id LIMIT 200
    """  # noqa: S608 - names of ours
    findings, at = [], UUID(int=0)
    while True:
        async with db.transaction() as tx:
            rows = await (await driver(tx)).fetch(statement, at)
            for row_id, text, expected in rows:
                what = await _said(tx, vault, Place(source.table, sealed, row_id), text or b"", expected)
                if what is not None:
                    findings.append(Finding(what, source=source.table, row_id=row_id))
        if not rows:
            return findings
        at = rows[-1]["id"]


async def has(db: Database, table: str, column: str) -> bool:
    """Whether a table has a column: in a copy of an older revision it may not be there yet."""
    async with db.transaction() as tx:
        return bool(await (await driver(tx)).fetchval(_HAS, table, column))


async def _said(tx: AsyncSession, vault: Vault, place: Place, sealed: bytes, expected: bytes) -> str | None:
    try:
        its = await vault.open(tx, place, sealed)
    except (Misplaced, NoDataKey):  # a value may also have been made to name a key that never was
        return "resealed"
    except KeysMissing:
        return "unopened"
    return None if hashlib.sha256(its.encode()).digest() == expected else "resealed"


async def still_there(connection: asyncpg.Connection, older: Mapping[str, Head]) -> list[Finding]:
    """Where an older head is not part of the chain any more."""
    findings = []
    for top, head in older.items():
        link = await connection.fetchval(_LINK_AT, top, head.seq)
        if link is None:
            findings.append(Finding("cut", top, head.seq))
        elif link.hex() != head.link:
            findings.append(Finding("rewritten", top, head.seq))
    return findings


async def _rows_differ(
    connection: asyncpg.Connection, sources: Sequence[Source], links: Sequence[Link]
) -> list[Finding]:
    known, findings = {source.table: source for source in sources}, []
    for table, its in groupby(sorted(links, key=lambda link: link.source), key=lambda link: link.source):
        group = list(its)
        if table not in known:
            findings += [Finding("broken", link.top, link.seq, table, link.row_id) for link in group]
            continue
        forms = sorted({link.form for link in group} & known[table].forms.keys())
        rows = await rows_of(connection, known[table], [link.row_id for link in group], forms)
        for link in group:
            if link.row_id not in rows:
                findings.append(Finding("removed", link.top, link.seq, table, link.row_id))
            elif link.form not in forms or digest(known[table], link.form, rows[link.row_id]) != link.digest:
                findings.append(Finding("edited", link.top, link.seq, table, link.row_id))
    return findings
