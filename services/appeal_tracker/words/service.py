"""What is done with the words of appeals: sealed when they come, opened for whoever may read them.

They are nowhere in a clock's path: an appeal is opened, warned of and closed without them.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.directory import service as directory
from appeal_tracker.words import repository
from appeal_tracker.words.repository import Sealed
from chassis.runtime import Runtime
from chassis.vault import Place
from chassis.vault.searching import folded
from chassis.web.paging import Window

FIELD = "appeals.words"
AT_ONCE = 500  # candidates that are fetched at a time, but for the first
TURN = 20  # texts that are opened before others have their turn
_TABLE = "appeal_words"


class Words(NamedTuple):
    """What a customer said, and why a question was not answered at once."""

    summary: str
    reason_not_answered: str | None = None


class Said(NamedTuple):
    """The words of an appeal, None where there are none to be had; the unit that raised it, and if it is hidden."""

    appeal_id: UUID
    unit_code: str
    hidden: bool
    words: Words | None


async def keep(tx: AsyncSession, runtime: Runtime, said: Sequence[Said]) -> None:
    """Seals the words of appeals under the keys of their top units.

    What a hidden appeal says is not indexed: nobody finds it by guessing what was said.
    """
    index = await runtime.vault.index(tx)
    tops = {unit: await directory.top_of(tx, unit) for unit in {each.unit_code for each in said}}
    sealed = []
    for appeal, unit, hidden, words in said:
        if words is None:
            sealed.append(Sealed(appeal, None, None, []))
            continue
        parts = {name: text for name, text in words._asdict().items() if text is not None}
        closed = {
            name: await runtime.vault.seal(tx, tops[unit], Place(_TABLE, name, appeal), text)
            for name, text in parts.items()
        }
        pairs = [] if hidden else index.pairs(FIELD, words.summary)
        sealed.append(Sealed(appeal, closed["summary"], closed.get("reason_not_answered"), pairs))
    await repository.keep(tx, sealed, runtime.clock.now())


async def want(tx: AsyncSession, appeals: Collection[UUID]) -> None:
    """Has the words of those of some appeals be fetched that are neither here nor wanted."""
    await repository.want(tx, appeals)


async def read(tx: AsyncSession, runtime: Runtime, appeal: UUID) -> tuple[str, Words | None]:
    """Whether the words of an appeal are at hand (`kept`, `wanted`, `missing`), and the words if they are."""
    found = await repository.find(tx, appeal)
    if found is None:
        return "wanted", None
    if found.summary is None:
        return "missing", None
    summary = await runtime.vault.open(tx, Place(_TABLE, "summary", appeal), found.summary)
    if found.reason_not_answered is None:
        return "kept", Words(summary)
    place = Place(_TABLE, "reason_not_answered", appeal)
    return "kept", Words(summary, await runtime.vault.open(tx, place, found.reason_not_answered))


async def candidates(
    tx: AsyncSession,
    runtime: Runtime,
    window: Window,
    text: str,
    wanted: Callable[[Any], ColumnElement[bool]],
    *,
    first: int,
    most: int,
) -> AsyncGenerator[Sequence[Any]]:
    """Words that have each two characters that stand side by side in a word of `text`, by the appeal's id, part by
    part; where these are single characters, all that are indexed. Without their summary where the appeal is not
    `wanted`."""
    index = await runtime.vault.index(tx)
    pairs = sorted({pair for word in folded(text).split() for pair in index.pairs(FIELD, word)})
    # Fetched part by part, so that the server looks no further than whoever reads.
    found = await tx.stream(repository.having(pairs, window, most, wanted))
    try:
        size = first
        while some := await found.fetchmany(size):
            yield some
            size = AT_ONCE
    finally:
        await found.close()


class Reader:
    """Reads words for whoever looks for `text`, whose words may stand anywhere. To open them needs no waiting, so that
    it gives way by itself."""

    def __init__(self, tx: AsyncSession, runtime: Runtime, text: str) -> None:
        self._tx, self._vault, self._words, self._opened = tx, runtime.vault, folded(text).split(), 0

    async def says(self, appeal: UUID, summary: bytes) -> bool:
        """Whether each word of the text truly stands in the words of an appeal."""
        self._opened += 1
        if self._opened % TURN == 0:
            await asyncio.sleep(0)
        said = folded(await self._vault.open(self._tx, Place(_TABLE, "summary", appeal), summary))
        return all(word in said for word in self._words)


async def saying(tx: AsyncSession, runtime: Runtime, appeals: Collection[UUID], text: str) -> set[UUID]:
    """Those of some appeals in whose words each word of `text` stands."""
    reader = Reader(tx, runtime, text)
    kept = await repository.among(tx, appeals)
    return {its.appeal_id for its in kept if its.summary and await reader.says(its.appeal_id, its.summary)}


def told(answer: dict[str, Any] | None) -> Words | None:
    """The words in what visit_api answers."""
    return Words(answer["summary"], answer.get("reason_not_answered")) if answer else None
