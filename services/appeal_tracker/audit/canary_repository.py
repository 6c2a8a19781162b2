"""SQL of the canary as it is missed, by the process that drives it and by those that do not."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.audit.invariants import Finding, Invariant
from appeal_tracker.audit.models import CANARY
from chassis.db import driver

# Whoever comes first has it, so that one that nobody ever arms is missed.
_HATCH = "INSERT INTO canary (clock_id, armed_at) VALUES ($1, now()) ON CONFLICT DO NOTHING"

# It fires in time within $2; whoever drives it arms it anew every $3.
_SILENT = """
SELECT CASE WHEN now() > armed_at + $3::interval * 3 THEN 'not_armed' ELSE 'late' END AS place FROM canary
WHERE clock_id = $1
    AND (now() > armed_at + $3::interval * 3 OR coalesce(fired_at, now()) > expected_at + $2::interval)
"""


async def hatch(tx: AsyncSession) -> None:
    """Has the canary be there, waiting to be armed."""
    await (await driver(tx)).execute(_HATCH, CANARY)


async def silent(tx: AsyncSession, patience: timedelta, every: timedelta) -> list[Finding]:
    """The canary, if it did not fire in time or nobody arms it."""
    rows = await (await driver(tx)).fetch(_SILENT, CANARY, patience, every)
    return [Finding(Invariant.CANARY_SILENT, "canary", CANARY, row["place"], CANARY, None) for row in rows]
