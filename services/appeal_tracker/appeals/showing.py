"""What a caller is shown about an appeal that they may see: no other appeal is named that they may not, and no words
are told that were said in confidence.

Merged appeals may be in the hands of units that do not see each other. That there is another one is shown, and how many
there are, for it moves deadlines and keeps the leader open; which it is, is not.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import repository
from appeal_tracker.appeals.confidence import Shown, may_read, veiled
from appeal_tracker.appeals.models import Appeal
from appeal_tracker.clocks.timeline import TimelineEntry
from appeal_tracker.directory import service as directory
from chassis.web.paging import Listing
from chassis.web.tokens import Principal

# What the facts of a timeline name other appeals by, and what people wrote about them in their own words.
_NAMES = ("appeal_id", "into", "out_of", "repeat_of")
_WORDS = ("note", "reason")


async def sight(tx: AsyncSession, caller: Principal, ids: Iterable[UUID | None]) -> set[UUID]:
    """Those of some appeals that `caller` may see."""
    asked = {each for each in ids if each is not None}
    return await repository.seen(tx, asked, caller.unit) if asked else set()


async def appeals(tx: AsyncSession, caller: Principal, rows: Sequence[Appeal]) -> list[Any]:
    """Appeals that `caller` sees; of one that is merged, into which only where they see that one too."""
    seen = await sight(tx, caller, (its for row in rows for its in (row.merged_into, row.repeat_of)))
    hidden = [
        [name for name in ("merged_into", "repeat_of") if getattr(row, name) not in {None, *seen}] for row in rows
    ]
    return [Shown(row, **dict.fromkeys(these)) if these else row for row, these in zip(rows, hidden, strict=True)]


async def named(tx: AsyncSession, caller: Principal, **ids: UUID | None) -> dict[str, str]:
    """Those of the appeals named so that `caller` may see, for a problem to name them."""
    seen = await sight(tx, caller, ids.values())
    return {name: str(its) for name, its in ids.items() if its in seen}


async def reads_words(tx: AsyncSession, caller: Principal, appeal: Appeal) -> bool:
    """Whether `caller`, who may see an appeal, may read what was said about it (see `confidence`)."""
    if not appeal.confidential:
        return True
    inside = caller.unit is not None and await directory.may_see_unit(tx, caller.unit, appeal.unit_code)
    return may_read(caller, appeal, outside=not inside)


async def in_confidence(
    tx: AsyncSession, caller: Principal, appeal: Appeal, rows: Listing[Any], *words: str
) -> Listing[Any]:
    """`rows` about an appeal, without their `words` where `caller` may not read them."""
    if await reads_words(tx, caller, appeal):
        return rows
    return Listing([veiled(caller, row, row.by, *words) for row in rows.items], rows.next)


async def facts(
    tx: AsyncSession, caller: Principal, appeal: Appeal, rows: Listing[TimelineEntry]
) -> Listing[TimelineEntry]:
    """Facts of an appeal's timeline."""
    seen = await sight(tx, caller, (its for row in rows.items for its in _named(row)))
    reads = await reads_words(tx, caller, appeal)
    shown: list[Any] = []
    for row in rows.items:
        hidden = {name for name in _NAMES if name in row.data and UUID(row.data[name]) not in seen}
        hidden |= {*_WORDS} & row.data.keys() if not reads and row.actor != caller.sub else set()
        data = {name: None if name in hidden else value for name, value in row.data.items()}
        shown.append(Shown(row, data=data) if hidden else row)
    return Listing(shown, rows.next)


def _named(row: TimelineEntry) -> list[UUID]:
    return [UUID(row.data[name]) for name in _NAMES if name in row.data]
