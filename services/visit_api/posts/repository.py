"""Queries of policy posts; `unit` is always the caller's, None where a service sees all."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.scope import part_of, within
from chassis.web.paging import Listing, Window
from visit_api.directory.models import Unit
from visit_api.online.models import Group
from visit_api.posts.models import PolicyPost

_DEEPEST = 32  # levels, as in `chassis.scope`


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


async def reached(
    tx: AsyncSession, unit: str | None, unit_code: str | None, begin: datetime, end: datetime
) -> Sequence[Any]:
    """How many posts from `begin` on and before `end` reached the groups of a unit, and which groups none of them did;
    a row for each unit that has groups."""
    posts = select(PolicyPost).where(PolicyPost.state == "published")
    post = posts.where(PolicyPost.published_at >= begin, PolicyPost.published_at < end).subquery()
    named = select(func.unnest(post.c.group_ids).label("group_id"), post.c.id)
    line = _line().subquery()
    common = select(Group.id, post.c.id).join(line, line.c.unit == Group.unit_code)
    common = common.join(post, post.c.unit_code == line.c.code).where(func.cardinality(post.c.group_ids) == 0)
    told = named.union_all(common).subquery()
    query = select(
        Group.unit_code,
        func.count(func.distinct(told.c.id)).label("published"),
        func.count(func.distinct(Group.id)).label("groups"),
        func.coalesce(func.array_agg(Group.id).filter(told.c.id.is_(None)), literal([], Group.customer_ids.type)).label(
            "quiet"
        ),
    ).outerjoin(told, told.c.group_id == Group.id)
    query = query.where(within(Unit, unit, Group.unit_code), part_of(Unit, unit_code, Group.unit_code))
    return (await tx.execute(query.group_by(Group.unit_code).order_by(Group.unit_code))).all()


def _line() -> Select[Any]:
    """Each unit with itself and those above it."""
    line = select(Unit.code.label("unit"), Unit.code, literal(0).label("height")).cte("line", recursive=True)
    above = select(line.c.unit, Unit.parent_code, line.c.height + 1).join(Unit, Unit.code == line.c.code)
    line = line.union_all(above.where(Unit.parent_code.is_not(None), line.c.height < _DEEPEST))
    return select(line.c.unit, line.c.code)
