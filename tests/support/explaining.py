"""How the server would go about a query."""

from typing import Any

from sqlalchemy import Select
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import driver


async def explained(tx: AsyncSession, query: Select[Any]) -> str:
    """Its plan, by the values that it is asked with."""
    compiled = query.compile(dialect=asyncpg_dialect(), compile_kwargs={"render_postcompile": True})
    rows = await (await driver(tx)).fetch(
        f"EXPLAIN {compiled}", *(compiled.params[name] for name in compiled.positiontup)
    )
    return "\n".join(row[0] for row in rows)
