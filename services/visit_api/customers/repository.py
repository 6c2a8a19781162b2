"""Queries of customers; `unit` is always the caller's, None where a service sees all."""

from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import driver
from chassis.scope import within
from chassis.web.paging import Listing, Window
from visit_api.customers.models import Customer
from visit_api.directory.models import Unit


async def find(
    tx: AsyncSession, unit: str | None, id: UUID, *, lock: Literal["share", "change"] | None = None
) -> Customer | None:
    """The customer `id`, removed or not, where the caller sees it; `lock` keeps others from changing it."""
    query = select(Customer).where(Customer.id == id, within(Unit, unit, Customer.unit_code))
    if lock is not None:
        query = query.with_for_update(of=Customer, read=lock == "share")
    found: Customer | None = await tx.scalar(query)
    return found


async def find_all(
    tx: AsyncSession,
    unit: str | None,
    window: Window,
    *,
    unit_code: str | None,
    kind: str | None,
    customer_no: str | None,
) -> Listing[Customer]:
    """The customers that the caller sees; in a feed, the removed ones too."""
    query = select(Customer).where(within(Unit, unit, Customer.unit_code))
    if not window.is_feed:
        query = query.where(Customer.removed_at.is_(None))
    if unit_code is not None:
        query = query.where(Customer.unit_code == unit_code)
    if kind is not None:
        query = query.where(Customer.kind == kind)
    if customer_no is not None:
        query = query.where(Customer.customer_no == customer_no)
    return await window.fetch(tx, query, Customer)


async def forget_said(tx: AsyncSession, id: UUID) -> None:
    """Deletes what each of several systems said of a customer, which stands beside it for files alone."""
    await (await driver(tx)).execute("DELETE FROM customer_said WHERE customer_id = $1", id)
