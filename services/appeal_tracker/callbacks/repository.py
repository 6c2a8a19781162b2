"""SQL of the callbacks."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.callbacks.models import Callback


async def of_appeal(tx: AsyncSession, appeal: UUID) -> Sequence[Callback]:
    """The recorded callbacks, in the order of their true times."""
    query = select(Callback).where(Callback.appeal_id == appeal).order_by(Callback.at, Callback.id)
    return (await tx.scalars(query)).all()
