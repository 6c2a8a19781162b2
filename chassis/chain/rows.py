"""Rows of chained tables as they are hashed, and the top unit whose chain each belongs to."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from chassis.chain.links import Source

# Trees may be incomplete or hold a cycle for a while; the walk ends all the same.
_TOPS = """
WITH RECURSIVE up (code, at, height) AS (
    SELECT code, code, 0 FROM unnest($1::text[]) AS code
    UNION ALL
    SELECT up.code, units.parent_code, up.height + 1 FROM up JOIN units ON units.code = up.at
    WHERE units.parent_code IS NOT NULL AND up.height < 32
)
SELECT DISTINCT ON (code) code, at FROM up ORDER BY code, height DESC
"""


async def rows_of(
    connection: asyncpg.Connection, source: Source, ids: Sequence[UUID], forms: Sequence[int]
) -> Mapping[UUID, dict[str, Any]]:
    """The rows `ids` of a source that are there, with the columns of `forms`; JSON is read, not quoted."""
    columns = sorted({"id", source.unit, *(column for form in forms for column in source.forms[form])})
    query = await connection.prepare(f"SELECT {', '.join(columns)} FROM {source.table} WHERE id = ANY($1::uuid[])")  # noqa: S608 - names of ours
    json = {each.name for each in query.get_attributes() if each.type.name in ("json", "jsonb")}
    return {
        row["id"]: {name: _read(row[name]) if name in json else row[name] for name in columns}
        for row in await query.fetch(ids)
    }


async def tops_of(connection: asyncpg.Connection, codes: Sequence[str]) -> Mapping[str, str]:
    """The top unit of each unit: itself, where nothing is known above it."""
    return {row["code"]: row["at"] for row in await connection.fetch(_TOPS, codes)}


def _read(value: Any) -> Any:
    # As text, unless somebody taught the connection to read it.
    return msgspec.json.decode(value) if isinstance(value, str) else value
