"""SQL of the links, and of those that were asked for and are not there."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.callbacks.models import CallbackLink, LinkMisses
from chassis.web.paging import Listing, Window

_MISS = text("""
INSERT INTO callback_link_misses AS m (block, since, misses) VALUES (:block, :since, 1)
ON CONFLICT (block, since) DO UPDATE SET misses = m.misses + 1
""")
_FORGET = text("DELETE FROM callback_link_misses WHERE since < CAST(:since AS timestamptz) - interval '1 day'")


async def of_appeal(tx: AsyncSession, appeal: UUID, window: Window) -> Listing[CallbackLink]:
    """Some links of an appeal, as they were made."""
    return await window.fetch(tx, select(CallbackLink).where(CallbackLink.appeal_id == appeal), CallbackLink)


async def find(tx: AsyncSession, token_hash: bytes, *, lock: bool) -> CallbackLink | None:
    """The link of a token; `lock` makes others that would use it wait."""
    query = select(CallbackLink).where(CallbackLink.token_hash == token_hash)
    return (await tx.scalars(query.with_for_update() if lock else query)).one_or_none()


async def misses(tx: AsyncSession, block: str, since: datetime) -> int:
    """How often something was asked for from a block that is not there, in the window that began at `since`."""
    query = select(LinkMisses.misses).where(LinkMisses.block == block, LinkMisses.since == since)
    return await tx.scalar(query) or 0


async def miss(tx: AsyncSession, block: str, since: datetime) -> None:
    """Counts one more, and forgets those of yesterday."""
    await tx.execute(_MISS, {"block": block, "since": since})
    await tx.execute(_FORGET, {"since": since})
