"""SQL of the policies."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.policies.models import Assignment, PolicyVersion
from appeal_tracker.policies.pack import Pack
from chassis.db import driver

# What is published, the newest of each pack first; beside it the choices: of each unit asked about the nearest one up
# the tree first, and of that its newest. UNION, not UNION ALL, and a floor to the depth: a tree that was heard in part
# may hold a cycle for a while.
_ON_SHELF = """
WITH RECURSIVE line (asked, code, height) AS (
    SELECT asked, asked, 0 FROM unnest($1::text[]) AS asked
    UNION
    SELECT line.asked, units.parent_code, line.height + 1 FROM line JOIN units ON units.code = line.code
    WHERE units.parent_code IS NOT NULL AND line.height < 32)
SELECT published.labels, line.asked, a.unit_code, a.policy, a.effective_from
FROM (SELECT array_agg(id || '@' || version ORDER BY id, version DESC) AS labels FROM policies) AS published
     LEFT JOIN (line JOIN policy_assignments a ON a.unit_code = line.code) ON true
ORDER BY line.asked, line.height, a.effective_from DESC
"""

Choice = tuple[str, str, date]  # the unit that made it, the pack, since when


async def on_shelf(tx: AsyncSession, units: Collection[str]) -> tuple[list[str], dict[str, list[Choice]]]:
    """The names of every published version, `t-sdpea@1`, by pack, the newest first; and for each of `units` the choices
    made there and above, the nearest first, and of one unit the newest first."""
    rows = await (await driver(tx)).fetch(_ON_SHELF, list(units))
    choices: dict[str, list[Choice]] = {}
    for _, asked, *choice in rows:
        if asked is not None:
            choices.setdefault(asked, []).append((choice[0], choice[1], choice[2]))
    return rows[0]["labels"] or [], choices


async def versions(tx: AsyncSession) -> Sequence[PolicyVersion]:
    """Every published version, with its pack."""
    return (await tx.scalars(select(PolicyVersion))).all()


async def own_assignments(tx: AsyncSession, unit: str) -> Sequence[Assignment]:
    """What a unit picked itself, the newest first."""
    query = select(Assignment).where(Assignment.unit_code == unit).order_by(Assignment.effective_from.desc())
    return (await tx.scalars(query, execution_options={"populate_existing": True})).all()


async def assign(tx: AsyncSession, unit: str, policy: str, since: date, by: str, at: datetime) -> None:
    """Stores an assignment; one that begins on the same day gives way to it."""
    row = {"policy": policy, "assigned_by": by, "assigned_at": at}
    statement = insert(Assignment).values(unit_code=unit, effective_from=since, **row)
    await tx.execute(statement.on_conflict_do_update(index_elements=["unit_code", "effective_from"], set_=row))


def publish(connection: Connection, pack: Pack, extends_version: int | None) -> None:
    """Stores a pack unless its version is published already; a published version never changes."""
    connection.execute(
        insert(PolicyVersion)
        .values(
            id=pack.id,
            version=pack.version,
            effective_from=pack.effective_from,
            extends=pack.extends,
            extends_version=extends_version,
            body=msgspec.to_builtins(pack),
        )
        .on_conflict_do_nothing()
    )
