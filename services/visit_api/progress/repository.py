"""What became of the visits that a plan wants."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from visit_api.customers.models import Customer
from visit_api.plans.models import Item
from visit_api.visits.fulfilling import fulfils
from visit_api.visits.models import Visit


async def counted(tx: AsyncSession, plan_id: UUID, today: date) -> Sequence[Row[Any]]:
    """Items by the kind of their customer and by channel: all of them, those made, and those whose days are over."""
    wanted = aliased(Item)
    done = select(wanted.id).join(Visit, fulfils(wanted)).where(wanted.plan_id == plan_id)
    its = (
        select(Customer.kind, Item.channel, Item.id.in_(done).label("made"), (Item.due_by < today).label("over"))
        .join(Customer, Customer.id == Item.customer_id)
        .where(Item.plan_id == plan_id, Item.dropped.is_(False))
        .subquery()
    )
    query = select(
        its.c.kind,
        its.c.channel,
        func.count().label("planned"),
        func.count(case((its.c.made, 1))).label("made"),
        func.count(case((~its.c.made & its.c.over, 1))).label("missed"),
    )
    return (await tx.execute(query.group_by(its.c.kind, its.c.channel).order_by(its.c.kind, its.c.channel))).all()
