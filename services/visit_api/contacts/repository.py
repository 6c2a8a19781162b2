"""Queries of contacts; who sees the customer sees its contacts. `unit` is always the caller's, None for a service."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Select, null, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.scope import within
from chassis.web.paging import Gone, Listing, Way, Window
from visit_api.contacts.models import Contact
from visit_api.customers.models import Customer
from visit_api.customers.repository import gone, kept_then
from visit_api.directory.models import Unit

_MOST = 200  # found by one number


def _seen(unit: str | None) -> Select[Any]:
    customers = select(Customer.id).where(within(Unit, unit, Customer.unit_code))
    return select(Contact).where(Contact.customer_id.in_(customers))


def _gone(unit: str | None, customer_id: UUID | None) -> Way:
    its = gone(partial(within, Unit, unit), Contact.id)
    query = its.query.join(Contact, Contact.customer_id == Customer.id).where(kept_then(Contact.made_xid))
    return its._replace(query=query if customer_id is None else query.where(Customer.id == customer_id))


async def find(tx: AsyncSession, unit: str | None, id: UUID, *, lock: bool = False) -> Contact | None:
    """The contact `id`, removed or not, where the caller sees it."""
    query = _seen(unit).where(Contact.id == id)
    found: Contact | None = await tx.scalar(query.with_for_update(of=Contact) if lock else query)
    return found


async def find_all(
    tx: AsyncSession, unit: str | None, customer_id: UUID | None, window: Window
) -> Listing[Contact | Gone]:
    """The contacts of a customer, or of all that the caller sees; in a feed, the removed ones too, and those that went
    elsewhere with their customer as gone."""
    query = _seen(unit)
    if customer_id is not None:
        query = query.where(Contact.customer_id == customer_id)
    if not window.is_feed:
        return await window.fetch(tx, query.where(Contact.removed_at.is_(None)), Contact)
    itself = Way(query, Contact.changed_xid, Contact.id, Contact.updated_at)
    return await window.follow(tx, itself, _gone(unit, customer_id))


async def of_customer(tx: AsyncSession, customer_id: UUID) -> Sequence[Contact]:
    """The contacts of a customer that are not removed, held for a change."""
    query = select(Contact).where(Contact.customer_id == customer_id, Contact.removed_at.is_(None))
    return (await tx.scalars(query.order_by(Contact.id).with_for_update(of=Contact))).all()


async def reachable(tx: AsyncSession, customer_id: UUID) -> Contact | None:
    """Whom of a customer to reach: who agreed to it, the preferred one first, then whoever was named first."""
    agreed = select(Contact).where(
        Contact.customer_id == customer_id, Contact.removed_at.is_(None), Contact.consent == "given"
    )
    found: Contact | None = await tx.scalar(agreed.order_by(Contact.preferred.desc(), Contact.id).limit(1))
    return found


async def having(tx: AsyncSession, unit: str | None, index: bytes) -> Sequence[Any]:
    """The customers that have a number themselves, and those a contact of whom has it."""
    name = (Customer.plain_name.label("plain"), Customer.name_sealed.label("sealed"))
    named = (Customer.id.label("customer_id"), Customer.kind, Customer.unit_code, *name)
    seen = (within(Unit, unit, Customer.unit_code), Customer.removed_at.is_(None))
    own = select(*named, null().label("contact_id")).where(Customer.phone_index == index, *seen)
    theirs = select(*named, Contact.id.label("contact_id")).join(Contact, Contact.customer_id == Customer.id)
    theirs = theirs.where(Contact.phone_index == index, Contact.removed_at.is_(None), *seen)
    found = [*await tx.execute(own.limit(_MOST)), *await tx.execute(theirs.limit(_MOST))]
    return found[:_MOST]
