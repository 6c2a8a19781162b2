"""SQL of the policies."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.policies.models import Assignment, PolicyVersion
from appeal_tracker.policies.pack import Pack

# The nearest unit first, and of each its newest assignment first. UNION, not UNION ALL, and a floor to the depth: a
# tree that was heard in part may hold a cycle for a while.
_UP_THE_TREE = text("""
WITH RECURSIVE line (asked, code, height) AS (
    SELECT asked, asked, 0 FROM unnest(CAST(:units AS text[])) AS asked
    UNION
    SELECT line.asked, units.parent_code, line.height + 1 FROM line JOIN units ON units.code = line.code
    WHERE units.parent_code IS NOT NULL AND line.height < 32)
SELECT line.asked, a.unit_code, a.policy, a.effective_from
FROM line JOIN policy_assignments a ON a.unit_code = line.code
ORDER BY line.asked, line.height, a.effective_from DESC
""")


async def labels(tx: AsyncSession) -> list[str]:
    """The names of every published version, `t-sdpea@1`, by pack, the newest first."""
    query = select(PolicyVersion.id, PolicyVersion.version)
    rows = await tx.execute(query.order_by(PolicyVersion.id, PolicyVersion.version.desc()))
    return [f"{row.id}@{row.version}" for row in rows]


async def versions(tx: AsyncSession) -> Sequence[PolicyVersion]:
    """Every published version, with its pack."""
    return (await tx.scalars(select(PolicyVersion))).all()


async def assignments_above(tx: AsyncSession, units: Collection[str]) -> Sequence[Row[Any]]:
    """The assignments of `units` and of those above them: (asked, unit_code, policy, effective_from), for each unit
    asked about the nearest first, and of one unit the newest first."""
    return (await tx.execute(_UP_THE_TREE, {"units": list(units)})).all() if units else []


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
