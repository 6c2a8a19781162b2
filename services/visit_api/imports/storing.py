"""Lines into customers, some at a time: each batch, its faults, its events and how far it goes are one transaction."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import after_commit
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.vault import Place
from contracts.customers import CustomerChanged
from visit_api.customers import sealing
from visit_api.customers.service import changed
from visit_api.imports import files, mapping, reading, repository
from visit_api.imports.mapping import Source
from visit_api.imports.models import Import
from visit_api.imports.reading import Fault, Layout, Line, Record
from visit_api.imports.repository import Known


class _Batch(NamedTuple):
    """What becomes of some lines."""

    new: list[dict[str, Any]]
    changed: list[dict[str, Any]]
    events: list[CustomerChanged]
    faults: dict[int, Fault]


async def advance(tx: AsyncSession, runtime: Runtime, most: int) -> bool:
    """Reads the next `most` lines of the first file that waits; False where none does."""
    its = await repository.claim(tx)
    if its is None:
        return False
    source, now = mapping.source(its.source), runtime.clock.now()
    path = files.folder_of(runtime) / str(its.id)
    try:
        lines, position, more = await asyncio.to_thread(_read, path, its, most)
    except FileNotFoundError:  # the folder was not kept: what was read stays, the file may be sent again
        await _end(tx, its, path, "failed", now)
        return True
    batch, same = await _sorted(tx, runtime, its, source, lines, now)
    await repository.store(tx, batch.new, batch.changed)
    await runtime.outbox.append(tx, batch.events, at=now)
    faults = sorted(batch.faults.items())
    await repository.note(tx, [(new_id(), its.id, line, *fault, now) for line, fault in faults])
    its.position, its.next_line = position, its.next_line + len(lines)
    its.read += sum(line.content is not None for line in lines)
    its.stored += len(batch.events)
    its.same += same
    its.bad += len(faults)
    its.updated_at = now
    if not more:
        await _end(tx, its, path, "done", now)
    return True


async def clear_away(tx: AsyncSession, runtime: Runtime) -> None:
    """Forgets files that no import waits for: what a crash left."""
    folder, wanted = files.folder_of(runtime), await repository.waiting(tx)
    for path in await asyncio.to_thread(files.left_over, folder, wanted):
        path.unlink(missing_ok=True)


async def _end(tx: AsyncSession, its: Import, path: Path, state: str, now: datetime) -> None:
    its.state, its.ended_at, its.updated_at = state, now, now
    await repository.forget_numbers(tx, its.id)
    after_commit(tx, partial(path.unlink, missing_ok=True))


def _read(path: Path, its: Import, most: int) -> tuple[list[Line], int, bool]:
    layout = Layout(**its.layout)
    with path.open("rb") as file:
        file.seek(its.position)
        lines, more = reading.read(file, its.next_line, most, layout, mapping.source(its.source))
        return lines, file.tell(), more


async def _sorted(
    tx: AsyncSession, runtime: Runtime, its: Import, source: Source, lines: Sequence[Line], now: datetime
) -> tuple[_Batch, int]:
    """What becomes of `lines`, and of how many nothing, for they are stored already."""
    batch = _Batch([], [], [], {line.number: line.content for line in lines if isinstance(line.content, Fault)})
    found = [(line.number, line.content) for line in lines if isinstance(line.content, Record)]
    owners = await repository.owners(tx, its.unit_code, {record.unit_code for _, record in found})
    records = await _once(tx, its, source, [each for each in found if each[1].unit_code in owners], batch)
    for number, record in found:
        if record.unit_code not in owners:
            batch.faults[number] = Fault(source.columns["unit_code"], "unknown_code")
    known = await repository.known(tx, its.source, [record.customer_no for _, record in records])
    seen = await repository.seen(tx, its.unit_code, {there.unit_code for there in known.values()})
    same = 0
    for number, record in records:
        there = known.get(record.customer_no)
        if there is not None and (there.removed or there.unit_code not in seen):
            reason = "removed" if there.removed and there.unit_code in seen else "taken"
            batch.faults[number] = Fault(source.columns["customer_no"], reason)
            continue
        digest = await sealing.key_digest(tx, runtime, _digest(record))
        if there is not None and there.digest == digest:
            same += 1
            continue
        await _put(tx, runtime, its, record, there, digest, owners[record.unit_code], now, batch)
    return batch, same


async def _once(
    tx: AsyncSession, its: Import, source: Source, found: Sequence[tuple[int, Record]], batch: _Batch
) -> list[tuple[int, Record]]:
    """Those of `found` whose customer the file has not named before; the others are faults."""
    first = await repository.name(tx, its.id, [record.customer_no for _, record in found])
    records = []
    for number, record in found:
        if record.customer_no in first:
            first.remove(record.customer_no)
            records.append((number, record))
        else:
            batch.faults[number] = Fault(source.columns["customer_no"], "duplicate")
    return records


async def _put(
    tx: AsyncSession,
    runtime: Runtime,
    its: Import,
    record: Record,
    there: Known | None,
    digest: bytes,
    owner: str,
    now: datetime,
    batch: _Batch,
) -> None:
    id = new_id() if there is None else there.id  # noqa: A001
    kind, version = (record.kind or its.kind, 1) if there is None else (there.kind, there.version + 1)
    place = Place(sealing.TABLE, "phone_sealed", id)
    phone = await sealing.seal_phone(tx, runtime, owner, place, record.phone)
    row: dict[str, Any] = {
        "id": id,
        "name": record.name,
        "kind": kind,
        "unit_code": record.unit_code,
        "customer_no": record.customer_no,
        "accounts": [],
        "phone_sealed": phone.sealed,
        "phone_index": phone.found_by,
        "particulars": "{}",
        "marks": [],
        "importance": record.importance,
        "source": its.source,
        "source_no": record.customer_no,
        "supply": json.dumps(record.supply, ensure_ascii=False),
        "version": version,
        "content_digest": digest,
        "updated_at": now,
    }
    (batch.new if there is None else batch.changed).append(row)
    batch.events.append(changed(id, record.customer_no, kind, record.unit_code, version))


def _digest(record: Record) -> bytes:
    """What a line is known by when it comes again."""
    return hashlib.sha256(json.dumps(record, ensure_ascii=False, sort_keys=True).encode()).digest()
