"""Queries of customers; `unit` is always the caller's, None where a service sees all."""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import driver
from chassis.scope import within
from chassis.web.paging import Gone, Listing, Way, Window
from visit_api.customers.models import Customer, CustomerLeaving
from visit_api.customers.particulars import SPECIAL_GROUP
from visit_api.directory.models import Unit
from visit_api.directory.repository import of_unit

_DETERMINED = """
SELECT id FROM unnest($1::uuid[]) AS its (id)
WHERE EXISTS (SELECT FROM importance_determinations AS d WHERE d.customer_id = its.id)
"""

# Whether somebody saw a customer ever: their unit, the one that it merged into, or one that they were of before, is one
# that the customer is or was of, or one above which such a unit stands or stood.
_EVER_SEEN = text("""
WITH RECURSIVE line (code) AS (
    (SELECT unit_code FROM customers WHERE id = :id
     UNION SELECT unit_code FROM customer_leavings WHERE customer_id = :id)
    UNION
    SELECT above.parent_code FROM line JOIN above USING (code)
), above AS (
    SELECT code, parent_code FROM units WHERE parent_code IS NOT NULL
    UNION ALL SELECT unit_code, parent_code FROM unit_leavings
), theirs (code) AS (
    VALUES (:unit)
    UNION SELECT merged_into FROM units WHERE code = :unit
    UNION SELECT unit_code FROM staff_leavings WHERE staff_no = :sub
)
SELECT EXISTS (SELECT FROM line JOIN theirs USING (code))
""")


async def find(
    tx: AsyncSession, unit: str | None, id: UUID, *, lock: Literal["share", "change"] | None = None
) -> Customer | None:
    """The customer `id`, removed or not, where the caller sees it; `lock` keeps others from changing it."""
    query = select(Customer).where(Customer.id == id, within(Unit, unit, Customer.unit_code))
    if lock is not None:
        query = query.with_for_update(of=Customer, read=lock == "share")
    found: Customer | None = await tx.scalar(query)
    return found


async def ever_seen(tx: AsyncSession, unit: str | None, sub: str, id: UUID) -> bool:
    """Whether there is a customer `id`, and the caller sees it, or did before it, or they, went to another unit."""
    return unit is None or bool(await tx.scalar(_EVER_SEEN, {"unit": unit, "sub": sub, "id": id}))


async def find_all(
    tx: AsyncSession,
    unit: str | None,
    window: Window,
    *,
    unit_code: str | None,
    kind: str | None,
    customer_no: str | None,
    mark: str | None,
) -> Listing[Customer | Gone]:
    """The customers that the caller sees; in a feed, the removed ones too, and those that went elsewhere as gone."""
    theirs = partial(of_unit, unit, unit_code)
    query = select(Customer).where(theirs(Customer.unit_code))
    if not window.is_feed:
        query = query.where(Customer.removed_at.is_(None))
    if kind is not None:
        query = query.where(Customer.kind == kind)
    if customer_no is not None:
        query = query.where(Customer.customer_no == customer_no)
    if mark is not None:  # few have one: `customers_marked`
        query = query.where(text("marks <> '{}'"), Customer.marks.bool_op("@>")([mark]))
    if not window.is_feed:
        return await window.fetch(tx, query, Customer)
    itself = Way(query, Customer.changed_xid, Customer.id, Customer.updated_at)
    return await window.follow(tx, itself, gone(theirs, CustomerLeaving.customer_id))


def gone(theirs: Callable[[Any], ColumnElement[bool]], id: Any) -> Way:
    """Customers, or what is kept with them by its `id`, that went from a unit of which `theirs` is true to one of which
    it is not."""
    query = select(id).select_from(CustomerLeaving).join(Customer, Customer.id == CustomerLeaving.customer_id)
    query = query.where(theirs(CustomerLeaving.unit_code), ~theirs(Customer.unit_code))
    return Way(query, CustomerLeaving.changed_xid, id, CustomerLeaving.recorded_at, gone=True)


def kept_then(made_xid: Any) -> ColumnElement[bool]:
    """The condition that something was kept with a customer already when it left, by the transaction that made it; what
    is older than that column was."""
    return or_(made_xid.is_(None), made_xid <= CustomerLeaving.changed_xid)


async def determined(tx: AsyncSession, ids: Collection[UUID]) -> set[UUID]:
    """Those of some customers of whom a document determined how important they are (§3.2), or that they are not."""
    return {row[0] for row in await (await driver(tx)).fetch(_DETERMINED, [*ids])} if ids else set()


async def of_special_group(tx: AsyncSession, ids: Collection[UUID]) -> Sequence[tuple[UUID, str]]:
    """Those of some customers who are of a special group (§4.4.3) and not removed, each with its unit."""
    query = select(Customer.id, Customer.unit_code).where(Customer.id.in_(ids), Customer.kind == SPECIAL_GROUP)
    return [(id_, unit) for id_, unit in await tx.execute(query.where(Customer.removed_at.is_(None)))]


async def forget_said(tx: AsyncSession, id: UUID) -> None:
    """Deletes what each of several systems said of a customer, which stands beside it for files alone."""
    await (await driver(tx)).execute("DELETE FROM customer_said WHERE customer_id = $1", id)
