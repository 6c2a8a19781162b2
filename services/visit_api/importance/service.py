"""Importance is brought with the document that determined it, and never decided here (§3.2)."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.errors import FieldError, NotFound, Unprocessable
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from visit_api.base import digest
from visit_api.customers.errors import unknown_customer
from visit_api.customers.models import Customer
from visit_api.customers.service import determine, get_customer
from visit_api.importance import errors, repository
from visit_api.importance.models import Determination, Document
from visit_api.importance.schemas import DeterminationView, DocumentView, NewDocument


async def bring(tx: AsyncSession, runtime: Runtime, caller: Principal, new: NewDocument) -> DocumentView:
    """Takes over everything that a document says, or nothing of it. Raises `DocumentTaken`, `Unprocessable`."""
    if new.id and (known := await repository.find(tx, caller.unit, new.id)):
        if not known.is_made_of(new):
            raise errors.DocumentTaken(id=new.id)
        return await _shown(tx, caller, known)
    customers = await _customers(tx, caller, new)
    assert caller.unit is not None, "only people bring documents"
    said = new.model_dump(include={"government_body", "document_no", "determined_on"})
    said |= {"imported_by": caller.sub, "recorded_at": runtime.clock.now()}
    document = Document(id=new.id or new_id(), unit_code=caller.unit, content_digest=digest(new), **said)
    tx.add(document)
    await tx.flush()
    for customer, item in zip(customers, new.items, strict=True):
        its = {"document_id": document.id, "customer_id": customer.id, "level": item.level}
        tx.add(Determination(id=new_id(), **its, **said))
    await tx.flush()
    held = {customer.id: customer for customer in customers}
    for latest in await repository.latest(tx, held):
        level = None if latest.level == "none" else latest.level
        await determine(tx, runtime, held[latest.customer_id], level)
    return await _shown(tx, caller, document)


async def get_document(tx: AsyncSession, caller: Principal, id: UUID) -> DocumentView:
    """A document as it was imported. Raises `NotFound`."""
    document = await repository.find(tx, caller.unit, id)
    if document is None:
        raise NotFound
    return await _shown(tx, caller, document)


async def history(tx: AsyncSession, caller: Principal, customer_id: UUID, window: Window) -> Listing[Determination]:
    """What was ever determined of a customer. Raises `NotFound`."""
    await get_customer(tx, caller, customer_id)
    return await repository.of_customer(tx, customer_id, window)


async def _shown(tx: AsyncSession, caller: Principal, document: Document) -> DocumentView:
    items = [
        DeterminationView.model_validate(row) for row in await repository.of_document(tx, caller.unit, document.id)
    ]
    its = {field: getattr(document, field) for field in DocumentView.model_fields if field != "items"}
    return DocumentView(**its, items=items)


async def _customers(tx: AsyncSession, caller: Principal, new: NewDocument) -> list[Customer]:
    """Whom each item names, held. Raises `Unprocessable`, pointing to every item that names nobody."""
    ids = {item.customer_id for item in new.items if item.customer_id}
    numbers = {item.customer_no for item in new.items if item.customer_no}
    found = await repository.hold(tx, caller.unit, ids, numbers)
    by: dict[UUID | str, list[Customer]] = defaultdict(list)
    for customer in found:
        by[customer.id].append(customer)
        if customer.customer_no is not None:
            by[customer.customer_no].append(customer)
    named: list[Customer] = []
    wrong: list[FieldError] = []
    for place, item in enumerate(new.items):
        its = by.get(item.customer_id or item.customer_no or "", [])
        if (item.customer_id is None) == (item.customer_no is None):
            wrong.append(errors.which(f"/items/{place}"))
        elif problem := _problem(its, f"/items/{place}/{'customer_id' if item.customer_id else 'customer_no'}", named):
            wrong.append(problem)
        else:
            named.append(its[0])
    if wrong:
        raise Unprocessable(*wrong)
    return named


def _problem(found: Sequence[Customer], pointer: str, named: Sequence[Customer]) -> FieldError | None:
    if not found:
        return unknown_customer(pointer)
    if len(found) > 1:
        return errors.many(pointer)
    return errors.twice(pointer) if found[0] in named else None
