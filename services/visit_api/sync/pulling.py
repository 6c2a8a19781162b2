"""A device's copy of what its visitor needs without a line, and what changed since: nothing that commits late is
skipped, and what is theirs no more is told as gone."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Select, and_, exists, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from chassis.scope import ancestors, within
from chassis.web.errors import Unprocessable
from chassis.web.tokens import Principal
from visit_api.checklists.models import ItemAnswer
from visit_api.civil import day_of
from visit_api.customers import sealing
from visit_api.customers.models import Customer
from visit_api.customers.schemas import CustomerView
from visit_api.directory.models import Unit
from visit_api.materials.models import Material
from visit_api.materials.schemas import MaterialView
from visit_api.standard.schemas import StandardView
from visit_api.sync import cursors, repository
from visit_api.sync.cursors import Cursor
from visit_api.sync.errors import BAD_CURSOR, CursorExpired
from visit_api.sync.models import Leaving
from visit_api.sync.schemas import PulledView, PullView
from visit_api.texts import service as texts
from visit_api.visits.models import Visit
from visit_api.visits.schemas import PreparationView, VisitView
from visit_api.visits.showing import preparation

# A visit that is over stays in a new copy for so long.
REMEMBERED = timedelta(days=30)

# What no running transaction can still write before; and what the next one will be called.
_XIDS = text("SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint FROM pg_current_snapshot() s")


@dataclass(frozen=True)
class Puller:
    """Whose copy is brought up to date, when, and from what."""

    tx: AsyncSession
    runtime: Runtime
    caller: Principal
    now: datetime
    above: Sequence[str]
    cursor: Cursor

    @property
    def is_new(self) -> bool:
        """Whether there is no copy yet: then nothing can be gone from it."""
        return self.cursor.since == 0


class Section(NamedTuple):
    """One kind of thing: which there are, and how each is shown, or that it is gone. What does not follow itself comes
    with a visit too, however long it has been as it is: its customer, and what is answered of it."""

    entity: Any
    find: Callable[[Puller], Select[Any]]
    show: Callable[[Puller, Sequence[Any]], Awaitable[list[PulledView]]]
    follows_itself: bool = True


async def pull(tx: AsyncSession, runtime: Runtime, caller: Principal, cursor: str | None, limit: int) -> PullView:
    """What changed for the caller's device since `cursor`, or all that it needs. Raises `CursorExpired`,
    `Unprocessable`."""
    now, whose = runtime.clock.now(), f"{caller.sub}@{caller.unit}"
    oldest_running, newest = (await tx.execute(_XIDS)).one()
    moves = await repository.moves(tx)
    its = _read(cursor) if cursor is not None else cursors.first(whose, now, oldest_running, moves)
    if not its.is_good_for(whose, now, newest, moves):
        raise CursorExpired
    if its.upto == 0:
        its = msgspec.structs.replace(its, upto=oldest_running)
    above = await ancestors(tx, Unit, caller.unit) if caller.unit is not None else []
    puller = Puller(tx, runtime, caller, now, above, its)
    items, more_from = await _gathered(puller, limit)
    if more_from is not None:
        return PullView(items=items, next=cursors.encode(more_from), more=True)
    edition = _edition()
    if its.standard != edition:
        items.append(PulledView(kind="standard", id=edition, value=StandardView.shipped().model_dump(mode="json")))
    elif not items and cursor is not None and now - its.given_at < cursors.RENEWED_AFTER and its.section == 0:
        return PullView(items=[], next=cursor, more=False)  # the same answer as before: nothing happened
    end = Cursor(its.form, whose, now, edition, its.upto, moves=moves)
    return PullView(items=items, next=cursors.encode(end), more=False)


async def _gathered(puller: Puller, limit: int) -> tuple[list[PulledView], Cursor | None]:
    """At most `limit` things of the window, and where it goes on after them; None at its end."""
    cursor = puller.cursor
    items: list[PulledView] = []
    for number in range(cursor.section, len(SECTIONS)):
        section = SECTIONS[number]
        after = cursor if number == cursor.section else msgspec.structs.replace(cursor, xid=0, id=cursors.NOTHING)
        key = (section.entity.changed_xid, section.entity.id)
        query = section.find(puller).where(tuple_(*key) > tuple_(after.xid, after.id))
        if section.follows_itself:
            written = section.entity.changed_xid
            query = query.where(written >= cursor.since, written < cursor.upto)
        left = limit - len(items)
        rows = (await puller.tx.scalars(query.order_by(*key).limit(left + 1))).all()
        shown = rows[:left]
        items += await section.show(puller, shown)
        if len(rows) > left:
            last = (shown[-1].changed_xid, shown[-1].id) if shown else (after.xid, after.id)
            return items, msgspec.structs.replace(cursor, section=number, xid=last[0], id=last[1])
    return items, None


def _read(text: str) -> Cursor:
    try:
        return cursors.decode(text)
    except ValueError as error:
        raise Unprocessable(BAD_CURSOR) from error


@cache
def _edition() -> str:
    """By what a device knows whether it has the standard as it is."""
    return hashlib.blake2b(StandardView.shipped().model_dump_json().encode(), digest_size=6).hexdigest()


def _is_mine(puller: Puller) -> Any:
    return and_(
        Visit.visitor_ids.bool_op("@>")([puller.caller.sub]),
        within(Unit, puller.caller.unit, Visit.unit_code),
    )


def _is_needed(puller: Puller) -> Any:
    """Mine, and not long over: a new copy does not begin with the history of years."""
    mine = _is_mine(puller)
    if not puller.is_new:
        return mine
    recent = or_(Visit.state.in_(("planned", "in_progress")), Visit.updated_at >= puller.now - REMEMBERED)
    return and_(mine, recent)


def _find_left(puller: Puller) -> Select[Any]:
    mine = exists().where(Visit.id == Leaving.visit_id, _is_mine(puller))
    query = select(Leaving).where(Leaving.staff_no == puller.caller.sub, ~mine)
    return query.where(text("false")) if puller.is_new else query


async def _show_left(puller: Puller, rows: Sequence[Leaving]) -> list[PulledView]:
    return [PulledView(kind="visit", id=str(row.visit_id), gone=True) for row in rows]


def _find_units(puller: Puller) -> Select[Any]:
    return select(Unit).where(or_(within(Unit, puller.caller.unit, Unit.code), Unit.code.in_(puller.above)))


async def _show_units(puller: Puller, rows: Sequence[Unit]) -> list[PulledView]:
    return [
        PulledView(kind="unit", id=row.code, value={"code": row.code, "name": row.name, "parent_code": row.parent_code})
        for row in rows
    ]


def _find_materials(puller: Puller) -> Select[Any]:
    query = select(Material).where(Material.unit_code.in_(puller.above), Material.state != "draft")
    return query.where(Material.state == "published") if puller.is_new else query


async def _show_materials(puller: Puller, rows: Sequence[Material]) -> list[PulledView]:
    kept = [(row, _counts(row, puller.now)) for row in rows]
    return [
        PulledView(
            kind="material",
            id=str(row.id),
            gone=not held,
            value=MaterialView.model_validate(row).model_dump(mode="json") if held else None,
        )
        for row, held in kept
        if held or not puller.is_new
    ]


def _counts(material: Material, now: datetime) -> bool:
    """Whether it is in force, or will be: from when on, a device reads itself."""
    ended = (material.valid_to is not None and material.valid_to < day_of(now)) or (
        material.replaced_at is not None and material.replaced_at <= now
    )
    return material.state == "published" and not ended


def _find_customers(puller: Puller) -> Select[Any]:
    since = puller.cursor.since
    new = exists().where(
        Visit.customer_id == Customer.id,
        _is_needed(puller),
        or_(Visit.changed_xid >= since, Customer.changed_xid >= since),
    )
    return select(Customer).where(new)


async def _show_customers(puller: Puller, rows: Sequence[Customer]) -> list[PulledView]:
    await sealing.show(puller.tx, puller.runtime, rows)
    return [
        PulledView(
            kind="customer",
            id=str(row.id),
            gone=row.removed_at is not None,
            value=None if row.removed_at else CustomerView.model_validate(row).model_dump(mode="json"),
        )
        for row in rows
    ]


def _find_visits(puller: Puller) -> Select[Any]:
    return select(Visit).where(_is_needed(puller))


async def _show_visits(puller: Puller, rows: Sequence[Visit]) -> list[PulledView]:
    await texts.show(puller.tx, puller.runtime, rows)
    return [PulledView(kind="visit", id=str(row.id), value=_visit(row)) for row in rows]


def _visit(row: Visit) -> dict[str, Any]:
    prepared = PreparationView.model_validate(preparation(row)).model_dump(mode="json")
    return {**VisitView.model_validate(row).model_dump(mode="json"), "preparation": prepared}


def _find_answers(puller: Puller) -> Select[Any]:
    since = puller.cursor.since
    mine = exists().where(
        Visit.id == ItemAnswer.visit_id,
        _is_needed(puller),
        or_(Visit.changed_xid >= since, ItemAnswer.changed_xid >= since),
    )
    return select(ItemAnswer).where(mine)


async def _show_answers(puller: Puller, rows: Sequence[ItemAnswer]) -> list[PulledView]:
    names = ("visit_id", "item", "answer", "note", "answered_by", "answered_at")
    await texts.show(puller.tx, puller.runtime, rows)
    return [
        PulledView(
            kind="answer",
            id=str(row.id),
            value=msgspec.to_builtins({name: getattr(row, name) for name in names}),
        )
        for row in rows
    ]


# What is gone comes first: what comes back in the same window is then there again.
SECTIONS = (
    Section(Leaving, _find_left, _show_left),
    Section(Unit, _find_units, _show_units),
    Section(Material, _find_materials, _show_materials),
    Section(Customer, _find_customers, _show_customers, follows_itself=False),
    Section(Visit, _find_visits, _show_visits),
    Section(ItemAnswer, _find_answers, _show_answers, follows_itself=False),
)
