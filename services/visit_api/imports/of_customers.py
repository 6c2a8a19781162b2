"""Lines of customers, taken in by the thousand: what is asked of the database is asked once for all of them, and what
is worked out, sealed above all, is worked out in a thread, so that everything else goes on."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import NamedTuple, Self
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.vault import DataKey
from contracts.customers import CustomerChanged
from visit_api.customers import sealing
from visit_api.customers.persons import is_person
from visit_api.customers.phones import normal
from visit_api.customers.repository import determined
from visit_api.customers.service import changed
from visit_api.imports import of_several, repository
from visit_api.imports.mapping import Source
from visit_api.imports.models import Import
from visit_api.imports.of_several import IMPORTANT, ORDINARY, Spoken
from visit_api.imports.outcome import Found, GoOn, Outcome, Prepared, Words, once
from visit_api.imports.ownership import SUPPLY, words_of
from visit_api.imports.reading import Fault, Said
from visit_api.imports.repository import Elsewhere, Known, Takes
from visit_api.imports.sifting import in_sight
from visit_api.settings import keeps_plain

_encode = msgspec.json.Encoder().encode


class Sealers(NamedTuple):
    """What seals numbers, addresses and names of persons of an owner."""

    phone: Callable[[str, str], bytes]
    address: Callable[[str, str], bytes]
    name: Callable[[str, str], bytes]

    @classmethod
    def of(cls, key: DataKey) -> Self:
        return cls(*(key.sealer(sealing.TABLE, f"{field}_sealed") for field in cls._fields))


class _Ground(NamedTuple):
    """What the lines of a batch are looked at with, and those after it prepared with, whatever becomes of it."""

    import_id: UUID
    kind: str  # of a new customer whose line does not say it
    source: Source
    owners: Mapping[str, str]  # unit -> the unit at the top of its tree
    sealers: Mapping[str, Sealers]  # by that unit
    content: Callable[[bytes], bytes]  # by what a line is known again
    phones: Callable[[bytes], bytes]  # by what a number is found
    known: Mapping[str, Known]
    determined: set[UUID]  # known customers of whom a document says how important they are (§3.2)
    others: Mapping[str, Elsewhere | None]  # by number; None where several have it
    seen: set[str]  # units of known customers that the sender sees
    prepared: Mapping[int, Prepared]
    now: datetime
    names_open: bool  # for an earlier version


class _Batch(NamedTuple):
    new: list[tuple[object, ...]]
    changed: list[tuple[object, ...]]
    events: list[CustomerChanged]
    unwritten: list[str]  # numbers that were named and whose customer does not bear the import's id
    several: list[Spoken]  # whose customer other systems speak of too
    faults: dict[int, Fault]


async def take(
    tx: AsyncSession,
    runtime: Runtime,
    its: Import,
    source: Source,
    found: Found,
    prepared: Mapping[int, Prepared],
    go_on: GoOn,
    now: datetime,
) -> Outcome:
    """Stores customers, and tells of each that is new or changed."""
    found, owners, faults = await in_sight(tx, its, source, found)
    numbers = [said["customer_no"] for _, said in found]
    known = await repository.known(tx, its.source, numbers)
    written = {number for number, there in known.items() if there.import_id == its.id}
    found, twice = once(source, found, written | await repository.named(tx, its.id, numbers))
    others = await _others(tx, its, [said for _, said in found if said["customer_no"] not in known])
    theirs = {there.unit_code for there in known.values()} | {each.unit_code for each in others.values() if each}
    seen = await repository.seen(tx, its.unit_code, theirs)
    by_document = await determined(tx, {there.id for there in known.values()})
    sealers = {owner: Sealers.of(await runtime.vault.key(tx, owner)) for owner in set(owners.values())}
    hashes, names_open = await runtime.vault.index(tx), keeps_plain(runtime)
    content, phones = hashes.blinder("content"), hashes.blinder(sealing.PHONES)
    told = (known, by_document, others, seen, prepared)
    ground = _Ground(its.id, its.kind, source, owners, sealers, content, phones, *told, now, names_open)
    batch = await asyncio.to_thread(_sorted, ground, found)
    merged = await of_several.merge(tx, runtime, its, batch.several, now) if batch.several else None
    if merged is not None:
        batch.changed.extend(merged.changed)
        batch.events.extend(merged.events)
    if not batch.changed:  # now: beside the reading of the next lines an answer waits for the interpreter, too
        await repository.as_planned(tx)
    go_on(partial(_prepared, ground) if len(batch.new) > len(found) // 2 else None)
    telling = asyncio.create_task(asyncio.to_thread(runtime.outbox.rows, batch.events, now), name="import.told")
    try:
        await repository.store(tx, batch.new, batch.changed, its.id, now)
        await repository.name(tx, its.id, batch.unwritten)
    finally:
        rows = await telling
    await runtime.outbox.put(tx, rows)
    stored = len(batch.events) + (merged.kept if merged else 0)
    same = len(found) - stored - len(batch.faults)
    return Outcome(stored, same, faults | twice | batch.faults)


def _sorted(ground: _Ground, found: Found) -> _Batch:
    batch = _Batch([], [], [], [], [], {})
    for number, said in found:
        customer_no = said["customer_no"]
        there = ground.known.get(customer_no)
        if customer_no in ground.others or (there is not None and there.contested):
            _set_aside(ground, batch, number, said, there or ground.others[customer_no])
            continue
        ready = ground.prepared.get(number)
        if there is None:
            _add(ground, batch, said, ready or _ready(ground, said))
            continue
        digest = ready.digest if ready else _digest(ground, said)
        if there.removed or there.unit_code not in ground.seen:
            reason = "removed" if there.unit_code in ground.seen else "taken"
            batch.faults[number] = Fault(ground.source.number, reason)
            batch.unwritten.append(customer_no)
        elif there.digest == digest:
            batch.unwritten.append(customer_no)
        else:
            _change(ground, batch, said, there, digest)
    return batch


async def _others(tx: AsyncSession, its: Import, said: Sequence[Said]) -> dict[str, Elsewhere | None]:
    """The customers of other systems that lines are about, by number: those that this one spoke of before, and else the
    one of that number in the same company; where none is in use, one that is out of use."""
    units = {each["customer_no"]: each["unit_code"] for each in said}
    found = await repository.elsewhere(tx, its.source, [*units])
    if not found:
        return {}
    tops = await repository.owners(tx, None, {*units.values(), *(each.unit_code for each in found)})
    others: dict[str, Elsewhere | None] = {each.number: each for each in found if each.linked}
    for each in sorted(found, key=attrgetter("removed")):
        if each.linked or tops.get(each.unit_code) != tops.get(units[each.number]):
            continue
        if each.number not in others:
            others[each.number] = each
        elif not each.removed:
            others[each.number] = None
    return others


def _set_aside(ground: _Ground, batch: _Batch, number: int, said: Said, there: Known | Elsewhere | None) -> None:
    batch.unwritten.append(said["customer_no"])
    if there is None:
        batch.faults[number] = Fault(ground.source.number, "ambiguous")
    elif there.removed or there.unit_code not in ground.seen:
        reason = "removed" if there.unit_code in ground.seen else "taken"
        batch.faults[number] = Fault(ground.source.number, reason)
    else:
        batch.several.append(Spoken(number, said, there.id))


def _prepared(ground: _Ground, found: Found) -> dict[int, Prepared]:
    """The lines of the units that a batch before them named."""
    return {number: _ready(ground, said) for number, said in found if said["unit_code"] in ground.owners}


def _ready(ground: _Ground, said: Said) -> Prepared:
    id_ = new_id()
    return Prepared(_digest(ground, said), id_, _words(ground, id_, said, None))


def _digest(ground: _Ground, said: Said) -> bytes:
    return ground.content(_encode(said))


def _add(ground: _Ground, batch: _Batch, said: Said, ready: Prepared) -> None:
    customer_no, unit_code = said["customer_no"], said["unit_code"]
    kind, importance = _kind(ground, said), _importance(said)
    digest, id, (*name, phone, found_by, address) = ready  # noqa: A001
    supply = _encode({field: said[field] for field in SUPPLY if said.get(field)}).decode()
    its = (id, *name, kind, unit_code, customer_no, phone, found_by, address, importance)
    batch.new.append((*its, ground.source.name, customer_no, supply, ground.import_id, 1, digest, ground.now))
    batch.events.append(changed(id, customer_no, kind, unit_code, 1))


def _change(ground: _Ground, batch: _Batch, said: Said, there: Known, digest: bytes) -> None:
    kind = there.kind
    if kind == ORDINARY and _importance(said) and there.id not in ground.determined:
        kind = IMPORTANT
    *name, phone, found_by, address = _words(ground, there.id, said, kind)
    supply = _encode({field: said[field] for field in SUPPLY if said.get(field)}).decode()
    its = (there.id, *name, kind, said["unit_code"], said["customer_no"], phone, found_by, address)
    batch.changed.append((*its, _importance(said), supply, digest, int(_takes(said))))
    batch.events.append(changed(there.id, said["customer_no"], kind, said["unit_code"], there.version + 1))


def _takes(said: Said) -> Takes:
    """Which fields the line says: of the others it takes nothing away."""
    takes, said = Takes.NAME | Takes.UNIT, words_of(said)
    for field, flag in (("phone", Takes.PHONE), ("address", Takes.ADDRESS), ("importance", Takes.IMPORTANCE)):
        if field in said:
            takes |= flag
    return takes | Takes.SUPPLY if any(field in said for field in SUPPLY) else takes


def _kind(ground: _Ground, said: Said) -> str:
    """Of which kind a new customer is: a government's mark is told by its code, and nothing else is guessed."""
    kind = said.get("kind")
    return IMPORTANT if _importance(said) and kind in (None, "", ORDINARY) else kind or ground.kind


def _importance(said: Said) -> str | None:
    importance = said.get("importance")
    return None if not importance or importance == "none" else importance


def _words(ground: _Ground, id: UUID, said: Said, kind: str | None) -> Words:
    """What is stored of a customer's words; `kind` where it is not the line that says it."""
    sealers, row, name = ground.sealers[ground.owners[said["unit_code"]]], str(id), said["name"]
    phone, address = said.get("phone"), said.get("address")
    is_open = ground.names_open or not is_person(kind or _kind(ground, said), said.get("sort"))
    return (
        name if is_open else None,
        None if is_open else sealers.name(row, name),
        sealers.phone(row, phone) if phone else None,
        ground.phones(normal(phone).encode()) if phone else None,
        sealers.address(row, address) if address else None,
    )
