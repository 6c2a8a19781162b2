"""What plans of a closed unit still want goes into the plans of the unit that it is part of, of the same period."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from visit_api.civil import day_of
from visit_api.plans.models import Item, Plan

_AS_IT_WAS = ("period", "state", "rules", "approved_at", "approved_by")


async def join(tx: AsyncSession, code: str, into: str, now: datetime, most: int) -> bool:
    """Moves some items whose days are still to come; False where none can be moved now. One that the other unit's plan
    has too is dropped here, and wanted there even if rules had dropped it since. Where there is a visit for it, or
    somebody dropped the other by hand, it stands there beside that one, as if added by hand. A plan that is
    being generated waits."""
    query = _open(code, day_of(now)).order_by(Item.id).limit(most)
    items = (await tx.scalars(query.with_for_update(of=Item, skip_locked=True, key_share=True))).all()
    for plan_id in {item.plan_id for item in items}:
        await _join(tx, plan_id, into, [item for item in items if item.plan_id == plan_id], now)
    return bool(items)


async def is_left(tx: AsyncSession, code: str, now: datetime) -> bool:
    """Whether a closed unit's plans still want something."""
    return await tx.scalar(_open(code, day_of(now), settled=False).limit(1)) is not None


def _open(code: str, today: date, *, settled: bool = True) -> Select[Any]:
    query = select(Item).join(Plan, Plan.id == Item.plan_id).where(Plan.unit_code == code)
    query = query.where(Item.dropped.is_(False), Item.due_by >= today)
    return query.where(Plan.generating.is_(None)) if settled else query


async def _join(tx: AsyncSession, plan_id: UUID, into: str, items: Sequence[Item], now: datetime) -> None:
    plan = await _plan(tx, plan_id, into, now)
    asked = select(Item).where(Item.plan_id == plan.id, Item.customer_id.in_({item.customer_id for item in items}))
    asked = asked.where(Item.asked_channel.is_not(None)).order_by(Item.id).with_for_update(key_share=True)
    there = {(twin.customer_id, twin.asked_channel, twin.slot): twin for twin in await tx.scalars(asked)}
    for item in items:
        twin = there.get((item.customer_id, item.asked_channel, item.slot))
        if twin and item.taken_at is None and not (twin.dropped and twin.adjusted):
            item.dropped = True
            if twin.dropped:
                twin.dropped = False
                twin.touch(now)
        else:
            if twin:
                item.asked_channel, item.slot, item.adjusted = None, None, True
            item.plan_id, item.unit_code = plan.id, into
        item.touch(now)


async def _plan(tx: AsyncSession, plan_id: UUID, into: str, now: datetime) -> Plan:
    """The plan of the same period, held, so that nothing is generated into it meanwhile; made where there is none."""
    old = await tx.get_one(Plan, plan_id)
    its = {name: getattr(old, name) for name in _AS_IT_WAS}
    new = {"id": new_id(), "unit_code": into, "version": 1, "content_digest": b"", "updated_at": now, **its}
    await tx.execute(insert(Plan).values(new).on_conflict_do_nothing(index_elements=["unit_code", "period"]))
    query = select(Plan).where(Plan.unit_code == into, Plan.period == old.period)
    return (await tx.scalars(query.with_for_update(key_share=True))).one()
