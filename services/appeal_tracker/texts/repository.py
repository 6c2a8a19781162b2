"""SQL of the texts."""

from collections.abc import Collection, Sequence
from uuid import UUID

from asyncpg import Record
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.texts.models import Text
from chassis.db import driver

# Of two that seal the same the first one is kept.
_KEEP = """
INSERT INTO texts (id, appeal_id, said) SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bytea[]) ON CONFLICT DO NOTHING
"""

# What older code wrote where it stood, by the table and the column of the appeal.
PLAIN = {
    "answers": ("appeal_id", ("content",)),
    "contacts": ("appeal_id", ("evidence", "note")),
    "callbacks": ("appeal_id", ("opinion", "failure_reason")),
    "holds": ("subject_id", ("reason", "note")),
}
_PLAIN = """
SELECT id, {appeal} AS appeal_id, {columns} FROM {table} WHERE {appeal} = ANY ($1::uuid[]) AND ({written})
ORDER BY id FOR UPDATE
"""
_EMPTY = "UPDATE {table} SET {nulls} WHERE id = ANY ($1::uuid[])"
_LINES = """
SELECT seq, appeal_id, data ->> 'note' AS note, data ->> 'reason' AS reason FROM timeline
WHERE appeal_id = ANY ($1::uuid[]) AND (data ->> 'note' IS NOT NULL OR data ->> 'reason' IS NOT NULL)
ORDER BY appeal_id, seq FOR UPDATE
"""
_REFER = """
UPDATE timeline SET data = data - ARRAY['note', 'reason'] || jsonb_build_object('text_id', new.text_id)
FROM unnest($1::uuid[], $2::bigint[], $3::uuid[]) AS new (appeal_id, seq, text_id)
WHERE timeline.appeal_id = new.appeal_id AND timeline.seq = new.seq
"""


async def keep(tx: AsyncSession, texts: Sequence[tuple[UUID, UUID, bytes]]) -> None:
    """Stores sealed texts: of what, about which appeal."""
    await (await driver(tx)).execute(_KEEP, *zip(*texts, strict=True))


async def find(tx: AsyncSession, ids: Collection[UUID]) -> Sequence[Text]:
    """The sealed texts of some rows."""
    return (await tx.scalars(select(Text).where(Text.id.in_(ids)))).all()


async def plain(tx: AsyncSession, table: str, appeals: Collection[UUID], code: str) -> Sequence[Record]:
    """The rows about some appeals whose words stand in the clear, locked; a hold whose reason is `code` says nothing of
    anybody."""
    appeal, columns = PLAIN[table]
    written = " OR ".join(f"{column} IS NOT NULL" for column in columns)
    if table == "holds":
        written = f"({written}) AND reason IS DISTINCT FROM '{code}'"
    statement = _PLAIN.format(table=table, appeal=appeal, columns=", ".join(columns), written=written)
    return list(await (await driver(tx)).fetch(statement, [*appeals]))


async def empty(tx: AsyncSession, table: str, ids: Collection[UUID]) -> None:
    """Takes the words out of rows, whose feeds do not tell them again for that."""
    nulls = ", ".join(f"{column} = NULL" for column in PLAIN[table][1])
    await (await driver(tx)).execute(_EMPTY.format(table=table, nulls=nulls), [*ids])


async def plain_lines(tx: AsyncSession, appeals: Collection[UUID]) -> Sequence[Record]:
    """The lines of timelines of some appeals whose words stand in the clear, locked."""
    return list(await (await driver(tx)).fetch(_LINES, [*appeals]))


async def refer(tx: AsyncSession, lines: Sequence[tuple[UUID, int, UUID]]) -> None:
    """Has lines name where their words are, instead of them."""
    await (await driver(tx)).execute(_REFER, *zip(*lines, strict=True))
