"""What is done with policy posts: drafted, submitted, approved by somebody else or returned, published."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from chassis.web.errors import NotFound, Unprocessable
from chassis.web.tokens import Principal
from visit_api.base import add
from visit_api.civil import begins
from visit_api.directory.units import require_unit
from visit_api.materials.errors import unknown_material
from visit_api.materials.service import get_material, is_in_force
from visit_api.online.service import get_group
from visit_api.posts import repository
from visit_api.posts.errors import ApprovalByAnother, PolicyLapsed, PostActRefused, PostTaken, unknown_group
from visit_api.posts.lifecycle import CLAUSE, LIFE, Act, PostState
from visit_api.posts.models import PolicyPost
from visit_api.posts.schemas import NewPost
from visit_api.spans import span


async def draft(tx: AsyncSession, runtime: Runtime, caller: Principal, new: NewPost) -> PolicyPost:
    """Makes a post. Raises `PostTaken`, `Unprocessable`."""
    found = new.id and await repository.find(tx, caller.unit, new.id)
    if not found:
        await require_unit(tx, caller, new.unit_code)
        await _check(tx, caller, new)
        post = await add(tx, PolicyPost, new, runtime.clock.now(), state=PostState.DRAFT, drafted_by=caller.sub)
        if post is not None:
            return post
        found = new.id and await repository.find(tx, caller.unit, new.id)
    if not found or not found.is_made_of(new):
        raise PostTaken(id=new.id)
    return found


async def get_post(tx: AsyncSession, caller: Principal, id: UUID) -> PolicyPost:
    """The post `id`. Raises `NotFound`."""
    post = await repository.find(tx, caller.unit, id)
    if post is None:
        raise NotFound
    return post


async def submit(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID) -> PolicyPost:
    """Asks for approval. Raises `NotFound`, `PostActRefused`."""
    post = await _moved(tx, runtime, caller, id, Act.SUBMIT)
    post.submitted_by, post.submitted_at = caller.sub, post.updated_at
    return post


async def decide(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, act: Act, reason: str | None = None
) -> PolicyPost:
    """Approves a post that somebody else wrote and submitted, or returns it. Raises `NotFound`, `PostActRefused`,
    `ApprovalByAnother`."""
    post = await _moved(tx, runtime, caller, id, act)
    if act is Act.APPROVE and caller.sub in (post.drafted_by, post.submitted_by):
        raise ApprovalByAnother(clause=CLAUSE)
    post.decided_by, post.decided_at, post.reason = caller.sub, post.updated_at, reason
    return post


async def publish(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID) -> PolicyPost:
    """Records that an approved post was published. Raises `NotFound`, `PostActRefused`, `PolicyLapsed`."""
    post = await _moved(tx, runtime, caller, id, Act.PUBLISH)
    if post.material_id is not None and not await is_in_force(tx, post.material_id, post.updated_at):
        raise PolicyLapsed(clause="7.2.2")
    post.published_by, post.published_at = caller.sub, post.updated_at
    return post


async def regularity(
    tx: AsyncSession, runtime: Runtime, caller: Principal, first: date | None, last: date | None, unit_code: str | None
) -> dict[str, Any]:
    """Whether posts come regularly (§6.3.2.4): what each unit's groups were told; of this month, where no days are
    given. Raises `BadPeriod`."""
    asked = span(runtime.clock.now(), first, last)
    end = begins(asked.last + timedelta(days=1))
    rows = await repository.reached(tx, caller.unit, unit_code, begins(asked.first), end)
    return {"first_day": asked.first, "last_day": asked.last, "items": rows}


async def _moved(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, act: Act) -> PolicyPost:
    post = await repository.find(tx, caller.unit, id, lock=True)
    if post is None:
        raise NotFound
    if post.state != LIFE[act].source:
        raise PostActRefused(act=act, state=post.state, clause=CLAUSE)
    post.state, post.updated_at = LIFE[act].target, runtime.clock.now()
    return post


async def _check(tx: AsyncSession, caller: Principal, new: NewPost) -> None:
    try:
        if new.material_id is not None:
            await get_material(tx, caller, new.material_id)
    except NotFound:
        raise Unprocessable(unknown_material("/material_id")) from None
    for place, each in enumerate(new.group_ids):
        try:
            await get_group(tx, caller, each)
        except NotFound:
            raise Unprocessable(unknown_group(place)) from None
