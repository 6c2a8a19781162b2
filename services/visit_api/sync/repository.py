"""Queries of sync; `unit` is always the caller's."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, text
from sqlalchemy import exists as there_is
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from chassis.ids import new_id
from chassis.scope import ancestors, within
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from visit_api.appeals.confidence import Confidence
from visit_api.appeals.models import Appeal
from visit_api.customers.models import Customer
from visit_api.directory.models import Staff, Unit
from visit_api.plans.models import Item
from visit_api.steps.models import Step
from visit_api.sync.clocks import Reading
from visit_api.sync.models import Brought, Conflict, Device, Leaving
from visit_api.visits.models import Visit

_AS_BROUGHT = select(
    Brought.item_id,
    Brought.content_digest,
    Brought.outcome,
    Brought.at,
    Brought.clock,
    Conflict.id.label("conflict_id"),
    Conflict.keep,
    Conflict.made_id,
).outerjoin(Conflict, Conflict.brought_id == Brought.id)
_SEEN = text("""
INSERT INTO sync_devices (id, device, staff_no, unit_code, first_seen_at, seen_at, offset_ms, wrong_since, updated_at)
VALUES (:id, :device, :staff_no, :unit_code, :now, :now, :offset, CASE WHEN :wrong THEN CAST(:now AS timestamptz) END,
        :now)
ON CONFLICT (device, staff_no) DO UPDATE
SET unit_code = excluded.unit_code, seen_at = excluded.seen_at, offset_ms = excluded.offset_ms,
    wrong_since = CASE WHEN :wrong THEN coalesce(sync_devices.wrong_since, excluded.wrong_since) END,
    updated_at = excluded.updated_at, changed_xid = pg_current_xact_id()::text::bigint
""")


async def saw(tx: AsyncSession, caller: Principal, device: str, reading: Reading) -> None:
    """Notes that the caller's device pushed, and what its clock showed."""
    its = {"id": new_id(), "device": device, "staff_no": caller.sub, "unit_code": caller.unit, "now": reading.now}
    await tx.execute(_SEEN, {**its, "offset": reading.milliseconds, "wrong": reading.is_wrong})


async def bring(tx: AsyncSession, line: dict[str, Any]) -> UUID | None:
    """Stores what was brought, and holds its place against a twin; None where it was brought before."""
    stored: UUID | None = await tx.scalar(
        insert(Brought)
        .values({"id": new_id(), **line})
        .on_conflict_do_nothing(index_elements=["item_id", "content_digest"])
        .returning(Brought.id)
    )
    return stored


async def find_brought(tx: AsyncSession, item_id: UUID, content_digest: bytes) -> Any:
    """How what was brought with that id and content stands: its line's columns, and those of its conflict."""
    query = _AS_BROUGHT.where(Brought.item_id == item_id, Brought.content_digest == content_digest)
    return (await tx.execute(query)).one()


async def brought_before(
    tx: AsyncSession, unit: str | None, item_ids: Collection[UUID]
) -> dict[tuple[UUID, bytes], Any]:
    """The same of all that was brought under `item_ids` and that the caller sees, by id and content."""
    query = _AS_BROUGHT.where(Brought.item_id.in_(item_ids), within(Unit, unit, Brought.unit_code))
    return {(line.item_id, line.content_digest): line for line in await tx.execute(query)}


async def whose(tx: AsyncSession, caller: Principal, visit_id: UUID) -> Any:
    """Unit and visitors of a visit that the caller sees, or is to make, or was to until it was handed over, though they
    do not see it any more. Columns, not the visit: whoever holds it reads it then, as it is."""
    seen = within(Unit, caller.unit, Visit.unit_code)
    query = select(Visit.unit_code, Visit.visitor_ids, seen.label("seen")).where(Visit.id == visit_id)
    makes = Visit.visitor_ids.bool_op("@>")([caller.sub])
    made = there_is().where(Leaving.visit_id == Visit.id, Leaving.staff_no == caller.sub)
    return (await tx.execute(query.where(or_(seen, makes, made)))).one_or_none()


async def exists(tx: AsyncSession, entity: Any, id: UUID) -> bool:
    """Whether there is such a thing, whoever may see it."""
    return await tx.scalar(select(entity.id).where(entity.id == id)) is not None


async def is_made_here(tx: AsyncSession, entity: Any, id: UUID) -> bool:
    """Whether this transaction wrote what has the id, not a twin that it waited for."""
    mine = entity.changed_xid == text("pg_current_xact_id()::text::bigint")
    return await tx.scalar(select(entity.id).where(entity.id == id, mine)) is not None


async def find_all_brought(
    tx: AsyncSession,
    unit: str | None,
    window: Window,
    *,
    known: Confidence,
    visit_id: UUID | None,
    device: str | None,
    clock: str | None,
) -> Listing[Brought]:
    """What was brought."""
    query = select(Brought).where(within(Unit, unit, Brought.unit_code), _line_open_to(known))
    if visit_id is not None:
        query = query.where(Brought.visit_id == visit_id)
    if device is not None:
        query = query.where(Brought.device == device)
    if clock is not None:
        query = query.where(Brought.clock == clock)
    return await window.fetch(tx, query, Brought)


async def find_all_devices(
    tx: AsyncSession, unit: str | None, window: Window, *, wrong: bool | None
) -> Listing[Device]:
    """The devices that pushed, or those whose clock is wrong, or right."""
    query = select(Device).where(within(Unit, unit, Device.unit_code))
    if wrong is not None:
        query = query.where(Device.wrong_since.is_not(None) == wrong)
    return await window.fetch(tx, query, Device)


async def find_conflict(
    tx: AsyncSession, unit: str | None, id: UUID, *, known: Confidence, deciding: bool, lock: bool = False
) -> Conflict | None:
    """The conflict `id`, where the caller sees it; `lock` holds it for a change."""
    query = select(Conflict).where(Conflict.id == id, within(Unit, unit, Conflict.unit_code), _open_to(known, deciding))
    found: Conflict | None = await tx.scalar(query.with_for_update(of=Conflict) if lock else query)
    return found


async def find_conflicts(
    tx: AsyncSession,
    unit: str | None,
    window: Window,
    *,
    known: Confidence,
    deciding: bool,
    state: str | None,
    visit_id: UUID | None,
) -> Listing[Conflict]:
    """What devices brought and the record says otherwise."""
    query = select(Conflict).where(within(Unit, unit, Conflict.unit_code), _open_to(known, deciding))
    if state is not None:
        query = query.where(Conflict.keep.is_(None) == (state == "open"))
    if visit_id is not None:
        query = query.where(Conflict.visit_id == visit_id)
    return await window.fetch(tx, query, Conflict)


async def brought_to(tx: AsyncSession, visit_id: UUID) -> Sequence[Brought]:
    """All that devices brought to a visit, in order."""
    return (await tx.scalars(select(Brought).where(Brought.visit_id == visit_id).order_by(Brought.id))).all()


async def known_to(tx: AsyncSession, visit_id: UUID, known: Confidence) -> set[tuple[UUID, UUID | None]]:
    """The same as far as somebody may know of it: each by its item, and by the conflict that came of it."""
    its = aliased(Conflict)  # apart from the one by which a line is hidden
    query = select(Brought.item_id, its.id).outerjoin(its, its.brought_id == Brought.id)
    query = query.where(Brought.visit_id == visit_id, _line_open_to(known))
    return {(item_id, conflict_id) for item_id, conflict_id in await tx.execute(query)}


async def hiding(tx: AsyncSession, visit_ids: Collection[UUID], known: Confidence) -> set[UUID]:
    """Those of the visits to which something was brought that somebody may not know of."""
    return set(await tx.scalars(select(Brought.visit_id).where(Brought.visit_id.in_(visit_ids), ~_line_open_to(known))))


async def conflicts_of(tx: AsyncSession, visit_id: UUID) -> Sequence[Conflict]:
    """All that contradicted the record of a visit, in order."""
    return (await tx.scalars(select(Conflict).where(Conflict.visit_id == visit_id).order_by(Conflict.id))).all()


async def made_instead_of(tx: AsyncSession, visit_id: UUID, device: str) -> UUID | None:
    """The visit that takes what is brought to `visit_id`, where a person had a device's visit made beside that one: of
    one that was called off, whatever comes; of one that only has the same id, what its own device brings."""
    mine = and_(Conflict.kind == "visit", Conflict.device == device)
    query = select(Conflict.made_id).where(
        Conflict.visit_id == visit_id, or_(Conflict.kind == "start", mine), Conflict.made_id.is_not(None)
    )
    found: UUID | None = await tx.scalar(query.order_by(Conflict.resolved_at.desc()).limit(1))
    return found


async def gone_since(tx: AsyncSession, visit: Visit) -> list[str]:
    """What of a visit that was brought late is not there any more."""
    removed = select(Customer.id).where(Customer.id == visit.customer_id, Customer.removed_at.is_not(None))
    stays = [Staff.staff_no.in_(visit.visitor_ids), Staff.active, Staff.unit_code.in_(await _line_of(tx, visit))]
    there = set(await tx.scalars(select(Staff.staff_no).where(*stays))) if visit.visitor_ids else set()
    dropped = select(Item.id).where(Item.id == visit.plan_item_id, Item.dropped)
    found = {
        "customer_removed": await tx.scalar(removed) is not None,
        "visitor_left": not there.issuperset(visit.visitor_ids),
        "plan_item_dropped": visit.plan_item_id is not None and await tx.scalar(dropped) is not None,
    }
    return [note for note, holds in found.items() if holds]


async def began(tx: AsyncSession, visit_id: UUID) -> datetime | None:
    """When a visit was begun."""
    found: datetime | None = await tx.scalar(select(Visit.started_at).where(Visit.id == visit_id))
    return found


async def state_of(tx: AsyncSession, visit_id: UUID) -> str | None:
    """The state of a visit, held until the transaction ends."""
    found: str | None = await tx.scalar(select(Visit.state).where(Visit.id == visit_id).with_for_update())
    return found


async def visitors_of(tx: AsyncSession, visit_id: UUID) -> Sequence[str]:
    """Who makes a visit."""
    return await tx.scalar(select(Visit.visitor_ids).where(Visit.id == visit_id)) or ()


async def moves(tx: AsyncSession) -> int:
    """The last move of a unit from one to below another; 0 while none moved."""
    return await tx.scalar(select(func.max(Unit.moved)).where(Unit.moved.is_not(None))) or 0


async def customer_of(tx: AsyncSession, visit_id: UUID) -> UUID | None:
    """To whom a visit is."""
    found: UUID | None = await tx.scalar(select(Visit.customer_id).where(Visit.id == visit_id))
    return found


async def last_of(tx: AsyncSession, step_id: UUID) -> UUID:
    """The step that counts now of those that correct `step_id`, each the one before."""
    line = select(Step.id, Step.superseded_by).where(Step.id == step_id).cte("line", recursive=True)
    line = line.union(select(Step.id, Step.superseded_by).join(line, Step.id == line.c.superseded_by))
    found: UUID | None = await tx.scalar(select(line.c.id).where(line.c.superseded_by.is_(None)))
    return found or step_id


def _open_to(known: Confidence, deciding: bool) -> ColumnElement[bool]:
    # What was said in confidence is for whoever brought it or decided, and for those who may know of it anyway; what
    # nobody has decided is also for those who are to.
    hidden = Conflict.confidential & known.hides(Conflict.unit_code)
    if deciding:
        hidden &= Conflict.keep.is_not(None)
    return or_(Conflict.brought_by == known.sub, func.coalesce(Conflict.resolved_by, "") == known.sub, ~hidden)


def _line_open_to(known: Confidence) -> ColumnElement[bool]:
    # The same of the line of an appeal: whoever heard it may know of it, too.
    appeal = there_is().where(Appeal.id == Brought.item_id, known.hidden)
    contradicting = there_is().where(
        Conflict.brought_id == Brought.id, Conflict.confidential, known.hides(Conflict.unit_code)
    )
    hidden = and_(Brought.kind == "appeal", or_(appeal, contradicting))
    return or_(Brought.brought_by == known.sub, ~hidden)


async def _line_of(tx: AsyncSession, visit: Visit) -> list[str]:
    below = await tx.scalars(select(Unit.code).where(within(Unit, visit.unit_code, Unit.code)))
    return [*await ancestors(tx, Unit, visit.unit_code), *below]
