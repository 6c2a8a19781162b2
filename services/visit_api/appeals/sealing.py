"""The words of appeals at rest: sealed a moment after they were raised, and opened where they are shown.

A complaint is stored whether or not a key is at hand: whoever raises one never waits for the vault.
"""

import json
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from chassis.vault import Place
from visit_api.appeals.models import Appeal, Words


async def seal(tx: AsyncSession, runtime: Runtime, owner: str, id: UUID, words: Words) -> bytes:
    """The words of the appeal `id`, sealed under the keys of `owner`."""
    return await runtime.vault.seal(tx, owner, _place(id), json.dumps(words, ensure_ascii=False))


async def opened(tx: AsyncSession, runtime: Runtime, id: UUID, sealed: bytes) -> Words:
    """What was sealed."""
    summary, reason = json.loads(await runtime.vault.open(tx, _place(id), sealed))
    return Words(summary, reason)


async def show(tx: AsyncSession, runtime: Runtime, appeals: Iterable[Appeal]) -> None:
    """Has each of `appeals` show its words."""
    for appeal in appeals:
        if appeal.words_sealed is not None:
            appeal.show(await opened(tx, runtime, appeal.id, appeal.words_sealed))


def _place(id: UUID) -> Place:
    return Place("appeals", "words_sealed", id)
