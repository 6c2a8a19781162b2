"""What is done with customers; every change is told on `customer.changes` by its version."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from chassis.web.errors import NotFound, Unprocessable
from chassis.web.etag import Unchanged
from chassis.web.tokens import Principal
from contracts.customers import CustomerChanged, CustomerRemoved
from visit_api.base import add
from visit_api.customers import repository
from visit_api.customers.errors import CustomerTaken, unknown_customer
from visit_api.customers.models import Customer
from visit_api.customers.schemas import CustomerChange, NewCustomer
from visit_api.directory.service import require_unit


async def add_customer(tx: AsyncSession, runtime: Runtime, caller: Principal, new: NewCustomer) -> Customer:
    """Makes a customer. Raises `CustomerTaken`, `Unprocessable` for a unit that is not the caller's to name."""
    found = new.id and await repository.find(tx, caller.unit, new.id)
    if not found:
        await require_unit(tx, caller, new.unit_code)
        customer = await add(tx, Customer, new, runtime.clock.now())
        if customer is not None:
            await _tell(tx, runtime, customer)
            return customer
        found = new.id and await repository.find(tx, caller.unit, new.id)
    if not found or found.removed_at or not found.is_made_of(new):
        raise CustomerTaken(id=new.id)
    return found


async def get_customer(tx: AsyncSession, caller: Principal, id: UUID, *, lock: bool = False) -> Customer:
    """The customer `id`, held for a change if `lock` says so. Raises `NotFound`."""
    customer = await repository.find(tx, caller.unit, id, lock="change" if lock else None)
    if customer is None or customer.removed_at:
        raise NotFound
    return customer


async def change_customer(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, change: CustomerChange, unchanged: Unchanged
) -> Customer:
    """Changes what is known of a customer; its visits stay with the unit that made them.

    Raises `NotFound`, `PreconditionFailed`, `Unprocessable`.
    """
    customer = await get_customer(tx, caller, id, lock=True)
    unchanged(customer)
    if "unit_code" in change:
        await require_unit(tx, caller, change["unit_code"])
    for field, value in change.items():
        setattr(customer, field, value)
    customer.touch(runtime.clock.now())
    await _tell(tx, runtime, customer)
    return customer


async def remove_customer(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, unchanged: Unchanged
) -> None:
    """Takes a customer out of use for good; what was done for it stays on record.

    Raises `NotFound`, `PreconditionFailed`.
    """
    customer = await get_customer(tx, caller, id, lock=True)
    unchanged(customer)
    customer.touch(runtime.clock.now())
    customer.removed_at = customer.updated_at
    await runtime.outbox.append(tx, [CustomerRemoved(id=customer.id)], at=customer.updated_at)


async def hold_customer(tx: AsyncSession, caller: Principal, id: UUID, pointer: str) -> Customer:
    """The customer `id`, which stays as it is until the transaction ends.

    Raises `Unprocessable`, pointing to the field, where there is none, or none any more, that the caller sees.
    """
    customer = await repository.find(tx, caller.unit, id, lock="share")
    if customer is None or customer.removed_at:
        raise Unprocessable(unknown_customer(pointer))
    return customer


async def customer_on_record(tx: AsyncSession, id: UUID) -> Customer:
    """The customer whom a record names, wherever it is now, removed or not."""
    customer = await repository.find(tx, None, id)
    assert customer is not None, "a record names a customer by foreign key"
    return customer


async def _tell(tx: AsyncSession, runtime: Runtime, customer: Customer) -> None:
    event = CustomerChanged(
        id=customer.id,
        customer_no=customer.customer_no,
        # Whether somebody is at risk or in need is nobody's business on a topic.
        kind="other" if customer.kind.startswith("other.") else customer.kind,
        unit_code=customer.unit_code,
        version=customer.version,
    )
    await runtime.outbox.append(tx, [event], at=customer.updated_at)
