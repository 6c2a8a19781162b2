"""What is personal of a customer, on its way into the vault and out of it."""

import json
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from chassis.runtime import Runtime
from chassis.vault import Place
from visit_api.base import key_digest, keyed_digest
from visit_api.customers import repository
from visit_api.customers.models import Customer
from visit_api.customers.persons import is_person
from visit_api.customers.phones import masked, masked_address, normal
from visit_api.settings import keeps_plain

__all__ = ["key_digest", "keyed_digest"]
TABLE = "customers"
PHONES = "customers.phone"  # numbers of customers and of their contacts are looked for together


class SealedPhone(NamedTuple):
    """A telephone number as it is stored."""

    sealed: bytes | None = None
    found_by: bytes | None = None


async def seal_phone(tx: AsyncSession, runtime: Runtime, owner: str, place: Place, phone: str | None) -> SealedPhone:
    """`phone`, sealed, and by what it is found; nothing of none."""
    if phone is None:
        return SealedPhone()
    index = await phone_index(tx, runtime, phone)
    return SealedPhone(await runtime.vault.seal(tx, owner, place, phone), index)


async def phone_index(tx: AsyncSession, runtime: Runtime, phone: str) -> bytes:
    """By what a telephone number is found, however it is written."""
    return (await runtime.vault.index(tx)).blind(PHONES, normal(phone))


async def open_phone(tx: AsyncSession, runtime: Runtime, customer: Customer) -> str | None:
    """The customer's telephone number; what an earlier version wrote besides is the newer one."""
    if customer.plain_phone is not None or customer.phone_sealed is None:
        return customer.plain_phone
    return await runtime.vault.open(tx, Place(TABLE, "phone_sealed", customer.id), customer.phone_sealed)


async def open_particulars(tx: AsyncSession, runtime: Runtime, customer: Customer) -> dict[str, Any]:
    """What is particular to the customer, whether or not it is sealed."""
    if customer.particulars_sealed is None:
        return customer.particulars
    place = Place(TABLE, "particulars_sealed", customer.id)
    facts: dict[str, Any] = json.loads(await runtime.vault.open(tx, place, customer.particulars_sealed))
    return facts


async def seal_particulars(tx: AsyncSession, runtime: Runtime, owner: str, id: UUID, facts: dict[str, Any]) -> bytes:
    """What makes somebody one of a special group, sealed."""
    words = json.dumps(facts, ensure_ascii=False)
    return await runtime.vault.seal(tx, owner, Place(TABLE, "particulars_sealed", id), words)


async def seal_address(tx: AsyncSession, runtime: Runtime, owner: str, id: UUID, address: str | None) -> bytes | None:
    """`address`, sealed; nothing of none."""
    place = Place(TABLE, "address_sealed", id)
    return None if address is None else await runtime.vault.seal(tx, owner, place, address)


async def open_address(tx: AsyncSession, runtime: Runtime, customer: Customer) -> str | None:
    """Where the customer is supplied."""
    if customer.address_sealed is None:
        return None
    return await runtime.vault.open(tx, Place(TABLE, "address_sealed", customer.id), customer.address_sealed)


async def name_columns(
    tx: AsyncSession, runtime: Runtime, owner: str, id: UUID, kind: str, sort: str | None, name: str
) -> dict[str, Any]:
    """How the name of a customer is kept: a natural person's sealed, unless an earlier version has to read it."""
    if keeps_plain(runtime) or not is_person(kind, sort):
        return {"plain_name": name, "name_sealed": None}
    return {"plain_name": None, "name_sealed": await seal_name(tx, runtime, owner, id, name)}


async def seal_name(tx: AsyncSession, runtime: Runtime, owner: str, id: UUID, name: str) -> bytes:
    """The name of a natural person, sealed."""
    return await runtime.vault.seal(tx, owner, _named(id), name)


async def open_name(tx: AsyncSession, runtime: Runtime, id: UUID, plain: str | None, sealed: bytes | None) -> str:
    """What a customer is called; what an earlier version wrote besides is the newer one."""
    if plain is not None:
        return plain
    assert sealed is not None, "a customer has a name"
    return await runtime.vault.open(tx, _named(id), sealed)


async def show_open(tx: AsyncSession, runtime: Runtime, customers: Collection[Customer]) -> None:
    """Has each of `customers`, removed or not, show what it is called, and who says how important it is."""
    determined = await repository.determined(tx, {each.id for each in customers if each.importance is not None})
    for customer in customers:
        customer.show_determined(customer.id in determined)
        customer.show_name(await open_name(tx, runtime, customer.id, customer.plain_name, customer.name_sealed))


def _named(id: UUID) -> Place:
    return Place(TABLE, "name_sealed", id)


def forget(customer: Customer) -> None:
    """Takes out of a customer how it is reached, where it is, and what made it one of a special group."""
    customer.plain_phone = customer.phone_sealed = customer.phone_index = None
    customer.address_sealed = customer.particulars_sealed = None


async def show(tx: AsyncSession, runtime: Runtime, customers: Sequence[Customer]) -> None:
    """Has each of `customers` show its name, and its number and its address masked; of a removed one the name alone."""
    await show_open(tx, runtime, customers)
    for customer in customers:
        if customer.removed_at is None:
            phone = await open_phone(tx, runtime, customer)
            place = await open_address(tx, runtime, customer)
            customer.show(phone and masked(phone), place and masked_address(place))


async def show_in_full(tx: AsyncSession, runtime: Runtime, customers: Sequence[Customer]) -> None:
    """Has each of `customers` show what is personal of it; of a removed one the name alone."""
    await show_open(tx, runtime, customers)
    for customer in customers:
        if customer.removed_at is None:
            customer.show(await open_phone(tx, runtime, customer), await open_address(tx, runtime, customer))
            set_committed_value(customer, "particulars", await open_particulars(tx, runtime, customer))
