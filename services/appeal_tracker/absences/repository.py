"""SQL of the absences."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.absences.models import Absence
from appeal_tracker.directory.models import Unit
from chassis import scope

# Bare: to say that a change was told is none.
_TOLD = text("UPDATE absences SET told_xid = changed_xid WHERE id = ANY (CAST(:ids AS uuid[]))")


def listed(unit: str | None, staff_no: str | None) -> Select[Absence]:
    """The absences in a caller's unit and those below it, of one person where that is said."""
    query = select(Absence).where(scope.within(Unit, unit, Absence.unit_code))
    return query if staff_no is None else query.where(Absence.staff_no == staff_no)


async def lock(tx: AsyncSession, id: UUID, unit: str | None) -> Absence | None:
    """An absence that a caller of `unit` may see; others who want to change it wait."""
    query = listed(unit, None).where(Absence.id == id).with_for_update(of=Absence)
    return (await tx.scalars(query)).one_or_none()


async def lasting(tx: AsyncSession, at: datetime) -> Sequence[Absence]:
    """Every absence at an instant: there are as many as people are away."""
    now = or_(Absence.until.is_(None), Absence.until > at)
    return (await tx.scalars(select(Absence).where(Absence.since <= at, now))).all()


async def untold(tx: AsyncSession, limit: int) -> Sequence[Absence]:
    """Some absences that were changed and not told, locked."""
    query = select(Absence).where(Absence.told_xid.is_distinct_from(Absence.changed_xid))
    return (await tx.scalars(query.order_by(Absence.id).limit(limit).with_for_update(skip_locked=True))).all()


async def told(tx: AsyncSession, ids: Collection[UUID]) -> None:
    """Keeps that absences were told as they are."""
    await tx.execute(_TOLD, {"ids": list(ids)})
