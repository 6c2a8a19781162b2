"""What is put down where a system that follows what changes is told in full."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import trail
from chassis.runtime import Runtime
from chassis.web.tokens import Principal
from visit_api.customers import repository


async def note(
    tx: AsyncSession, runtime: Runtime, caller: Principal, things: str, ids: Sequence[UUID], *, whose: Collection[UUID]
) -> None:
    """Notes that a page of `things` was read by the caller's unit; and of each customer of a special group among those
    `whose` they are that it was one of them, where its unit finds it: so many lines of each page nobody would read."""
    which = f"{len(ids)} {things}, {ids[0]} to {ids[-1]}"
    act, unit = f"{things}.followed", caller.unit
    await trail.note(tx, runtime, caller, act=act, thing=things, thing_id=str(unit), unit_code=unit, reason=which)
    special = await repository.of_special_group(tx, whose)
    await trail.note_each(tx, runtime, caller, act=act, thing="customer", things=special)
