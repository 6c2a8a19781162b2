"""Queries of checklists; who may see the visit is asked before."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from visit_api.checklists.models import ItemAnswer


async def of_visit(tx: AsyncSession, visit_id: UUID) -> Sequence[ItemAnswer]:
    """All that was answered of a visit, the latest answer to an item last."""
    query = select(ItemAnswer).where(ItemAnswer.visit_id == visit_id)
    return (await tx.scalars(query.order_by(ItemAnswer.answered_at, ItemAnswer.id))).all()
