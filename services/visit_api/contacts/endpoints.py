"""Contacts over HTTP."""

from typing import Annotated

from fastapi import Depends, Query

from chassis.web.auth import Asker, Caller, require
from chassis.web.etag import Match
from chassis.web.paging import Gone, Listing, Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Id
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from visit_api.contacts import service
from visit_api.contacts.models import Contact
from visit_api.contacts.schemas import (
    ContactChange,
    ContactInFull,
    ContactItem,
    ContactView,
    FoundAll,
    NewContact,
    Reached,
    Wanted,
)
from visit_api.customers.schemas import CustomerView, Reason

router = Router(tags=["contacts"])
customers = Router(tags=["customers"])

Remover = Annotated[Principal, Depends(require("supervisor", "integration"))]
Keeper = Annotated[Principal, Depends(require("visitor", "supervisor", "integration"))]
Reader = Annotated[Principal, Depends(require("visitor", "supervisor"))]
Service = Annotated[Principal, Depends(require("service"))]


@router.post("/v1/customers/{id}/contacts", status_code=201, response_model=ContactView)
async def add_contact(id: Id, new: NewContact, caller: Keeper, tx: Tx, runtime: TheRuntime) -> Contact:
    """Names somebody to speak to at a customer."""
    return await service.add_contact(tx, runtime, caller, id, new)


@router.get("/v1/customers/{id}/contacts", response_model=Page[ContactItem])
async def list_contacts(id: Id, caller: Caller, tx: Tx, runtime: TheRuntime, window: Paging) -> Listing[Contact | Gone]:
    """The contacts of a customer, masked; a feed tells of removed ones by id, and tells the role `integration` in full
    who they are: each page that it reads is kept in the trail."""
    return await service.list_contacts_of(tx, runtime, caller, id, window)


@router.get("/v1/contacts", response_model=Page[ContactItem])
async def follow_contacts(
    caller: Caller,
    tx: Tx,
    runtime: TheRuntime,
    window: Paging,
    customer_id: Annotated[Id | None, Query()] = None,
) -> Listing[Contact | Gone]:
    """The contacts of the customers of the caller's unit and of those below it; a feed tells of removed ones by id, of
    all of a customer that came to another unit, there, and by id where it is gone, and tells the role `integration` in
    full who they are: each page that it reads is kept in the trail."""
    return await service.list_contacts(tx, runtime, caller, customer_id, window)


@router.get("/v1/customers/{id}/contact", response_model=Reached)
async def reach_customer(id: Id, caller: Service, tx: Tx, runtime: TheRuntime) -> Reached:
    """How to reach a customer, for a service that is about to send: only as somebody there agreed to."""
    return await service.reach(tx, runtime, caller, id)


@router.post("/v1/customers/find", response_model=FoundAll)
async def find_customers(wanted: Wanted, caller: Asker, tx: Tx, runtime: TheRuntime) -> FoundAll:
    """Whose telephone number it is: customers that have it, or a contact of whom has it. Who was told of which customer
    is kept in the trail. A POST, for a number is not to stand in an address that others log."""
    return await service.find_by_phone(tx, runtime, caller, wanted.phone)


@customers.delete("/v1/customers/{id}", status_code=204)
async def remove_customer(id: Id, caller: Remover, match: Match, tx: Tx, runtime: TheRuntime) -> None:
    """Takes a customer out of use for good, and what is personal out of it."""
    await service.remove_customer(tx, runtime, caller, id, match.on(CustomerView))


@router.get("/v1/contacts/{id}", response_model=ContactView)
async def get_contact(id: Id, caller: Caller, tx: Tx, runtime: TheRuntime) -> Contact:
    """One contact, masked."""
    return await service.show_contact(tx, runtime, caller, id)


@router.get("/v1/contacts/{id}/full", response_model=ContactInFull)
async def open_contact(id: Id, caller: Reader, tx: Tx, runtime: TheRuntime, reason: Reason) -> ContactInFull:
    """A contact unmasked; who asked, when and why is kept in the trail."""
    return await service.open_contact(tx, runtime, caller, id, reason)


@router.patch("/v1/contacts/{id}", response_model=ContactView)
async def change_contact(
    id: Id, change: ContactChange, caller: Keeper, match: Match, tx: Tx, runtime: TheRuntime
) -> Contact:
    """Changes what is known of a contact; consent taken back takes its channels with it."""
    return await service.change_contact(tx, runtime, caller, id, change, match.on(ContactView))


@router.delete("/v1/contacts/{id}", status_code=204)
async def remove_contact(id: Id, caller: Keeper, match: Match, tx: Tx, runtime: TheRuntime) -> None:
    """Takes a contact out of use, and the person out of it."""
    await service.remove_contact(tx, runtime, caller, id, match.on(ContactView))
