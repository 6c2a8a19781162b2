"""Queries of importance; `unit` is always the caller's."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.scope import within
from chassis.web.paging import Listing, Window
from visit_api.customers.models import Customer
from visit_api.directory.models import Unit
from visit_api.importance.models import Determination, Document


async def find(tx: AsyncSession, unit: str | None, id: UUID) -> Document | None:
    """The document `id` where the caller sees who brought it."""
    found: Document | None = await tx.scalar(
        select(Document).where(Document.id == id, within(Unit, unit, Document.unit_code))
    )
    return found


async def hold(
    tx: AsyncSession, unit: str | None, ids: Collection[UUID], numbers: Collection[str]
) -> Sequence[Customer]:
    """The customers with one of these ids or numbers that the caller sees, held for a change in one order."""
    query = select(Customer).where(
        or_(Customer.id.in_(ids), Customer.customer_no.in_(numbers)),
        Customer.removed_at.is_(None),
        within(Unit, unit, Customer.unit_code),
    )
    return (await tx.scalars(query.order_by(Customer.id).with_for_update(of=Customer))).all()


async def latest(tx: AsyncSession, customer_ids: Collection[UUID]) -> Sequence[Determination]:
    """The determination that holds for each customer."""
    each = distinct_on(Determination.customer_id)
    query = select(Determination).where(Determination.customer_id.in_(customer_ids)).ext(each)
    order = (Determination.determined_on.desc(), Determination.recorded_at.desc(), Determination.id.desc())
    return (await tx.scalars(query.order_by(Determination.customer_id, *order))).all()


async def of_customer(tx: AsyncSession, customer_id: UUID, window: Window) -> Listing[Determination]:
    """Everything that was ever determined of a customer."""
    return await window.fetch(tx, select(Determination).where(Determination.customer_id == customer_id), Determination)


async def of_document(tx: AsyncSession, unit: str | None, document_id: UUID) -> Sequence[Determination]:
    """What a document says of customers that the caller sees."""
    seen = select(Customer.id).where(within(Unit, unit, Customer.unit_code))
    query = select(Determination).where(Determination.document_id == document_id, Determination.customer_id.in_(seen))
    return (await tx.scalars(query.order_by(Determination.id))).all()
