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
from visit_api.customers.repository import determined
from visit_api.customers.service import changed
from visit_api.directory.units import successor, top_unit
from visit_api.imports import repository
from visit_api.imports.models import CustomerSaid, Import
from visit_api.imports.ownership import SHIPPED, SUPPLY, orders, winners, words_of
from visit_api.imports.reading import Said
from visit_api.imports.repository import Takes
from visit_api.rulebooks import service as rulebooks

SUBJECT = "customer_sources"
TABLE, COLUMN = "customer_said", "said_sealed"
IMPORTANT, ORDINARY = "other.important", "other.ordinary"
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


class _Ground:
    """What the lines of a batch are looked at with; of each unit it is asked once."""

    def __init__(self, tx: AsyncSession, runtime: Runtime, now: datetime) -> None:
        self.tx, self.runtime, self.now = tx, runtime, now
        self._rules: dict[str, rulebooks.Rules] = {}
        self._tops: dict[str, str] = {}
        self._standing: dict[str, str] = {}

    async def rules(self, unit_code: str) -> rulebooks.Rules:
        """Which system's word counts in a unit."""
        if unit_code not in self._rules:
            self._rules[unit_code] = await rulebooks.counting(self.tx, unit_code, SUBJECT, SHIPPED)
        return self._rules[unit_code]

    async def top(self, unit_code: str) -> str:
        """By whose keys customers of a unit are sealed."""
        if unit_code not in self._tops:
            self._tops[unit_code] = await top_unit(self.tx, unit_code)
        return self._tops[unit_code]

    async def standing(self, unit_code: str) -> str:
        """The unit that one is, or is part of."""
        if unit_code not in self._standing:
            self._standing[unit_code] = await successor(self.tx, unit_code)
        return self._standing[unit_code]


async def merge(tx: AsyncSession, runtime: Runtime, its: Import, spoken: Sequence[Spoken], now: datetime) -> Merged:
    """Keeps what a system says now beside what others said, and finds out what of it counts."""
    merged, kept = Merged([], [], 0), 0
    ids = [each.customer_id for each in spoken]
    customers = await repository.customers(tx, ids)
    rows, by_document = await repository.said_of(tx, ids), await determined(tx, ids)
    ground = _Ground(tx, runtime, now)
    for each in spoken:
        customer, known = customers[each.customer_id], rows.get(each.customer_id, {})
        assert customer.source is not None
        rules = await ground.rules(customer.unit_code)
        digest = await _digest(tx, runtime, each.said, rules.label)
        there = known.get(its.source)
        if there is not None and there.digest == digest:
            continue
        now_counts = await counting_now(tx, runtime, customer)
        said = {source: await opened(tx, runtime, row) for source, row in known.items()}
        if customer.source not in said:
            said[customer.source] = first = {"importance": "none", **now_counts}
            await _keep(ground, customer, None, customer.source, str(customer.source_no), first, b"")
        # Of what it does not say now, what it said before is its word.
        said[its.source] = {**said.get(its.source, {}), **words_of(each.said)}
        await _keep(ground, customer, there, its.source, each.said["customer_no"], said[its.source], digest)
        best = winners(orders(rules.content), customer.source, said)
        counts = {field: said[source][field] for field, source in best.items()}
        if customer.id in by_document:  # what a local government determined counts for more than any code (§3.2)
            counts["importance"] = customer.importance or "none"
        if counts.get("importance") == "none":
            del counts["importance"]
        if "unit_code" in counts:  # as it was called when it was said
            counts["unit_code"] = await ground.standing(counts["unit_code"])
        # What no system ever had a word for stays.
        counts |= {
            field: value for field, value in now_counts.items() if not any(field in its for its in said.values())
        }
        marked = counts.get("importance") and customer.id not in by_document
        kind = IMPORTANT if customer.kind == ORDINARY and marked else customer.kind
        if counts == now_counts and kind == customer.kind:
            kept += 1
            continue
        merged.changed.append(await _row(ground, customer, kind, counts))
        number, unit = customer.customer_no, counts["unit_code"]
        merged.events.append(changed(customer.id, number, kind, unit, customer.version + 1))
    await tx.flush()
    return merged._replace(kept=kept)


async def counting_now(tx: AsyncSession, runtime: Runtime, customer: Customer) -> Said:
    """What is stored of a customer, in the words of a line; what is empty is not there."""
    name = await sealing.open_name(tx, runtime, customer.id, customer.plain_name, customer.name_sealed)
    its = {"name": name, "unit_code": customer.unit_code, "importance": customer.importance}
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
    ground: _Ground,
    customer: Customer,
    there: CustomerSaid | None,
    source: str,
    source_no: str,
    said: Said,
    digest: bytes,
) -> None:
    row = there or CustomerSaid(id=new_id(), customer_id=customer.id, source=source, source_no=source_no)
    owner, words = await ground.top(customer.unit_code), json.dumps(said, ensure_ascii=False)
    row.said_sealed = await ground.runtime.vault.seal(ground.tx, owner, Place(TABLE, COLUMN, row.id), words)
    row.digest, row.updated_at = digest, ground.now
    ground.tx.add(row)


async def _row(ground: _Ground, customer: Customer, kind: str, counts: Said) -> tuple[object, ...]:
    tx, runtime, owner = ground.tx, ground.runtime, await ground.top(counts["unit_code"])
    place = Place(sealing.TABLE, "phone_sealed", customer.id)
    phone = await sealing.seal_phone(tx, runtime, owner, place, counts.get("phone"))
    address = await sealing.seal_address(tx, runtime, owner, customer.id, counts.get("address"))
    supply = json.dumps({field: counts[field] for field in SUPPLY if field in counts}, ensure_ascii=False)
    name = await sealing.name_columns(tx, runtime, owner, customer.id, kind, counts.get("sort"), counts["name"])
    its = (customer.id, *name.values(), kind, counts["unit_code"], customer.customer_no)
    found = (phone.sealed, phone.found_by, address, counts.get("importance"), supply)
    return (*its, *found, customer.content_digest, _ALL)
