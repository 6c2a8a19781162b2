"""SQL of the mergers."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import driver

# There are few units, and what of each is open has an index of its own.
_FOLLOWING = """
SELECT a.id FROM units u JOIN appeals a ON a.handling_unit_code = u.code AND a.state <> 'closed'
WHERE u.merged_into IS NOT NULL AND a.id > $1 ORDER BY a.id LIMIT $2
"""


async def following(tx: AsyncSession, after: UUID, most: int) -> Sequence[UUID]:
    """Some open appeals that are with closed units, in their order."""
    return [row["id"] for row in await (await driver(tx)).fetch(_FOLLOWING, after, most)]
