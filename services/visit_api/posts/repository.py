"""Queries of policy posts; `unit` is always the caller's, None where a service sees all."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.scope import within
from chassis.web.paging import Listing, Window
from visit_api.directory.models import Unit
from visit_api.posts.models import PolicyPost


async def find(tx: AsyncSession, unit: str | None, id: UUID, *, lock: bool = False) -> PolicyPost | None:
    """The post `id`, where the caller sees it; `lock` holds it for a change."""
    query = select(PolicyPost).where(PolicyPost.id == id, within(Unit, unit, PolicyPost.unit_code))
    found: PolicyPost | None = await tx.scalar(query.with_for_update(of=PolicyPost) if lock else query)
    return found


async def find_all(
    tx: AsyncSession, unit: str | None, window: Window, *, unit_code: str | None, published: bool | None
) -> Listing[PolicyPost]:
    """The posts that the caller sees."""
    query = select(PolicyPost).where(within(Unit, unit, PolicyPost.unit_code))
    if unit_code is not None:
        query = query.where(PolicyPost.unit_code == unit_code)
    if published is not None:
        query = query.where((PolicyPost.state == "published") == published)
    return await window.fetch(tx, query, PolicyPost)
