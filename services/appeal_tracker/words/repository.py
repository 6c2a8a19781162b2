"""SQL of the words."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, case, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.words.models import Kept, Wanted
from chassis.db import driver
from chassis.web.paging import Window

# Of two that fetched the same the first one is kept.
_KEEP = """
INSERT INTO appeal_words (appeal_id, summary, reason_not_answered, pairs, stored_at)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING
"""
_DONE = "DELETE FROM words_wanted WHERE appeal_id = ANY ($1::uuid[])"


# One that is being fetched just now may be fetched twice; of two the first is kept.
_WANT = """
INSERT INTO words_wanted (appeal_id, unit_code, confidential)
SELECT id, unit_code, confidential OR anonymous FROM appeals a
WHERE id = ANY ($1::uuid[]) AND source_no IS NULL
    AND NOT EXISTS (SELECT FROM appeal_words k WHERE k.appeal_id = a.id)
ON CONFLICT DO NOTHING
"""


class Sealed(NamedTuple):
    """What is stored of an appeal's words."""

    appeal_id: UUID
    summary: bytes | None
    reason_not_answered: bytes | None
    pairs: list[int]


async def wanted(tx: AsyncSession, after: UUID, most: int) -> Sequence[Wanted]:
    """Some appeals whose words are wanted, those after one first."""
    query = select(Wanted).where(Wanted.appeal_id > after).order_by(Wanted.appeal_id).limit(most)
    return (await tx.scalars(query)).all()


async def want(tx: AsyncSession, appeals: Collection[UUID]) -> None:
    """Has the words of those appeals be fetched that were raised on a visit and have none."""
    await (await driver(tx)).execute(_WANT, [*appeals])


async def keep(tx: AsyncSession, words: Sequence[Sealed], now: datetime) -> None:
    """Stores words, which are wanted no more."""
    connection = await driver(tx)
    await connection.executemany(_KEEP, [(*each, now) for each in words])
    await connection.execute(_DONE, sorted(each.appeal_id for each in words))


async def find(tx: AsyncSession, appeal: UUID) -> Kept | None:
    """The words of an appeal, if they are at hand."""
    return await tx.get(Kept, appeal)


def having(pairs: list[int], window: Window, most: int, wanted: Callable[[Any], ColumnElement[bool]]) -> Select[Any]:
    """So many words from where a list goes on that have all these pairs, none of what is not indexed; the sealed
    summary of those alone whose appeal is `wanted`."""
    query = window.ordered(select(Kept.appeal_id, Kept.summary), Kept.appeal_id).limit(most)
    its = literal(pairs, ARRAY(BigInteger))
    # Asked of those so many, not of all that have the pairs: so it is planned for so many.
    found = query.where(Kept.pairs.contains(its) if pairs else Kept.pairs != its).subquery()
    summary = case((wanted(found.c.appeal_id), found.c.summary))
    return select(found.c.appeal_id, summary).order_by(found.c.appeal_id)


async def among(tx: AsyncSession, appeals: Collection[UUID]) -> Sequence[Kept]:
    """The words of some appeals."""
    return (await tx.scalars(select(Kept).where(Kept.appeal_id.in_(appeals)))).all()
