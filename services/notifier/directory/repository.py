"""SQL of the directory."""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.directory import StaffChanged, StaffRemoved, UnitChanged, UnitRemoved
from notifier.directory.models import StaffMember, Unit


async def keep_units(tx: AsyncSession, changes: Iterable[UnitChanged]) -> None:
    """Stores the units that are newer than what is known of them."""
    new = insert(Unit)
    newer = {name: new.excluded[name] for name in ("code", "parent_code", "version")}
    statement = new.on_conflict_do_update(
        index_elements=[Unit.id], set_=newer, where=new.excluded.version > Unit.version
    )
    rows = [{"id": c.id, "code": c.unit_code, "parent_code": c.parent_code, "version": c.version} for c in changes]
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


async def supervisors(tx: AsyncSession, units: Sequence[str]) -> dict[str, list[str]]:
    """The active supervisors of each of `units` that has any, in order of their numbers."""
    query = (
        select(StaffMember.unit_code, func.array_agg(StaffMember.staff_no.distinct()))
        .where(StaffMember.unit_code.in_(units), StaffMember.active, StaffMember.roles.contains(["supervisor"]))
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
