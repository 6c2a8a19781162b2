"""The bare limit of writing: what a service wrote to its database, written again, bare, to a twin of it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from bench.ground import Ground

EVENTS = 2000  # told in one transaction: past that it gets no faster

# What the server generates by itself is left out; an array and a document travel as text, as unnest wants it.
_COLUMNS = """
SELECT attname AS name, format_type(atttypid, atttypmod) AS type,
       format_type(atttypid, atttypmod) = 'jsonb' OR attndims > 0 AS as_text
FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attidentity = ''
ORDER BY attnum
"""

Parts = list[list[list[Any]]]  # transactions, of tables, of columns


class Copy:
    """Follows a service's tables, in which one row of the first table stands for one event."""

    def __init__(self, source: asyncpg.Connection, twin: asyncpg.Connection) -> None:
        self._source, self._twin = source, twin
        self._reads: list[str] = []
        self._writes: list[str] = []
        self._seen = 0  # the last transaction that was copied
        self.events = self.rows = 0  # copied so far

    async def follow(self, tables: Sequence[str]) -> None:
        """Names the tables, and begins after what is in them now."""
        for table in tables:
            columns = await self._source.fetch(_COLUMNS, table)
            read = ", ".join(f'"{c["name"]}"::text' if c["as_text"] else f'"{c["name"]}"' for c in columns)
            self._reads.append(f"SELECT {read} FROM {table} WHERE xmin::text::bigint > $1")
            places = [f"${n}::{'text' if c['as_text'] else c['type']}[]" for n, c in enumerate(columns, 1)]
            values = ", ".join(f"c{n}::{c['type']}" for n, c in enumerate(columns, 1))
            names = ", ".join(f'"{c["name"]}"' for c in columns)
            aliases = ", ".join(f"c{n}" for n in range(1, len(columns) + 1))
            source = f"unnest({', '.join(places)}) AS u ({aliases})"
            self._writes.append(f"INSERT INTO {table} ({names}) SELECT {values} FROM {source}")
        self._seen = await self._now()

    async def waiting(self) -> Parts:
        """What was written since the last time, cut into transactions."""
        tables = [await self._source.fetch(read, self._seen) for read in self._reads]
        self._seen = await self._now()
        self.events += len(tables[0])
        self.rows += sum(map(len, tables))
        count = -(-len(tables[0]) // EVENTS)
        return [[_columns(rows, n, count) for rows in tables] for n in range(count)]

    async def store(self, parts: Parts) -> None:
        """Writes it to the twin."""
        statements = [await self._twin.prepare(write) for write in self._writes]
        for part in parts:
            async with self._twin.transaction():
                for statement, columns in zip(statements, part, strict=True):
                    if columns:
                        await statement.fetch(*columns)

    async def _now(self) -> int:
        return int(await self._source.fetchval("SELECT pg_current_xact_id()::text::bigint"))


def _columns(rows: Sequence[asyncpg.Record], part: int, of: int) -> list[list[Any]]:
    its = rows[len(rows) * part // of : len(rows) * (part + 1) // of]
    return [list(column) for column in zip(*its, strict=True)]


@asynccontextmanager
async def copies(ground: Ground, service: str, tables: Sequence[str]) -> AsyncIterator[Copy]:
    """A copy of the service's `tables` to an empty twin of its database."""
    urls, twin_urls = await ground.database(service), await ground.database(f"{service}_twin", of=service)
    await ground.clear(f"{service}_twin", *tables)
    source, twin = await asyncpg.connect(urls.service), await asyncpg.connect(twin_urls.service)
    try:
        copy = Copy(source, twin)
        await copy.follow(tables)
        yield copy
    finally:
        await source.close()
        await twin.close()
