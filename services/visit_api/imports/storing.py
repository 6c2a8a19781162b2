"""Lines into things, some at a time: each batch, its faults, its events and how far it goes are one transaction."""

import asyncio
from collections.abc import Collection, Coroutine, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import after_commit
from chassis.ids import new_id
from chassis.runtime import Runtime
from visit_api.imports import files, mapping, of_customers, of_staff, of_units, repository
from visit_api.imports.mapping import Source
from visit_api.imports.models import Import
from visit_api.imports.outcome import Found, Outcome, Prepare, Prepared
from visit_api.imports.reading import MOST_IGNORED, Fault, Layout, Line, Reader, ignored

NOTHING = Outcome(0, 0, {})
_WHOLE_FILE = 0  # the line of a fault that is no line's
_TAKES = {"customers": of_customers.take, "units": of_units.take, "staff": of_staff.take}


class Piece(NamedTuple):
    """Some lines of a file, from a position to another."""

    import_id: UUID
    begin: int
    lines: list[Line]
    good: Found
    bad: dict[int, Fault]
    others: Collection[str]  # what they name besides their source's columns
    prepared: Mapping[int, Prepared]
    end: int
    more: bool


class Ahead:
    """Reads the next piece of a file while the one before it is being written."""

    def __init__(self) -> None:
        self._next: asyncio.Task[Piece] | None = None
        self.reading: UUID | None = None  # the import that `advance` had last

    async def piece(self, path: Path, its: Import, most: int) -> Piece:
        """The next lines of a file, from where it was read to. Raises `FileNotFoundError`."""
        before, self._next = self._next, None
        found = None
        if before is not None:  # it may be another file's: what it could not read is none of this one's faults
            await asyncio.wait([before])
            found = before.result() if before.exception() is None else None
        if found is None or (found.import_id, found.begin) != (its.id, its.position) or len(found.lines) > most:
            found = await _reading(path, its, its.position, its.next_line, most, None)
        return found

    def go_on(self, path: Path, its: Import, piece: Piece, most: int, prepare: Prepare | None) -> None:
        """Begins to read what comes after a piece, and to `prepare` it."""
        if piece.more and self._next is None:
            reading = _reading(path, its, piece.end, piece.lines[-1].number + 1, most, prepare)
            self._next = asyncio.create_task(reading, name="import.ahead")


async def advance(tx: AsyncSession, runtime: Runtime, ahead: Ahead, most: int) -> bool:
    """Reads the next `most` lines of the first file that waits; False where none does."""
    ahead.reading = None
    its = await repository.claim(tx)
    if its is None:
        return False
    ahead.reading = its.id
    await repository.plan_anew(tx)
    now, source = runtime.clock.now(), mapping.source(its.thing, its.source)
    path = files.folder_of(runtime) / str(its.id)
    try:
        piece = await ahead.piece(path, its, most)
    except FileNotFoundError:  # the folder was not kept: what was read stays, the file may be sent again
        await _fail(tx, its, path, "file_lost", now)
        return True
    go_on = partial(ahead.go_on, path, its, piece, most)
    good, bad, take = piece.good, piece.bad, _TAKES[its.thing]
    outcome = await take(tx, runtime, its, source, good, piece.prepared, go_on, now) if good else NOTHING
    go_on(None)  # where nobody has
    its.position, its.next_line = piece.end, its.next_line + len(piece.lines)
    its.read += len(good) + len(bad)
    if new := {*ignored(piece.others, source)} - {*its.ignored}:
        its.ignored = [*its.ignored, *sorted(new)][:MOST_IGNORED]
    await _count(tx, its, outcome._replace(faults=outcome.faults | bad), now)
    if not piece.more:
        settled = await of_units.settle(tx, runtime, its, source, now) if its.thing == "units" else None
        if settled is not None:
            await _count(tx, its, settled, now)
        else:
            await _end(tx, its, path, "done", now)
    return True


async def refuse(tx: AsyncSession, runtime: Runtime) -> None:
    """Passes over the next line of the first file that waits: nothing but the database's own refusal is known of it."""
    its = await repository.claim(tx)
    if its is None:
        return
    path = files.folder_of(runtime) / str(its.id)
    piece = await Ahead().piece(path, its, 1)
    its.position, its.next_line, its.read = piece.end, its.next_line + 1, its.read + 1
    refused = {line.number: Fault("", "refused") for line in piece.lines}
    if not refused:  # what was laid aside of the whole file is
        await _fail(tx, its, path, "broken", runtime.clock.now())
        return
    await _count(tx, its, Outcome(0, 0, refused), runtime.clock.now())


async def give_up(tx: AsyncSession, runtime: Runtime, id: UUID) -> None:
    """Ends an import that cannot be read on, for a fault of ours: it holds up none of those behind it. What was stored
    of it stays."""
    its = await repository.claim(tx, id)
    if its is not None:
        await _fail(tx, its, files.folder_of(runtime) / str(its.id), "broken", runtime.clock.now())


async def clear_away(tx: AsyncSession, runtime: Runtime) -> None:
    """Forgets files that no import waits for: what a crash left."""
    folder, wanted = files.folder_of(runtime), await repository.waiting(tx)
    for path in await asyncio.to_thread(files.left_over, folder, wanted):
        path.unlink(missing_ok=True)


async def _count(tx: AsyncSession, its: Import, outcome: Outcome, now: datetime) -> None:
    faults = sorted(outcome.faults.items())
    await repository.note(tx, [(new_id(), its.id, line, *fault, now) for line, fault in faults])
    its.stored += outcome.stored
    its.same += outcome.same
    its.bad += len(faults)
    its.updated_at = now


async def _fail(tx: AsyncSession, its: Import, path: Path, why: str, now: datetime) -> None:
    await repository.note(tx, [(new_id(), its.id, _WHOLE_FILE, "", why, now)])
    await _end(tx, its, path, "failed", now)


async def _end(tx: AsyncSession, its: Import, path: Path, state: str, now: datetime) -> None:
    its.state, its.ended_at, its.updated_at = state, now, now
    await repository.forget(tx, its.id)
    after_commit(tx, partial(path.unlink, missing_ok=True))


def _reading(
    path: Path, its: Import, begin: int, line: int, most: int, prepare: Prepare | None
) -> Coroutine[None, None, Piece]:
    # What is known of the import is taken from it now: its transaction may be over, or gone, when this is run.
    layout, source = Layout(**its.layout), mapping.source(its.thing, its.source)
    return asyncio.to_thread(_read, path, its.id, layout, source, begin, line, most, prepare)


def _read(
    path: Path, id: UUID, layout: Layout, source: Source, begin: int, line: int, most: int, prepare: Prepare | None
) -> Piece:
    with path.open("rb") as file:
        file.seek(begin)
        reader = Reader(layout, source)
        lines, more = reader.read(file, line, most)
        good = [(line.number, line.content) for line in lines if isinstance(line.content, dict)]
        bad = {line.number: line.content for line in lines if isinstance(line.content, Fault)}
        prepared = prepare(good) if prepare else {}
        return Piece(id, begin, lines, good, bad, reader.others, prepared, file.tell(), more)
