"""What is done with customers; every change is told on `customer.changes` by its version."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import trail
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.vault import Place
from chassis.web.errors import NotFound, Unprocessable
from chassis.web.etag import Unchanged
from chassis.web.paging import Gone, Listing, Window
from chassis.web.tokens import Principal
from contracts.customers import CustomerChanged, CustomerRemoved
from visit_api.base import add, digest
from visit_api.customers import following, repository, sealing
from visit_api.customers.errors import WHY_MARKED, CustomerTaken, MarkIsDecided, masked_value, unknown_customer
from visit_api.customers.models import Customer
from visit_api.customers.particulars import OF_ANOTHER_KIND, SPECIAL_GROUP, validated
from visit_api.customers.schemas import CustomerChange, CustomerInFull, NewCustomer
from visit_api.directory.sight import of_company
from visit_api.directory.units import require_unit, top_unit

FOLLOWER = "integration"  # the role of a system that follows what changes
_DECIDING = frozenset({"supervisor", "admin"})  # who may say that a customer is at risk (§4.4.2)


async def add_customer(tx: AsyncSession, runtime: Runtime, caller: Principal, new: NewCustomer) -> Customer:
    """Makes a customer. Raises `CustomerTaken`, `Unprocessable` for a unit that is not the caller's to name, for
    particulars that are not those of its kind."""
    found = new.id and await repository.find(tx, caller.unit, new.id)
    if not found:
        await require_unit(tx, caller, new.unit_code)
        customer = await _make(tx, runtime, new)
        if customer is not None:
            await _tell(tx, runtime, customer)
            await sealing.show(tx, runtime, [customer])
            return customer
        found = new.id and await repository.find(tx, caller.unit, new.id)
    if not found or found.removed_at or not await _is_made_of(tx, runtime, found, new):
        raise CustomerTaken(id=new.id)
    await sealing.show(tx, runtime, [found])
    return found


async def list_customers(
    tx: AsyncSession, runtime: Runtime, caller: Principal, window: Window, **filters: str | None
) -> Listing[Customer | Gone]:
    """The customers that the caller sees, as they are shown; to a system that follows what changes, in full, with a
    line in the trail for each page and each of a special group: it keeps a copy, and a copy of masks is none."""
    found = await repository.find_all(tx, caller.unit, window, **filters)
    there = [each for each in found.items if not isinstance(each, Gone)]
    if not (window.is_feed and FOLLOWER in caller.roles):
        await sealing.show(tx, runtime, there)
    elif there:
        await sealing.show_in_full(tx, runtime, there)
        ids = [each.id for each in there]
        await following.note(tx, runtime, caller, "customers", ids, whose=ids)
    return found


async def get_customer(tx: AsyncSession, caller: Principal, id: UUID, *, lock: bool = False) -> Customer:
    """The customer `id`, held for a change if `lock` says so. Raises `NotFound`."""
    customer = await repository.find(tx, caller.unit, id, lock="change" if lock else None)
    if customer is None or customer.removed_at:
        raise NotFound
    return customer


async def show_customer(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, *, lock: bool = False
) -> Customer:
    """The same, as it is shown."""
    customer = await get_customer(tx, caller, id, lock=lock)
    await sealing.show(tx, runtime, [customer])
    return customer


async def open_customer(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, reason: str) -> CustomerInFull:
    """What is personal of a customer, with a line in the trail. Raises `NotFound`."""
    customer = await get_customer(tx, caller, id)
    where = customer.unit_code
    await trail.note(
        tx, runtime, caller, act="customer.opened", thing="customer", thing_id=id, unit_code=where, reason=reason
    )
    phone = await sealing.open_phone(tx, runtime, customer)
    address = await sealing.open_address(tx, runtime, customer)
    facts = await sealing.open_particulars(tx, runtime, customer)
    return CustomerInFull(id=id, phone=phone, address=address, particulars=facts)


async def change_customer(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, change: CustomerChange, unchanged: Unchanged
) -> Customer:
    """Changes what is known of a customer; its visits stay with the unit that made them.

    Raises `NotFound`, `PreconditionFailed`, `MarkIsDecided`, `Unprocessable`.
    """
    customer = await show_customer(tx, runtime, caller, id, lock=True)
    unchanged(customer)
    if "unit_code" in change:
        await require_unit(tx, caller, change["unit_code"])
    facts = _new_particulars(customer, change)
    await _put_marks(tx, runtime, caller, customer, change)
    for field, value in change.items():
        if field not in ("name", "phone", "address", "particulars", "marks", "reason"):
            setattr(customer, field, value)
    if facts is not None:
        await _put_particulars(tx, runtime, customer, facts)
    if change.keys() & {"name", "kind"}:
        await _put_name(tx, runtime, customer, change.get("name", customer.name))
    if "phone" in change:
        await _put_phone(tx, runtime, customer, change["phone"])
    if "address" in change:
        await _put_address(tx, runtime, customer, change["address"])
    await _changed(tx, runtime, customer)
    return customer


async def mark(tx: AsyncSession, runtime: Runtime, customer: Customer, name: str) -> None:
    """Marks a customer, as a person decided; `customer` is held for the change."""
    if name not in customer.marks:
        customer.marks = sorted({*customer.marks, name})
        await _changed(tx, runtime, customer)


async def determine(tx: AsyncSession, runtime: Runtime, customer: Customer, importance: str | None) -> None:
    """Takes over what a local government determined (§3.2), also where it is what was said before: it is determined
    now; `customer` is held for the change."""
    customer.importance = importance
    await _changed(tx, runtime, customer)


async def remove_customer(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, unchanged: Unchanged
) -> None:
    """Takes a customer out of use for good, and what is personal out of it; what was done for it stays on record.

    Raises `NotFound`, `PreconditionFailed`.
    """
    customer = await show_customer(tx, runtime, caller, id, lock=True)
    unchanged(customer)
    customer.touch(runtime.clock.now())
    customer.removed_at = customer.updated_at
    sealing.forget(customer)
    await repository.forget_said(tx, id)
    await runtime.outbox.append(tx, [CustomerRemoved(id=customer.id)], at=customer.updated_at)


async def hold_customer(tx: AsyncSession, caller: Principal, id: UUID, pointer: str, *, late: bool = False) -> Customer:
    """The customer `id`, which stays as it is until the transaction ends. Whoever holds a visit too holds it first, as
    what is heard of appeals does; and several customers by their ids. `late`, for what was done before: one that was
    removed since, too, or that went to another unit of the company from where the caller saw it.

    Raises `Unprocessable`, pointing to the field, where there is none, or none any more, that the caller sees.
    """
    unit = await _sight(tx, caller, id) if late else caller.unit
    customer = await repository.find(tx, unit, id, lock="share")
    if customer is None or (customer.removed_at and not late):
        raise Unprocessable(unknown_customer(pointer))
    return customer


async def unit_of_ever_seen(tx: AsyncSession, caller: Principal, id: UUID) -> str | None:
    """The unit of a customer, removed or not, that the caller sees or did before it went there; None of any other."""
    customer = await repository.find(tx, await _sight(tx, caller, id), id)
    return None if customer is None else customer.unit_code


async def customer_on_record(tx: AsyncSession, runtime: Runtime, id: UUID) -> Customer:
    """The customer whom a record names, wherever it is now, removed or not."""
    customer = await repository.find(tx, None, id)
    assert customer is not None, "a record names a customer by foreign key"
    await sealing.show_open(tx, runtime, [customer])
    return customer


def refuse_mask(value: str | None, pointer: str = "/phone") -> None:
    """Raises `Unprocessable` for a number or an address as it is shown, which somebody sends back."""
    if value is not None and "*" in value:
        raise Unprocessable(masked_value(pointer))


def changed(id: UUID, customer_no: str | None, kind: str, unit_code: str, version: int) -> CustomerChanged:
    """What is told of a customer: whether somebody is at risk or in need is nobody's business on a topic."""
    told_kind = "other" if kind.startswith("other.") else kind
    return CustomerChanged(id=id, customer_no=customer_no, kind=told_kind, unit_code=unit_code, version=version)


def told(customer: Customer) -> CustomerChanged:
    """The same of a customer as it is."""
    return changed(customer.id, customer.customer_no, customer.kind, customer.unit_code, customer.version)


async def _sight(tx: AsyncSession, caller: Principal, id: UUID) -> str | None:
    """Under which unit a customer may be, of whom the caller brings something late: one whom they ever saw, anywhere in
    their company."""
    seen = await repository.ever_seen(tx, caller.unit, caller.sub, id)
    return (await of_company(tx, caller)).unit if seen else caller.unit


async def _make(tx: AsyncSession, runtime: Runtime, new: NewCustomer) -> Customer | None:
    facts = _valid(new.kind, new.particulars or {})
    id, owner = new.id or new_id(), await top_unit(tx, new.unit_code)  # noqa: A001
    refuse_mask(new.phone)
    refuse_mask(new.address, "/address")
    phone = await sealing.seal_phone(tx, runtime, owner, Place(sealing.TABLE, "phone_sealed", id), new.phone)
    personal = new.kind == SPECIAL_GROUP and facts
    sealed = await sealing.seal_particulars(tx, runtime, owner, id, facts) if personal else None
    return await add(
        tx,
        Customer,
        new,
        runtime.clock.now(),
        id=id,
        content_digest=await sealing.keyed_digest(tx, runtime, new),
        **await sealing.name_columns(tx, runtime, owner, id, new.kind, None, new.name),
        phone_sealed=phone.sealed,
        phone_index=phone.found_by,
        address_sealed=await sealing.seal_address(tx, runtime, owner, id, new.address),
        particulars={} if personal else facts,
        particulars_sealed=sealed,
        marks=[],
    )


async def _is_made_of(tx: AsyncSession, runtime: Runtime, found: Customer, new: NewCustomer) -> bool:
    # An earlier version stored the plain digest.
    known = {digest(new), await sealing.keyed_digest(tx, runtime, new)}
    return found.content_digest in known and new.id in (None, found.id)


async def _put_name(tx: AsyncSession, runtime: Runtime, customer: Customer, name: str) -> None:
    owner, sort = await top_unit(tx, customer.unit_code), customer.supply.get("sort")
    its = await sealing.name_columns(tx, runtime, owner, customer.id, customer.kind, sort, name)
    customer.plain_name, customer.name_sealed = its["plain_name"], its["name_sealed"]
    customer.show_name(name)


async def _put_phone(tx: AsyncSession, runtime: Runtime, customer: Customer, phone: str | None) -> None:
    refuse_mask(phone)
    owner, place = await top_unit(tx, customer.unit_code), Place(sealing.TABLE, "phone_sealed", customer.id)
    customer.phone_sealed, customer.phone_index = await sealing.seal_phone(tx, runtime, owner, place, phone)
    customer.plain_phone = None
    await sealing.show(tx, runtime, [customer])


async def _put_address(tx: AsyncSession, runtime: Runtime, customer: Customer, address: str | None) -> None:
    refuse_mask(address, "/address")
    owner = await top_unit(tx, customer.unit_code)
    customer.address_sealed = await sealing.seal_address(tx, runtime, owner, customer.id, address)
    await sealing.show(tx, runtime, [customer])


async def _put_marks(
    tx: AsyncSession, runtime: Runtime, caller: Principal, customer: Customer, change: CustomerChange
) -> None:
    """As a confirmation does: decided by a supervisor, who says why, with a line in the trail."""
    marks = sorted(set(change.get("marks", customer.marks)))
    if marks == customer.marks:
        return
    if not caller.roles & _DECIDING:
        raise MarkIsDecided(clause="4.4.2")
    if "reason" not in change:
        raise Unprocessable(WHY_MARKED)
    act, where, reason = "customer.marked", customer.unit_code, change["reason"]
    await trail.note(
        tx, runtime, caller, act=act, thing="customer", thing_id=customer.id, unit_code=where, reason=reason
    )
    customer.marks = marks


def _new_particulars(customer: Customer, change: CustomerChange) -> dict[str, Any] | None:
    """What is particular to the customer from now on; None where that stays. Raises `Unprocessable`."""
    kind = change.get("kind", customer.kind)
    if "particulars" in change:
        return _valid(kind, change["particulars"])
    if kind != customer.kind and (customer.particulars or customer.particulars_sealed):
        raise Unprocessable(OF_ANOTHER_KIND)
    return None


async def _put_particulars(tx: AsyncSession, runtime: Runtime, customer: Customer, facts: dict[str, Any]) -> None:
    personal = customer.kind == SPECIAL_GROUP and facts
    owner = await top_unit(tx, customer.unit_code)
    customer.particulars_sealed = (
        await sealing.seal_particulars(tx, runtime, owner, customer.id, facts) if personal else None
    )
    customer.particulars = {} if personal else facts


def _valid(kind: str, given: Any) -> dict[str, Any]:
    facts = validated(kind, given)
    if isinstance(facts, Mapping):
        return dict(facts)
    raise Unprocessable(*facts)


async def _changed(tx: AsyncSession, runtime: Runtime, customer: Customer) -> None:
    customer.touch(runtime.clock.now())
    await _tell(tx, runtime, customer)


async def _tell(tx: AsyncSession, runtime: Runtime, customer: Customer) -> None:
    await runtime.outbox.append(tx, [told(customer)], at=customer.updated_at)
