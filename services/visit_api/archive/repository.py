"""Queries of the archive; `unit` is always the caller's, None where a service sees all."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from chassis.scope import ancestors, within
from chassis.web.paging import Listing, Window
from visit_api.archive.models import Entry, GapReason, Hold, Rule
from visit_api.directory.models import Unit

# Entries that one answer looks at: where the caller may know of none of them, a page may be shorter than was asked for.
LOOKED_AT = 1000

Known = Callable[[Sequence[Entry]], Awaitable[Sequence[Any | None]]]


class Sought(NamedTuple):
    """What entries are looked for by; what is None does not matter."""

    unit_code: str | None = None
    filed_as: str | None = None
    customer_kind: str | None = None
    appeal_type: str | None = None
    customer_id: UUID | None = None
    staff_no: str | None = None
    visited_from: datetime | None = None
    visited_before: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions on the table."""
        its: list[tuple[Any, Callable[[Any], ColumnElement[bool]]]] = [
            (self.unit_code, lambda value: Entry.unit_code == value),
            (self.filed_as, lambda value: Entry.filed_as == value),
            (self.customer_kind, lambda value: Entry.customer_kind == value),
            (self.appeal_type, lambda value: Entry.appeal_types.contains([value])),
            (self.customer_id, lambda value: Entry.customer_id == value),
            (self.staff_no, lambda value: Entry.people.contains([value])),
            (self.visited_from, lambda value: Entry.visited_at >= value),
            (self.visited_before, lambda value: Entry.visited_at < value),
        ]
        return [condition(value) for value, condition in its if value is not None]


async def find_all(
    tx: AsyncSession, unit: str | None, window: Window, sought: Sought, words: Sequence[int] | None, known: Known
) -> Listing[Any]:
    """The entries that the caller sees and that are sought, each as it is `known`; those with all hashes of `words`
    come with what they hold."""
    query = select(Entry).where(within(Unit, unit, Entry.unit_code), *sought.conditions())
    unread = (
        [defer(Entry.words)] if words is not None else [defer(Entry.record), defer(Entry.sealed), defer(Entry.words)]
    )
    if words is not None:
        query = query.where(Entry.words.contains(list(words)))
    return await window.sift(tx, query.options(*unread), Entry, known, most=LOOKED_AT)


async def read(tx: AsyncSession, ids: Sequence[UUID]) -> None:
    """Has those of `ids` that are there already have what they hold, too."""
    if ids:
        query = select(Entry).where(Entry.id.in_(ids)).options(defer(Entry.words))
        (await tx.scalars(query, execution_options={"populate_existing": True})).all()


async def of_visit(tx: AsyncSession, unit: str | None, visit_id: UUID) -> Sequence[Entry]:
    """What is archived of a visit, where the caller sees it: its record, then the supplements as they came."""
    query = select(Entry).where(Entry.visit_id == visit_id, within(Unit, unit, Entry.unit_code))
    query = query.options(defer(Entry.words))
    # The clocks of two processes may differ a little; the record is first all the same.
    return (await tx.scalars(query.order_by(Entry.kind != "record", Entry.updated_at, Entry.id))).all()


async def reasons_of(tx: AsyncSession, visit_id: UUID) -> Sequence[GapReason]:
    """The reasons given for what a visit lacks, the last one last."""
    query = select(GapReason).where(GapReason.visit_id == visit_id)
    return (await tx.scalars(query.order_by(GapReason.recorded_at, GapReason.id))).all()


async def last_hold(tx: AsyncSession, visit_id: UUID) -> Hold | None:
    """The last word on whether the record of a visit is held."""
    query = select(Hold).where(Hold.visit_id == visit_id).order_by(Hold.recorded_at.desc(), Hold.id.desc()).limit(1)
    found: Hold | None = await tx.scalar(query)
    return found


async def is_strict(tx: AsyncSession, unit_code: str, on: date) -> bool:
    """Whether a unit, or one above it, demanded everything on a day; of several rules of a unit the last counts."""
    line = await ancestors(tx, Unit, unit_code)
    query = select(Rule).where(Rule.unit_code.in_(line), Rule.effective_from <= on)
    rules = await tx.scalars(query.order_by(Rule.effective_from, Rule.recorded_at, Rule.id))
    return any({rule.unit_code: rule.strict for rule in rules}.values())


async def rules_of(tx: AsyncSession, window: Window, unit_code: str) -> Listing[Rule]:
    """What a unit adopted, in the order it did."""
    return await window.fetch(tx, select(Rule).where(Rule.unit_code == unit_code), Rule)
