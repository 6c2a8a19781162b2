"""The sealer: appends to the chains what was committed, in batches; one of a service is active at a time."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from chassis.chain.links import GONE, START, Link, Source, digest, linked
from chassis.chain.rows import rows_of, tops_of
from chassis.db import Database, driver
from chassis.worker import Worker

# Held to the end of the transaction: two sealers never append at once, and a dead one holds nothing.
_ALONE = "SELECT pg_try_advisory_xact_lock(hashtext('chain sealer'))"
# What a later version of the service has chained beside waits for that version's sealer.
_WAITING = "SELECT source, row_id FROM chain_waiting WHERE source = ANY($1::text[]) ORDER BY row_id LIMIT $2"
_HEADS = """
SELECT top, head.seq, head.link FROM unnest($1::text[]) AS top,
LATERAL (SELECT seq, link FROM chain WHERE chain.top = top.top ORDER BY seq DESC LIMIT 1) AS head
"""
_APPEND = """
INSERT INTO chain (top, seq, source, row_id, form, digest, link)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::uuid[], $5::smallint[], $6::bytea[], $7::bytea[])
"""
_DONE = "DELETE FROM chain_waiting WHERE (source, row_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))"


class Sealer(Worker):
    """Seals what waits, at most a second after its commit where there is no more than a batch of it."""

    class Config(Worker.Config):
        idle = 1.0
        batch = 500  # rows

    config: Config

    def __init__(self, service: str, db: Database, sources: Sequence[Source]) -> None:
        super().__init__(f"{service}.sealer")
        self._db, self._sources = db, {source.table: source for source in sources}

    async def run_once(self) -> bool:
        async with self._db.transaction() as tx:
            connection = await driver(tx)
            if not await connection.fetchval(_ALONE):
                return False
            waiting = [tuple(row) for row in await connection.fetch(_WAITING, [*self._sources], self.config.batch)]
            if waiting:
                links = await self._links(connection, waiting)
                await connection.execute(_APPEND, *zip(*links, strict=True))
                await connection.execute(_DONE, *zip(*waiting, strict=True))
        return len(waiting) == self.config.batch

    async def _links(self, connection: asyncpg.Connection, waiting: Sequence[tuple[str, UUID]]) -> list[Link]:
        rows: dict[tuple[str, UUID], Mapping[str, Any]] = {}
        for table, source in self._sources.items():
            ids = [row_id for its, row_id in waiting if its == table]
            found = await rows_of(connection, source, ids, [source.form]) if ids else {}
            rows |= {(table, row_id): row for row_id, row in found.items()}
        units = {at: row[self._sources[at[0]].unit] or "" for at, row in rows.items()}
        tops = await tops_of(connection, sorted({code for code in units.values() if code}))
        heads = dict.fromkeys({"", *tops.values()}, (0, START))
        heads |= {row["top"]: (row["seq"], row["link"]) for row in await connection.fetch(_HEADS, list(heads))}
        links = []
        for at in waiting:
            source, top = self._sources[at[0]], tops.get(units.get(at, ""), "")
            its = digest(source, source.form, rows[at]) if at in rows else GONE
            seq, before = heads[top]
            link = linked(before, top, seq + 1, *at, source.form, its)
            heads[top] = link.seq, link.link
            links.append(link)
        return links
