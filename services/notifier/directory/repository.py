"""SQL of the directory."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import scope
from chassis.web.paging import Listing, Window
from contracts.absences import AbsenceChanged
from contracts.directory import StaffChanged, StaffRemoved, UnitChanged, UnitRemoved
from notifier.directory.models import Absence, Duty, Group, StaffMember, Substitute, Unit

Kept = TypeVar("Kept", Group, Duty, Substitute)


async def keep_units(tx: AsyncSession, changes: Iterable[UnitChanged]) -> None:
    """Stores the units that are newer than what is known of them."""
    new = insert(Unit)
    newer = {name: new.excluded[name] for name in ("code", "parent_code", "merged_into", "version")}
    statement = new.on_conflict_do_update(
        index_elements=[Unit.id], set_=newer, where=new.excluded.version > Unit.version
    )
    rows = [
        {
            "id": c.id,
            "code": c.unit_code,
            "parent_code": c.parent_code,
            "merged_into": c.merged_into,
            "version": c.version,
        }
        for c in changes
    ]
    await tx.execute(statement, rows)


async def keep_staff(tx: AsyncSession, changes: Iterable[StaffChanged]) -> None:
    """Stores the staff members that are newer than what is known of them."""
    new = insert(StaffMember)
    newer = {name: new.excluded[name] for name in ("staff_no", "unit_code", "roles", "active", "version")}
    statement = new.on_conflict_do_update(
        index_elements=[StaffMember.id], set_=newer, where=new.excluded.version > StaffMember.version
    )
    rows = [
        {
            "id": c.id,
            "staff_no": c.staff_no,
            "unit_code": c.unit_code,
            "roles": c.roles,
            "active": c.active,
            "version": c.version,
        }
        for c in changes
    ]
    await tx.execute(statement, rows)


async def drop_units(tx: AsyncSession, removals: Iterable[UnitRemoved]) -> None:
    """Forgets units. Stale news heard after it would be followed by the same removal again: order holds per id."""
    await tx.execute(delete(Unit).where(Unit.id.in_([r.id for r in removals])))


async def drop_staff(tx: AsyncSession, removals: Iterable[StaffRemoved]) -> None:
    """Forgets staff members."""
    await tx.execute(delete(StaffMember).where(StaffMember.id.in_([r.id for r in removals])))


async def holders(tx: AsyncSession, units: Sequence[str], role: str) -> dict[str, list[str]]:
    """Who is active in `role` in each of `units` that has anybody, in order of their numbers."""
    query = (
        select(StaffMember.unit_code, func.array_agg(StaffMember.staff_no.distinct()))
        .where(StaffMember.unit_code.in_(units), StaffMember.active, StaffMember.roles.contains([role]))
        .group_by(StaffMember.unit_code)
    )
    return {unit: sorted(people) for unit, people in await tx.execute(query)}


async def gone(tx: AsyncSession, people: Sequence[str]) -> set[str]:
    """Those of `people` who are known to have left; one the directory does not name may be there all the same."""
    query = (
        select(StaffMember.staff_no)
        .where(StaffMember.staff_no.in_(people))
        .group_by(StaffMember.staff_no)
        .having(~func.bool_or(StaffMember.active))
    )
    return set(await tx.scalars(query))


async def on_duty(
    tx: AsyncSession, units: Collection[str], at: datetime, people: Collection[str] = ()
) -> dict[tuple[str, str], list[str]]:
    """Who is on duty in `units` at an instant, by unit and role, in their order, and where `people` are; nobody who has
    left."""
    meant = or_(Duty.unit_code.in_(units), Duty.staff_no.in_(people)) if people else Duty.unit_code.in_(units)
    query = select(Duty).where(meant, Duty.active, Duty.starts_at <= at, Duty.ends_at > at)
    found: dict[tuple[str, str], list[str]] = {}
    rows = (await tx.scalars(query.order_by(Duty.rank, Duty.staff_no))).all()
    left = await gone(tx, sorted({row.staff_no for row in rows})) if rows else set()
    for row in rows:
        people = found.setdefault((row.unit_code, row.role), [])
        if row.staff_no not in left and row.staff_no not in people:
            people.append(row.staff_no)
    return found


async def keep_absences(tx: AsyncSession, changes: Iterable[tuple[AbsenceChanged, datetime]]) -> None:
    """Stores absences, as it was said last of each."""
    new = insert(Absence)
    its = {name: new.excluded[name] for name in ("staff_no", "substitute", "since", "until", "said_at")}
    newer = new.excluded.said_at >= Absence.said_at
    statement = new.on_conflict_do_update(index_elements=[Absence.id], set_=its, where=newer)
    rows = [
        {
            "id": change.absence_id,
            "staff_no": change.staff_no,
            "substitute": change.substitute,
            "since": change.since,
            "until": change.until,
            "said_at": said_at,
        }
        for change, said_at in changes
    ]
    await tx.execute(statement, rows)


async def away(tx: AsyncSession, at: datetime) -> dict[str, str | None]:
    """Who is away at an instant, and who stands in for them, if anybody. All of them: whoever stands in may be away
    too. Of several absences the one that began last counts; where the tracker knows of none, what is kept here does."""
    kept = select(Substitute.staff_no, Substitute.substitute).where(
        Substitute.active, Substitute.starts_at <= at, Substitute.ends_at > at
    )
    found: dict[str, str | None] = {
        row.staff_no: row.substitute for row in await tx.execute(kept.order_by(Substitute.updated_at))
    }
    lasting = select(Absence.staff_no, Absence.substitute).where(
        Absence.since <= at, or_(Absence.until.is_(None), Absence.until > at)
    )
    told = {row.staff_no: row.substitute for row in await tx.execute(lasting.order_by(Absence.since, Absence.id))}
    return found | {person: other or found.get(person) for person, other in told.items()}


async def groups(tx: AsyncSession, ids: Collection[UUID]) -> list[Group]:
    """The groups of these ids that are not switched off."""
    return list(await tx.scalars(select(Group).where(Group.id.in_(ids), Group.active)))


async def colleagues(tx: AsyncSession, unit: str, people: Collection[str]) -> set[str]:
    """Those of `people` who work in the company of `unit`: anywhere below the unit at its top."""
    top = (await scope.ancestors(tx, Unit, unit))[-1]
    query = select(StaffMember.staff_no).where(
        StaffMember.staff_no.in_(people), StaffMember.active, StaffMember.unit_code.in_(scope.below(Unit, top))
    )
    return set(await tx.scalars(query))


async def elsewhere(tx: AsyncSession, unit: str | None, people: Collection[str]) -> set[str]:
    """Those of `people` of whom every row known is of a unit that is neither `unit` nor below it."""
    query = (
        select(StaffMember.staff_no)
        .where(StaffMember.staff_no.in_(people))
        .group_by(StaffMember.staff_no)
        .having(~func.bool_or(scope.within(Unit, unit, StaffMember.unit_code)))
    )
    return set(await tx.scalars(query))


async def unit_of(tx: AsyncSession, staff_no: str) -> str | None:
    """The unit where somebody works."""
    query = select(StaffMember.unit_code).where(StaffMember.staff_no == staff_no, StaffMember.active).limit(1)
    return await tx.scalar(query)


async def seen(tx: AsyncSession, unit: str | None, units: Collection[str]) -> set[str]:
    """Those of `units` that are known, and are `unit` or below it."""
    query = select(Unit.code).where(Unit.code.in_(units), scope.within(Unit, unit, Unit.code))
    return set(await tx.scalars(query))


async def page(tx: AsyncSession, unit: str | None, window: Window, kept: type[Kept]) -> Listing[Kept]:
    """What is kept of `unit` and of the units below it."""
    return await window.fetch(tx, select(kept).where(scope.within(Unit, unit, kept.unit_code)), kept)


async def one(tx: AsyncSession, unit: str | None, id: UUID, kept: type[Kept], *, lock: bool = False) -> Kept | None:
    """One of them, locked for a change if asked."""
    query = select(kept).where(kept.id == id, scope.within(Unit, unit, kept.unit_code))
    if lock:
        query = query.with_for_update(of=kept)
    return (await tx.scalars(query)).one_or_none()
