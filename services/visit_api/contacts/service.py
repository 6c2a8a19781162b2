"""What is done with contacts: they are sealed, shown masked, and opened for a reason that the trail keeps."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import trail
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.vault import Place
from chassis.web import moments
from chassis.web.errors import NotFound, Unprocessable
from chassis.web.etag import Unchanged
from chassis.web.paging import Gone, Listing, Window
from chassis.web.tokens import Principal
from visit_api.base import add
from visit_api.contacts import repository
from visit_api.contacts.errors import NO_CONSENT, ContactTaken
from visit_api.contacts.models import Contact, Person
from visit_api.contacts.schemas import ContactChange, ContactInFull, Found, FoundAll, NewContact, Reached
from visit_api.customers import following, sealing
from visit_api.customers import service as customers
from visit_api.customers.models import Customer
from visit_api.customers.service import FOLLOWER, get_customer, refuse_mask
from visit_api.directory.units import top_unit

_PERSONAL = NewContact.kept_otherwise


async def add_contact(
    tx: AsyncSession, runtime: Runtime, caller: Principal, customer_id: UUID, new: NewContact
) -> Contact:
    """Names somebody to speak to at a customer. Raises `NotFound`, `ContactTaken`, `Unprocessable`."""
    customer = await get_customer(tx, caller, customer_id, lock=True)  # nobody removes it meanwhile
    now, digest = runtime.clock.now(), await sealing.keyed_digest(tx, runtime, new)
    if new.consented_at is not None:
        moments.happened(new.consented_at, now, "/consented_at")
    _check_consent(new.consent, new.channels)
    person, id = Person(new.name, new.phone, new.email), new.id or new_id()  # noqa: A001
    sealed, index = await _sealed(tx, runtime, customer, id, person)
    columns = {"customer_id": customer_id, "person_sealed": sealed, "phone_index": index, "content_digest": digest}
    channels = sorted(set(new.channels))
    made = await add(tx, Contact, new, now, id=id, channels=channels, **columns)
    contact = made or await repository.find(tx, caller.unit, id, lock=True)
    if contact is None or contact.removed_at or contact.customer_id != customer_id or contact.content_digest != digest:
        raise ContactTaken(id=new.id)
    await _show(tx, runtime, [contact])
    return contact


async def list_contacts_of(
    tx: AsyncSession, runtime: Runtime, caller: Principal, customer_id: UUID, window: Window
) -> Listing[Contact | Gone]:
    """The contacts of a customer. Raises `NotFound`."""
    await get_customer(tx, caller, customer_id)
    return await list_contacts(tx, runtime, caller, customer_id, window)


async def list_contacts(
    tx: AsyncSession, runtime: Runtime, caller: Principal, customer_id: UUID | None, window: Window
) -> Listing[Contact | Gone]:
    """The contacts of the customers that the caller sees, or of one of them, masked; to a system that follows what
    changes, in full, with lines in the trail as of customers."""
    found = await repository.find_all(tx, caller.unit, customer_id, window)
    there = [each for each in found.items if not isinstance(each, Gone)]
    follows = window.is_feed and FOLLOWER in caller.roles
    await _show(tx, runtime, there, in_full=follows)
    if follows and there:
        whose = {each.customer_id for each in there if not each.removed_at}
        await following.note(tx, runtime, caller, "contacts", [each.id for each in there], whose=whose)
    return found


async def show_contact(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, *, lock: bool = False
) -> Contact:
    """One contact, masked. Raises `NotFound`."""
    contact = await repository.find(tx, caller.unit, id, lock=lock)
    if contact is None or contact.removed_at:
        raise NotFound
    await _show(tx, runtime, [contact])
    return contact


async def open_contact(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, reason: str) -> ContactInFull:
    """Who a contact is and how to reach them, with a line in the trail. Raises `NotFound`."""
    contact = await show_contact(tx, runtime, caller, id)
    customer = await get_customer(tx, caller, contact.customer_id)
    await _note(tx, runtime, caller, "contact.opened", contact, customer, reason)
    person = await _opened(tx, runtime, contact)
    return ContactInFull(id=id, customer_id=customer.id, role=contact.role, **person._asdict())


async def change_contact(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, change: ContactChange, unchanged: Unchanged
) -> Contact:
    """Changes what is known of a contact. Raises `NotFound`, `PreconditionFailed`, `Unprocessable`."""
    contact = await show_contact(tx, runtime, caller, id, lock=True)
    unchanged(contact)
    now, before = runtime.clock.now(), await _opened(tx, runtime, contact)
    if (agreed := change.get("consented_at")) is not None:
        moments.happened(agreed, now, "/consented_at")
    personal: dict[str, Any] = {field: value for field, value in change.items() if field in _PERSONAL}
    after = before._replace(**personal)
    for field, value in change.items():
        if field not in _PERSONAL:
            setattr(contact, field, sorted(set(value)) if isinstance(value, list) else value)
    if contact.consent != "given" and "channels" not in change:
        contact.channels = []  # consent that was taken back takes its channels with it
    _check_consent(contact.consent, contact.channels)
    if after != before:
        customer = await get_customer(tx, caller, contact.customer_id)
        contact.person_sealed, contact.phone_index = await _sealed(tx, runtime, customer, id, after)
    contact.touch(now)
    await _show(tx, runtime, [contact])
    return contact


async def remove_contact(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, unchanged: Unchanged) -> None:
    """Takes a contact out of use, and the person out of it. Raises `NotFound`, `PreconditionFailed`."""
    contact = await show_contact(tx, runtime, caller, id, lock=True)
    unchanged(contact)
    _remove(contact, runtime)


async def remove_customer(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, unchanged: Unchanged
) -> None:
    """Takes a customer out of use, and those out of it whom one spoke to there. Raises `NotFound`,
    `PreconditionFailed`."""
    await customers.remove_customer(tx, runtime, caller, id, unchanged)
    for contact in await repository.of_customer(tx, id):
        _remove(contact, runtime)


async def reach(tx: AsyncSession, runtime: Runtime, caller: Principal, customer_id: UUID) -> Reached:
    """How a service may reach the customer: by the channels that a person there agreed to. Raises `NotFound`."""
    customer = await get_customer(tx, caller, customer_id)
    contact = await repository.reachable(tx, customer_id)
    if contact is None:
        return Reached(customer_id=customer_id)
    await _note(tx, runtime, caller, "contact.given", contact, customer)
    person = await _opened(tx, runtime, contact)
    return Reached(
        customer_id=customer_id,
        contact_id=contact.id,
        role=contact.role,
        name=person.name,
        phone=person.phone if {"phone", "sms"} & {*contact.channels} else None,
        email=person.email if "email" in contact.channels else None,
        channels=contact.channels,
    )


async def find_by_phone(tx: AsyncSession, runtime: Runtime, caller: Principal, phone: str) -> FoundAll:
    """Whose number that is, among those whom the caller sees; that it was told is noted of each customer."""
    found = await repository.having(tx, caller.unit, await sealing.phone_index(tx, runtime, phone))
    whose = {row.customer_id: row.unit_code for row in found}
    await trail.note_each(tx, runtime, caller, act="customer.found", thing="customer", things=whose.items())
    names = [await sealing.open_name(tx, runtime, row.customer_id, row.plain, row.sealed) for row in found]
    return FoundAll(items=[Found(name=name, **row._mapping) for row, name in zip(found, names, strict=True)])


async def _note(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    act: str,
    contact: Contact,
    customer: Customer,
    reason: str | None = None,
) -> None:
    its, where = contact.id, customer.unit_code
    await trail.note(tx, runtime, caller, act=act, thing="contact", thing_id=its, unit_code=where, reason=reason)


def _check_consent(consent: str, channels: Sequence[str]) -> None:
    if channels and consent != "given":
        raise Unprocessable(NO_CONSENT)


async def _sealed(
    tx: AsyncSession, runtime: Runtime, customer: Customer, id: UUID, person: Person
) -> tuple[bytes, bytes | None]:
    refuse_mask(person.phone)
    owner = await top_unit(tx, customer.unit_code)
    words = json.dumps(person._asdict(), ensure_ascii=False)
    sealed = await runtime.vault.seal(tx, owner, Place("contacts", "person_sealed", id), words)
    return sealed, None if person.phone is None else await sealing.phone_index(tx, runtime, person.phone)


async def _opened(tx: AsyncSession, runtime: Runtime, contact: Contact) -> Person:
    assert contact.person_sealed is not None, "a contact that is not removed has its person"
    words = await runtime.vault.open(tx, Place("contacts", "person_sealed", contact.id), contact.person_sealed)
    return Person(**json.loads(words))


async def _show(tx: AsyncSession, runtime: Runtime, contacts: Sequence[Contact], *, in_full: bool = False) -> None:
    for contact in contacts:
        if not contact.removed_at:
            person = await _opened(tx, runtime, contact)
            contact.show(person if in_full else person.masked())


def _remove(contact: Contact, runtime: Runtime) -> None:
    contact.touch(runtime.clock.now())
    contact.removed_at = contact.updated_at
    contact.person_sealed = contact.phone_index = None
