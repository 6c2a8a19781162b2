"""SQL of the callbacks."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.callbacks.models import Callback
from chassis.web.paging import Listing, Window


async def of_appeal(tx: AsyncSession, appeal: UUID, window: Window) -> Listing[Callback]:
    """Some recorded callbacks, in the order of their true times."""
    query = select(Callback).where(Callback.appeal_id == appeal)
    return await window.fetch(tx, query, Callback, Callback.at, Callback.id)
