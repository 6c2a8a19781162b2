"""SQL of the mergers."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import driver

# There are few units, and what of each is open has an index of its own: each is asked, and never all that is open.
_FOLLOWING = """
SELECT its.id FROM units u CROSS JOIN LATERAL (
    SELECT a.id FROM appeals a
    WHERE a.handling_unit_code = u.code AND a.state <> 'closed' AND a.id > $1 OFFSET 0) its
WHERE u.merged_into IS NOT NULL ORDER BY its.id LIMIT $2
"""


async def following(tx: AsyncSession, after: UUID, most: int) -> Sequence[UUID]:
    """Some open appeals that are with closed units, in their order."""
    return [row["id"] for row in await (await driver(tx)).fetch(_FOLLOWING, after, most)]
