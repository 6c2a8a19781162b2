"""SQL of the lists. The units a caller sees are read first: how many there are decides which index is the right one."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    any_,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, selectinload

from appeal_tracker.appeals import marks
from appeal_tracker.appeals.lifecycle import State
from appeal_tracker.appeals.models import SUBJECT, Appeal, AppealLeaving
from appeal_tracker.appeals.owned import OPEN, whose
from appeal_tracker.clocks.models import Clock
from appeal_tracker.directory import service as directory
from chassis.web.paging import Gone, Listing, Way, Window

_WITH_CLOCKS = selectinload(Appeal.clocks)
# What is listed is at hand in memory, nearly always.
_PLANNED = text(
    "SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('random_page_cost', '1.1', true)"
)


class Wanted(msgspec.Struct, frozen=True):
    """What of the appeals is wanted: those of which all of this is true. `unit`: raised or handled there or below it;
    `owner`: the handler's, else the first-contact person's; a due window asks for a clock that runs out in it. By its
    customer no hidden one is found."""

    state: str | None = None
    is_open: bool | None = None
    type: str | None = None
    category: str | None = None
    source: str | None = None
    unit: str | None = None
    owner: str | None = None
    supervised: bool | None = None
    due_from: datetime | None = None
    due_before: datetime | None = None
    words: str | None = None
    appeal_no: str | None = None
    source_no: str | None = None
    customer: UUID | None = None


async def listed(tx: AsyncSession, unit: str | None, wanted: Wanted) -> Select[Appeal]:
    """The appeals that a caller of `unit` may see, filtered. They are planned by what is asked for: one plan for all
    would not know how many units there are, nor how rare the words."""
    await tx.execute(_PLANNED)
    query = select(Appeal).where(*map(_in, await _units(tx, unit, wanted)))
    same = {"type": wanted.type, "category": wanted.category, "source": wanted.source}
    same |= {"appeal_no": wanted.appeal_no, "source_no": wanted.source_no}
    query = query.filter_by(**{name: value for name, value in same.items() if value is not None})
    if wanted.customer is not None:
        query = query.where(Appeal.raised_for == wanted.customer, ~Appeal.hidden)
    if wanted.owner is not None:
        query = query.where(whose == wanted.owner)
    if wanted.supervised is not None:
        since = Appeal.supervised_at
        query = query.where(since.is_not(None) if wanted.supervised else since.is_(None))
    return _due(_standing(query, wanted), wanted)


async def page(tx: AsyncSession, window: Window, query: Select[Appeal]) -> Listing[Appeal]:
    """The appeals of a query in a window, with their clocks, by id."""
    return await window.fetch(tx, query.options(_WITH_CLOCKS), Appeal)


async def news(tx: AsyncSession, window: Window, query: Select[Appeal], gone: Way) -> Listing[Appeal | Gone]:
    """The same as they changed, or were `gone`."""
    first = None if window.since is None else await marks.below(tx, window.since)
    gone = gone._replace(query=gone.query.where(gone.xid >= (first or 0)))
    return await window.follow(tx, *ways(query.options(_WITH_CLOCKS), first), gone)


async def gone(tx: AsyncSession, unit: str | None, wanted: Wanted) -> Way:
    """How appeals go: to where neither a caller of `unit` sees them nor they are of the unit that is wanted."""
    units = await _units(tx, unit, wanted)
    query = select(Appeal.id).join(AppealLeaving, AppealLeaving.appeal_id == Appeal.id)
    query = query.where(*(_in(each, AppealLeaving.unit_code) for each in units), ~and_(true(), *map(_in, units)))
    its = AppealLeaving
    return Way(query, its.changed_xid, its.appeal_id, its.left_at, gone=True)


async def _units(tx: AsyncSession, unit: str | None, wanted: Wanted) -> list[list[str]]:
    """Of each of these units an appeal has to have one."""
    seen = [] if unit is None else [await directory.below(tx, unit)]
    return seen if wanted.unit is None else [*seen, await directory.under(tx, wanted.unit)]


def ways(query: Select[Appeal], first: int | None = None) -> tuple[Way, Way]:
    """How appeals change: themselves, or by a clock that bears the mark in their place. Each is met once, where it
    changed last; by no transaction older than the `first`."""
    changed, other = aliased(Clock), aliased(Clock)
    last = ~exists().where(_on(other), other.changed_xid > Appeal.changed_xid)
    itself = query.where(last, Appeal.changed_xid >= (first or 0))
    last = ~exists().where(_on(other), tuple_(other.changed_xid, other.id) > tuple_(changed.changed_xid, changed.id))
    by_clock = query.join(changed, _on(changed)).where(changed.changed_xid > Appeal.changed_xid, last)
    by_clock = by_clock.where(changed.changed_xid >= (first or 0))
    at = func.greatest(Appeal.updated_at, changed.changed_at)
    return (
        Way(itself, Appeal.changed_xid, Appeal.id, Appeal.updated_at),
        Way(by_clock, changed.changed_xid, changed.subject_id, at),
    )


def _on(clock: Any) -> ColumnElement[bool]:
    return and_(clock.subject_id == Appeal.id, clock.subject_kind == SUBJECT)


def _in(units: list[str], handling: Any = Appeal.handling_unit_code) -> ColumnElement[bool]:
    its = any_(literal(units, ARRAY(TEXT)))
    # So said, the second half is answered by an index of the few appeals that another unit handles.
    return or_(Appeal.unit_code == its, and_(handling != Appeal.unit_code, handling == its))


def _standing(query: Select[Appeal], wanted: Wanted) -> Select[Appeal]:
    if wanted.is_open is not None:
        query = query.where(OPEN if wanted.is_open else literal_column("appeals.state = 'closed'"))
    if wanted.state is None:
        return query
    # Said as literals, so that a plan made for any state still finds the partial indexes.
    state: ColumnElement[bool] = literal_column(f"appeals.state = '{State(wanted.state).value}'")
    return query.where(state, OPEN) if wanted.state != State.CLOSED else query.where(state)


def _due(query: Select[Appeal], wanted: Wanted) -> Select[Appeal]:
    if wanted.due_from is None and wanted.due_before is None:
        return query
    clock: list[Any] = [Clock.subject_id == Appeal.id, Clock.subject_kind == SUBJECT]
    clock.append(literal_column("clocks.state = 'running'"))
    clock += [Clock.due_at >= wanted.due_from] if wanted.due_from else []
    clock += [Clock.due_at < wanted.due_before] if wanted.due_before else []
    return query.where(OPEN, exists().where(*clock))


def about(query: Select[Appeal], id: Any) -> ColumnElement[bool]:
    """Whether a query is about the appeal of that id, and that is not hidden."""
    return query.with_only_columns(Appeal.id).where(Appeal.id == id, ~Appeal.hidden).exists()


async def shown(tx: AsyncSession, ids: Collection[UUID]) -> Sequence[Appeal]:
    """Appeals with their clocks, in the order of their ids."""
    query = select(Appeal).where(Appeal.id.in_(ids)).options(_WITH_CLOCKS)
    return (await tx.scalars(query.order_by(Appeal.id))).all()
