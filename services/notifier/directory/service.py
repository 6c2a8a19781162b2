"""What is done with the directory: keep what is heard, whatever its order, and say who is to be told."""

from collections.abc import Iterable, Sequence

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import scope
from contracts.directory import StaffChanged, StaffRemoved, UnitChanged, UnitRemoved
from contracts.envelope import Message
from notifier.directory import repository
from notifier.directory.audience import Known, Matter
from notifier.directory.models import Unit


async def units_changed(tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Applies a batch of units by version: repeated or stale news changes nothing."""
    await repository.keep_units(tx, [m.event for m in messages if isinstance(m.event, UnitChanged)])


async def units_removed(tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Applies a batch of removals."""
    await repository.drop_units(tx, [m.event for m in messages if isinstance(m.event, UnitRemoved)])


async def staff_changed(tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Applies a batch of staff members by version: repeated or stale news changes nothing."""
    await repository.keep_staff(tx, [m.event for m in messages if isinstance(m.event, StaffChanged)])


async def staff_removed(tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Applies a batch of removals."""
    await repository.drop_staff(tx, [m.event for m in messages if isinstance(m.event, StaffRemoved)])


async def known_of(tx: AsyncSession, matters: Iterable[Matter]) -> Known:
    """All that is needed to find the people for `matters`, as the directory is now."""
    matters = list(matters)
    lines = {unit: await scope.ancestors(tx, Unit, unit) for unit in {matter.unit for matter in matters}}
    named = {person for matter in matters for person in (matter.owner, matter.first_contact) if person}
    return Known(
        lines,
        await repository.supervisors(tx, sorted({unit for line in lines.values() for unit in line})),
        await repository.gone(tx, sorted(named)),
    )


async def gone(tx: AsyncSession, people: Iterable[str]) -> set[str]:
    """Those of `people` who are known to have left."""
    return await repository.gone(tx, sorted(set(people)))


async def sees(tx: AsyncSession, unit: str | None, code: str) -> bool:
    """Whether there is a unit `code`, and it is seen from `unit`."""
    return bool(await tx.scalar(select(exists().where(Unit.code == code, scope.within(Unit, unit, Unit.code)))))


async def is_top_level(tx: AsyncSession, unit: str | None) -> bool:
    """Whether `unit` is known and has no unit above it."""
    return await scope.is_top_level(tx, Unit, unit)
