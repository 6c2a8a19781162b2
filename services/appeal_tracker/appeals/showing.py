"""What a caller is shown about an appeal that they may see: no other appeal is named that they may not, and no words
of a hidden appeal are told to those whom they may be about.

Merged appeals may be in the hands of units that do not see each other. That there is another one is shown, and how many
there are, for it moves deadlines and keeps the leader open; which it is, is not.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import repository
from appeal_tracker.appeals.confidence import Shown, may_read, veiled
from appeal_tracker.appeals.models import Appeal
from appeal_tracker.clocks.timeline import TimelineEntry
from appeal_tracker.directory import service as directory
from appeal_tracker.texts import service as texts
from appeal_tracker.texts.service import TEXT_ID, WORDS
from chassis import trail
from chassis.runtime import Runtime
from chassis.web.paging import Gone, Listing
from chassis.web.tokens import Principal

_OTHERS = ("merged_into", "repeat_of")  # what an appeal names others by
# What the facts of a timeline name other appeals by.
_NAMES = ("appeal_id", "into", "out_of", "repeat_of")


class Hideable(Protocol):
    """What the trail names of an appeal."""

    @property
    def id(self) -> UUID: ...
    @property
    def unit_code(self) -> str: ...
    @property
    def hidden(self) -> bool: ...


async def sight(tx: AsyncSession, caller: Principal, ids: Iterable[UUID | None]) -> set[UUID]:
    """Those of some appeals that `caller` may see."""
    asked = {each for each in ids if each is not None}
    return await repository.seen(tx, asked, caller.unit) if asked else set()


async def appeals(tx: AsyncSession, caller: Principal, rows: Sequence[Appeal | Gone]) -> list[Any]:
    """Appeals that `caller` sees; of one that is merged, into which only where they see that one too. What is gone
    stays that."""
    there = [row for row in rows if not isinstance(row, Gone)]
    seen = await sight(tx, caller, (its for row in there for its in (row.merged_into, row.repeat_of)))
    return [row if isinstance(row, Gone) else _shown(row, seen) for row in rows]


def _shown(row: Appeal, seen: set[UUID]) -> Shown:
    hidden = {name for name in _OTHERS if getattr(row, name) not in {None, *seen}}
    return Shown(row, updated_at=row.changed_at, **dict.fromkeys(hidden))


async def named(tx: AsyncSession, caller: Principal, **ids: UUID | None) -> dict[str, str]:
    """Those of the appeals named so that `caller` may see, for a problem to name them."""
    seen = await sight(tx, caller, ids.values())
    return {name: str(its) for name, its in ids.items() if its in seen}


async def reads_words(tx: AsyncSession, caller: Principal, appeal: Appeal) -> bool:
    """Whether `caller`, who may see an appeal, may read what was said about it (see `confidence`)."""
    if not appeal.hidden:
        return True
    inside = caller.unit is not None and await directory.may_see_unit(tx, caller.unit, appeal.unit_code)
    return may_read(caller, appeal, outside=not inside)


async def note_read(tx: AsyncSession, runtime: Runtime, caller: Principal, appeal: Hideable, what: str) -> None:
    """Notes in the trail that `caller` was shown `what` others said about a hidden appeal."""
    if appeal.hidden:
        its, unit = appeal.id, appeal.unit_code
        await trail.note(tx, runtime, caller, act=f"{what}.read", thing="appeal", thing_id=its, unit_code=unit)


async def in_confidence(
    tx: AsyncSession, runtime: Runtime, caller: Principal, appeal: Appeal, what: str, rows: Listing[Any], *words: str
) -> Listing[Any]:
    """`rows` about an appeal with their `words`, without where `caller` may not read them; `what` they are, for the
    trail."""
    reads = await reads_words(tx, caller, appeal)
    if reads and any(row.by != caller.sub for row in rows.items):
        await note_read(tx, runtime, caller, appeal, what)
    readable = {row.id for row in rows.items if reads or row.by == caller.sub}
    said = await texts.read(tx, runtime, readable)
    shown = [
        Shown(row, **said.get(row.id, {})) if row.id in readable else veiled(caller, row, row.by, *words)
        for row in rows.items
    ]
    return Listing(shown, rows.next)


async def facts(
    tx: AsyncSession, runtime: Runtime, caller: Principal, appeal: Appeal, rows: Listing[TimelineEntry]
) -> Listing[Any]:
    """Facts of an appeal's timeline."""
    seen = await sight(tx, caller, (its for row in rows.items for its in _named(row)))
    reads = await reads_words(tx, caller, appeal)
    said = await texts.read(tx, runtime, [UUID(row.data[TEXT_ID]) for row in rows.items if TEXT_ID in row.data])
    if reads and any(_says(row) and row.actor != caller.sub for row in rows.items):
        await note_read(tx, runtime, caller, appeal, "timeline")
    shown: list[Any] = []
    for row in rows.items:
        data = {name: value for name, value in row.data.items() if name != TEXT_ID}
        data |= said.get(UUID(row.data[TEXT_ID]), {}) if TEXT_ID in row.data else {}  # older code named none, too
        hidden = {name for name in _NAMES if name in data and UUID(data[name]) not in seen}
        hidden |= WORDS & data.keys() if not reads and row.actor != caller.sub else set()
        shown.append(Shown(row, data=data | dict.fromkeys(hidden)))
    return Listing(shown, rows.next)


def _says(row: TimelineEntry) -> bool:
    return TEXT_ID in row.data or bool(WORDS & row.data.keys())


def _named(row: TimelineEntry) -> list[UUID]:
    return [UUID(row.data[name]) for name in _NAMES if name in row.data]
