"""What is done with the directory: keep what is heard, whatever its order, and say who is to be told."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import scope
from chassis.web.errors import FieldError, Unprocessable, Words
from chassis.web.tokens import Principal
from contracts.absences import AbsenceChanged
from contracts.directory import StaffChanged, StaffRemoved, UnitChanged, UnitRemoved
from contracts.envelope import Message
from notifier.directory import repository
from notifier.directory.audience import GROUP, SUPERVISOR, Known, Matter, Members
from notifier.directory.models import Group, Unit


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


async def absences_changed(tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Learns who is away, and who stands in for them."""
    changes = sorted(messages, key=lambda message: message.time)
    last = {m.event.absence_id: (m.event, m.time) for m in changes if isinstance(m.event, AbsenceChanged)}
    await repository.keep_absences(tx, last.values())


async def known_of(tx: AsyncSession, matters: Iterable[Matter], audiences: Iterable[str], now: datetime) -> Known:
    """All that is needed to find the people of `audiences` for `matters`, as the directory is now."""
    matters, units = list(matters), set[str]()
    ids = {audience.removeprefix(GROUP) for audience in audiences if audience.startswith(GROUP)}
    groups = await repository.groups(tx, {UUID(each) for each in ids if _is_id(each)}) if ids else []
    for unit in {matter.unit for matter in matters} | {group.unit_code for group in groups}:
        units.add(unit)
    lines = {unit: await scope.ancestors(tx, Unit, unit) for unit in units}
    known = sorted({unit for line in lines.values() for unit in line})
    duty = await repository.on_duty(tx, known, now)
    away = await repository.away(tx, now)
    named = {each for matter in matters for each in (matter.owner, matter.first_contact, matter.caller) if each}
    named |= {*away, *filter(None, away.values())} | {person for group in groups for person in group.members}
    return Known(
        lines,
        await repository.holders(tx, known, SUPERVISOR),
        await repository.gone(tx, sorted(named)),
        await repository.holders(tx, known, "callback"),
        duty,
        away,
        {str(group.id): Members(group.unit_code, group.members) for group in groups},
    )


async def standing(
    tx: AsyncSession,
    units: Collection[str],
    people: Collection[str],
    now: datetime,
    *,
    named: Collection[str] = (),
    moved: Collection[str] = (),
) -> Known:
    """What is needed to say whether `people`, told as those of `units`, are still the ones to tell, where others may be
    `named` by now, and the matter be with the units it `moved` to."""
    away = await repository.away(tx, now)
    its = {*people, *named, *away, *filter(None, away.values())}
    duty = await repository.on_duty(tx, units, now, people)
    lines = {unit: await scope.ancestors(tx, Unit, unit) for unit in moved}
    return Known(lines, {}, await repository.gone(tx, sorted(its)), duty=duty, away=away)


async def unseen(tx: AsyncSession, unit: str | None, units: Collection[str]) -> set[str]:
    """Those of `units` that are not known, or neither `unit` nor below it."""
    return {*units} - await repository.seen(tx, unit, units)


async def unseen_people(tx: AsyncSession, unit: str | None, people: Collection[str]) -> set[str]:
    """Those of `people` of whom the directory knows, and who work neither in `unit` nor below it."""
    return await repository.elsewhere(tx, unit, people) if people else set()


async def has_group(tx: AsyncSession, caller: Principal, id: str) -> bool:
    """Whether there is such a group, for the caller to see, that is not switched off."""
    group = await repository.one(tx, caller.unit, UUID(id), Group) if _is_id(id) else None
    return group is not None and group.active


async def sees(tx: AsyncSession, unit: str | None, code: str) -> bool:
    """Whether there is a unit `code`, and it is seen from `unit`."""
    return bool(await tx.scalar(select(exists().where(Unit.code == code, scope.within(Unit, unit, Unit.code)))))


async def require_open(tx: AsyncSession, code: str) -> None:
    """Raises `Unprocessable` where the unit `code` merged into another: nothing new is kept for it, for nobody would be
    told by it any more."""
    if (into := await scope.successor(tx, Unit, code)) != code:
        merged = Words(f"该单位已并入 {into}", f"That unit was merged into {into}")
        raise Unprocessable(FieldError("/unit_code", "merged_unit", merged))


async def is_top_level(tx: AsyncSession, unit: str | None) -> bool:
    """Whether `unit` is known and has no unit above it."""
    return await scope.is_top_level(tx, Unit, unit)


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
