"""Lines about customers of whom several systems speak: what each says is kept, and what counts is told by rule."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.vault import Place
from contracts.customers import CustomerChanged
from visit_api.customers import sealing
from visit_api.customers.models import Customer
from visit_api.customers.service import changed
from visit_api.directory.service import top_unit
from visit_api.imports import repository
from visit_api.imports.models import CustomerSaid, Import
from visit_api.imports.ownership import SHIPPED, SUPPLY, orders, winners
from visit_api.imports.reading import Said
from visit_api.imports.repository import Takes
from visit_api.rulebooks import service as rulebooks

SUBJECT = "customer_sources"
TABLE, COLUMN = "customer_said", "said_sealed"
_ALL = int(Takes.NAME | Takes.UNIT | Takes.PHONE | Takes.ADDRESS | Takes.IMPORTANCE | Takes.SUPPLY)


class Spoken(NamedTuple):
    """A line of the file, and the customer that it is about."""

    number: int
    said: Said
    customer_id: UUID


class Merged(NamedTuple):
    """What is to be written of customers, as `repository.store` takes it, what is told, and how many stay as they are
    although their line is new."""

    changed: list[tuple[object, ...]]
    events: list[CustomerChanged]
    kept: int


async def merge(tx: AsyncSession, runtime: Runtime, its: Import, spoken: Sequence[Spoken], now: datetime) -> Merged:
    """Keeps what a system says now beside what others said, and finds out what of it counts."""
    merged, kept = Merged([], [], 0), 0
    ids = [each.customer_id for each in spoken]
    customers = await repository.customers(tx, ids)
    rows = await repository.said_of(tx, ids)
    for each in spoken:
        customer, known = customers[each.customer_id], rows.get(each.customer_id, {})
        assert customer.source is not None
        rules = await rulebooks.counting(tx, customer.unit_code, SUBJECT, SHIPPED)
        digest = await _digest(tx, runtime, each.said, rules.label)
        there = known.get(its.source)
        if there is not None and there.digest == digest:
            continue
        now_counts = await counting_now(tx, runtime, customer)
        said = {source: await opened(tx, runtime, row) for source, row in known.items()}
        if customer.source not in said:
            said[customer.source] = first = {"importance": "none", **now_counts}
            await _keep(tx, runtime, customer, None, customer.source, str(customer.source_no), first, b"", now)
        said[its.source] = each.said
        await _keep(tx, runtime, customer, there, its.source, each.said["customer_no"], each.said, digest, now)
        best = winners(orders(rules.content), customer.source, said)
        counts = {field: said[source][field] for field, source in best.items()}
        if counts.get("importance") == "none":
            del counts["importance"]
        if counts == now_counts:
            kept += 1
            continue
        merged.changed.append(await _row(tx, runtime, customer, counts))
        number, unit = customer.customer_no, counts["unit_code"]
        merged.events.append(changed(customer.id, number, customer.kind, unit, customer.version + 1))
    return merged._replace(kept=kept)


async def counting_now(tx: AsyncSession, runtime: Runtime, customer: Customer) -> Said:
    """What is stored of a customer, in the words of a line; what is empty is not there."""
    its = {"name": customer.name, "unit_code": customer.unit_code, "importance": customer.importance}
    its |= {"phone": await sealing.open_phone(tx, runtime, customer)}
    its |= {"address": await sealing.open_address(tx, runtime, customer), **customer.supply}
    return {field: value for field, value in its.items() if value}


async def opened(tx: AsyncSession, runtime: Runtime, row: CustomerSaid) -> Said:
    """What a system said of a customer."""
    said: Said = json.loads(await runtime.vault.open(tx, Place(TABLE, COLUMN, row.id), row.said_sealed))
    return said


async def _digest(tx: AsyncSession, runtime: Runtime, said: Said, rules: str) -> bytes:
    # By other rules the same line may count otherwise.
    return (await runtime.vault.index(tx)).blind("content", msgspec.json.encode([said, rules]).decode())


async def _keep(
    tx: AsyncSession,
    runtime: Runtime,
    customer: Customer,
    there: CustomerSaid | None,
    source: str,
    source_no: str,
    said: Said,
    digest: bytes,
    now: datetime,
) -> None:
    row = there or CustomerSaid(id=new_id(), customer_id=customer.id, source=source, source_no=source_no)
    owner, words = await top_unit(tx, customer.unit_code), json.dumps(said, ensure_ascii=False)
    row.said_sealed = await runtime.vault.seal(tx, owner, Place(TABLE, COLUMN, row.id), words)
    row.digest, row.updated_at = digest, now
    tx.add(row)
    await tx.flush()


async def _row(tx: AsyncSession, runtime: Runtime, customer: Customer, counts: Said) -> tuple[object, ...]:
    owner, place = await top_unit(tx, counts["unit_code"]), Place(sealing.TABLE, "phone_sealed", customer.id)
    phone = await sealing.seal_phone(tx, runtime, owner, place, counts.get("phone"))
    address = await sealing.seal_address(tx, runtime, owner, customer.id, counts.get("address"))
    supply = json.dumps({field: counts[field] for field in SUPPLY if field in counts}, ensure_ascii=False)
    its = (customer.id, counts["name"], customer.kind, counts["unit_code"], customer.customer_no)
    found = (phone.sealed, phone.found_by, address, counts.get("importance"), supply)
    return (*its, *found, customer.content_digest, _ALL)
