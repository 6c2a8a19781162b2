"""What is done with texts: sealed with the act that they belong to, opened for whoever may read them.

Older code wrote them where they belong, in the clear; they are sealed and taken away from there once they are met.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec
from asyncpg import Record
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.directory import service as directory
from appeal_tracker.texts import repository
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.vault import Place

Said = Mapping[str, str | None]

TEXT_ID = "text_id"  # by which a line of a timeline names its words
WORDS = frozenset({"note", "reason"})  # what they are called in a line
CLOSED = "closed"  # the reason of a hold that nobody gave in words


class Text(NamedTuple):
    """What is said in the row `id`, by name."""

    id: UUID
    appeal_id: UUID
    unit_code: str
    said: Said


async def keep(tx: AsyncSession, runtime: Runtime, texts: Sequence[Text]) -> None:
    """Seals texts under the keys of the top units of those who raised the appeals; one that says nothing is none."""
    its = [(each, {name: text for name, text in each.said.items() if text is not None}) for each in texts]
    its = [(each, said) for each, said in its if said]
    if not its:
        return
    tops = {unit: await directory.top_of(tx, unit) for unit in {each.unit_code for each, _ in its}}
    rows = []
    for each, said in its:
        sealed = await runtime.vault.seal(tx, tops[each.unit_code], _place(each.id), msgspec.json.encode(said).decode())
        rows.append((each.id, each.appeal_id, sealed))
    await repository.keep(tx, rows)


async def read(tx: AsyncSession, runtime: Runtime, ids: Collection[UUID]) -> dict[UUID, dict[str, str]]:
    """What is said in some rows; one without words is not among them."""
    rows = await repository.find(tx, ids) if ids else ()
    return {row.id: msgspec.json.decode(await runtime.vault.open(tx, _place(row.id), row.said)) for row in rows}


async def take_away(tx: AsyncSession, runtime: Runtime, units: Mapping[UUID, str]) -> None:
    """Seals what older code wrote in the clear about some appeals, by the units that raised them; whoever has locked
    their rows is waited for."""
    for table, (_, columns) in repository.PLAIN.items():
        rows = await repository.plain(tx, table, units, CLOSED)
        await keep(tx, runtime, [_text(row["id"], row, columns, units) for row in rows])
        if rows:
            await repository.empty(tx, table, [row["id"] for row in rows])
    lines = [(new_id(), row) for row in await repository.plain_lines(tx, units)]
    await keep(tx, runtime, [_text(its, row, WORDS, units) for its, row in lines])
    if lines:
        await repository.refer(tx, [(row["appeal_id"], row["seq"], its) for its, row in lines])


def _text(id: UUID, row: Record, names: Iterable[str], units: Mapping[UUID, str]) -> Text:
    return Text(id, row["appeal_id"], units[row["appeal_id"]], {name: row[name] for name in names})


def _place(id: UUID) -> Place:
    return Place("texts", "said", id)
