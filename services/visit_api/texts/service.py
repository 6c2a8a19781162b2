"""What is done with words: sealed with the row that they belong to, opened for whoever may read it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import flag_modified, set_committed_value

from chassis.runtime import Runtime
from chassis.vault import Place
from visit_api.base import Brought, New, keyed_digest
from visit_api.base import digest as plain_digest
from visit_api.directory.units import top_unit
from visit_api.settings import keeps_plain
from visit_api.texts.models import Worded


async def kept(
    tx: AsyncSession, runtime: Runtime, of: type[Worded], id: UUID, unit_code: str, said: Mapping[str, Any]
) -> dict[str, Any]:
    """The columns of the row `id` in which `said` is kept, some of its columns by name: sealed under the keys of the
    unit at the top, or open for as long as an earlier version has to read it."""
    return dict(said) if keeps_plain(runtime) else await sealed(tx, runtime, of, id, unit_code, said)


async def sealed(
    tx: AsyncSession, runtime: Runtime, of: type[Worded], id: UUID, unit_code: str, said: Mapping[str, Any]
) -> dict[str, Any]:
    """The same, sealed; what has no words is as it was."""
    columns, owner = dict(said), await top_unit(tx, unit_code)
    for column, names in of.sealed_in.items():
        its = {name: said[name] for name in names if said.get(name) is not None}
        left = of.without_words(its)
        if left != its:
            words = json.dumps(its, ensure_ascii=False)
            columns |= left
            columns[column] = await runtime.vault.seal(tx, owner, _place(of, column, id), words)
    return columns


async def put(tx: AsyncSession, runtime: Runtime, row: Worded, **said: Any) -> None:
    """Has a row that is there keep `said` in place of what it said so far, and show it."""
    instead: dict[str, Any] = {column: None for column, names in row.sealed_in.items() if said.keys() & {*names}}
    instead |= await kept(tx, runtime, type(row), row.id, row.unit_code, said)
    for column, value in instead.items():
        setattr(row, column, value)
        flag_modified(row, column)  # what it shows may not be what stands there
    await tx.flush()
    for name, its in said.items():
        set_committed_value(row, name, its)


async def show(tx: AsyncSession, runtime: Runtime, rows: Iterable[Worded], *columns: str) -> None:
    """Has each of `rows` show what was said, or what of it is sealed in `columns`. An earlier version may have written
    more besides, which stays."""
    for row in rows:
        for column in columns or row.sealed_in:
            if (words := getattr(row, column)) is not None:
                said = json.loads(await runtime.vault.open(tx, _place(type(row), column, row.id), words))
                for name, its in said.items():
                    set_committed_value(row, name, its)


async def digest(tx: AsyncSession, runtime: Runtime, new: New) -> bytes:
    """By what content with words in it is known again: keyed, for of a plain digest short words could be tried out."""
    return plain_digest(new) if keeps_plain(runtime) else await keyed_digest(tx, runtime, new)


async def is_made_of(tx: AsyncSession, runtime: Runtime, found: Brought, new: New) -> bool:
    """Whether `new` is what a row with words was made of; an earlier version stored the plain digest."""
    known = {plain_digest(new), await keyed_digest(tx, runtime, new)}
    return found.content_digest in known and new.id in (None, found.id)


def _place(of: type[Worded], column: str, id: UUID) -> Place:
    return Place(of.__tablename__, column, id)
