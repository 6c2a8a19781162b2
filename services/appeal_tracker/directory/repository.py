"""SQL of the directory."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import false, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.directory.models import StaffMember, Unit
from chassis import scope
from contracts.directory import StaffChanged, UnitChanged

# Of several versions in one batch the highest is taken, since a statement may touch a row once only.
_UNITS = text("""
INSERT INTO units (id, code, parent_code, merged_into, merged_at, version)
SELECT DISTINCT ON (u.id) u.id, u.code, u.parent_code, u.merged_into,
       CASE WHEN u.merged_into IS NOT NULL THEN CAST(:now AS timestamptz) END, u.version
FROM unnest(CAST(:ids AS uuid[]), CAST(:codes AS text[]), CAST(:parents AS text[]), CAST(:merged AS text[]),
            CAST(:versions AS bigint[]))
     AS u (id, code, parent_code, merged_into, version)
ORDER BY u.id, u.version DESC
ON CONFLICT (id) DO UPDATE SET code = excluded.code, parent_code = excluded.parent_code,
    merged_into = excluded.merged_into, merged_at = coalesce(units.merged_at, excluded.merged_at),
    version = excluded.version,
    moved_at = CASE WHEN (units.code, units.parent_code) IS DISTINCT FROM (excluded.code, excluded.parent_code)
                    THEN CAST(:now AS timestamptz) ELSE units.moved_at END
WHERE excluded.version > units.version
""")

# The walk down the tree ends where somebody else answers for what is below.
_ANSWERED_FOR = text("""
WITH RECURSIVE its (code) AS (
    SELECT CAST(:unit AS text) UNION
    SELECT u.code FROM units u JOIN its i ON u.parent_code = i.code
    WHERE NOT EXISTS (
        SELECT FROM staff s WHERE s.unit_code = u.code AND s.active AND CAST(:role AS text) = ANY (s.roles))
)
SELECT code FROM its
""")
_NEXT_BELOW = text("""
WITH its (code) AS (
    SELECT u.code FROM units u WHERE u.merged_into IS NULL AND (u.parent_code = ANY (CAST(:units AS text[]))
        OR u.parent_code IS NULL AND u.code = ANY (CAST(:units AS text[]))))
SELECT code FROM its UNION SELECT u.code FROM units u JOIN its i ON u.merged_into = i.code
""")
_LEFT = text("""
SELECT DISTINCT s.staff_no FROM staff s WHERE s.unit_code = ANY (CAST(:units AS text[])) AND NOT s.active
    AND NOT EXISTS (SELECT FROM staff o WHERE o.staff_no = s.staff_no AND o.active)
""")

_ROLE_SEPARATOR = "\x1f"

# An array of arrays cannot be unnested by rows: roles travel joined by the unit separator.
_STAFF = text("""
INSERT INTO staff (id, staff_no, unit_code, roles, active, version)
SELECT DISTINCT ON (s.id) s.id, s.staff_no, s.unit_code, string_to_array(s.roles, chr(31)), s.active, s.version
FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS text[]), CAST(:units AS text[]), CAST(:roles AS text[]),
            CAST(:active AS boolean[]), CAST(:versions AS bigint[]))
     AS s (id, staff_no, unit_code, roles, active, version)
ORDER BY s.id, s.version DESC
ON CONFLICT (id) DO UPDATE SET staff_no = excluded.staff_no, unit_code = excluded.unit_code, roles = excluded.roles,
    active = excluded.active, version = excluded.version
WHERE excluded.version > staff.version
""")


async def lock_tree(tx: AsyncSession, *, shared: bool) -> None:
    """Locks the tree of units as a whole, until the transaction ends."""
    lock = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
    await tx.execute(select(lock(func.hashtext("units"))))


async def keep_units(tx: AsyncSession, changes: Sequence[UnitChanged], now: datetime) -> None:
    """Stores the units that are newer than what is known of them."""
    values = {
        "ids": [change.id for change in changes],
        "codes": [change.unit_code for change in changes],
        "parents": [change.parent_code for change in changes],
        "merged": [change.merged_into for change in changes],
        "versions": [change.version for change in changes],
        "now": now,
    }
    await tx.execute(_UNITS, values)


async def keep_staff(tx: AsyncSession, changes: Sequence[StaffChanged]) -> None:
    """Stores the staff members that are newer than what is known of them."""
    values = {
        "ids": [change.id for change in changes],
        "numbers": [change.staff_no for change in changes],
        "units": [change.unit_code for change in changes],
        "roles": [_ROLE_SEPARATOR.join(change.roles) for change in changes],
        "active": [change.active for change in changes],
        "versions": [change.version for change in changes],
    }
    await tx.execute(_STAFF, values)


async def units_in_scope(tx: AsyncSession, code: str, unit: str | None, *, lock: bool = False) -> Sequence[UUID]:
    """The ids that bear `code`, if it is `unit` or below it; `lock` makes others that would lock them wait."""
    query = select(Unit.id).where(Unit.code == code, scope.within(Unit, unit, Unit.code))
    return (await tx.scalars(query.with_for_update() if lock else query)).all()


async def above_or_beside(tx: AsyncSession, code: str, unit: str) -> Sequence[UUID]:
    """The ids that bear `code`, if it is above `unit` or has its parent."""
    _, *above = await scope.ancestors(tx, Unit, unit)
    near = [Unit.code.in_(above), Unit.parent_code == above[0]] if above else []
    return (await tx.scalars(select(Unit.id).where(Unit.code == code, or_(false(), *near)))).all()


async def codes_in_scope(tx: AsyncSession, codes: Collection[str], unit: str | None) -> set[str]:
    """Those of `codes` that a caller of `unit` sees."""
    known = await tx.scalars(select(Unit.code).where(Unit.code.in_(codes), scope.within(Unit, unit, Unit.code)))
    return set(known) | ({unit} & set(codes) if unit is not None else set())


async def answered_for(tx: AsyncSession, unit: str, role: str) -> Sequence[str]:
    """The unit `unit` and those below it, but for whichever has its own holders of `role`, and what is below these."""
    return (await tx.scalars(_ANSWERED_FOR, {"unit": unit, "role": role})).all()


async def next_below(tx: AsyncSession, units: Collection[str]) -> Sequence[str]:
    """The units next below some `units`, with what merged into them; of these themselves those with nothing above."""
    return (await tx.scalars(_NEXT_BELOW, {"units": [*units]})).all()


async def left(tx: AsyncSession, units: Collection[str]) -> Sequence[str]:
    """Who of some units is known to have left."""
    return (await tx.scalars(_LEFT, {"units": [*units]})).all()


async def staff_member(tx: AsyncSession, staff_no: str) -> StaffMember | None:
    """The staff member with that number, the one still there where a number was given anew."""
    query = select(StaffMember).where(StaffMember.staff_no == staff_no).order_by(StaffMember.active.desc()).limit(1)
    return (await tx.scalars(query)).one_or_none()


async def active(tx: AsyncSession, people: Collection[str]) -> dict[str, bool]:
    """Of those of `people` who are known, whether they are still there; where a number was given anew, anybody is."""
    there = func.bool_or(StaffMember.active)
    rows = await tx.execute(
        select(StaffMember.staff_no, there).where(StaffMember.staff_no.in_(people)).group_by(StaffMember.staff_no)
    )
    return {staff_no: bool(known) for staff_no, known in rows}
