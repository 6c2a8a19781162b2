"""What is done with the directory: keep what is heard, whatever its order, and say who is above whom."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.directory import repository
from appeal_tracker.directory.models import StaffMember, Unit
from chassis import scope
from chassis.web.errors import Forbidden
from chassis.web.tokens import Principal
from contracts.directory import StaffChanged, UnitChanged
from contracts.envelope import Message


async def units_changed(tx: AsyncSession, messages: Sequence[Message], now: datetime) -> None:
    """Applies a batch of units by version: repeated or stale news changes nothing. Waits for those who `hold_tree`."""
    await repository.lock_tree(tx, shared=False)
    await repository.keep_units(tx, [m.event for m in messages if isinstance(m.event, UnitChanged)], now)


async def hold_tree(tx: AsyncSession) -> None:
    """Lets no unit be heard of until the transaction ends: for what must not miss one."""
    await repository.lock_tree(tx, shared=True)


async def staff_changed(tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Applies a batch of staff members by version: repeated or stale news changes nothing."""
    await repository.keep_staff(tx, [m.event for m in messages if isinstance(m.event, StaffChanged)])


async def may_see_unit(tx: AsyncSession, code: str, unit: str | None) -> bool:
    """Whether a caller of `unit` may see the unit `code`: its own, even unheard of, or one below it."""
    return code == unit or bool(await repository.units_in_scope(tx, code, unit))


async def may_hand_to(tx: AsyncSession, code: str, unit: str | None) -> bool:
    """Whether a caller of `unit` may hand things to the unit `code`: one it sees, one above its own, or one beside."""
    return await may_see_unit(tx, code, unit) or (
        unit is not None and bool(await repository.above_or_beside(tx, code, unit))
    )


async def visible(tx: AsyncSession, codes: Collection[str], unit: str | None) -> set[str]:
    """Those of the unit `codes` that a caller of `unit` sees."""
    return await repository.codes_in_scope(tx, codes, unit)


async def lock_unit(tx: AsyncSession, code: str, unit: str | None) -> bool:
    """Makes whoever would change what hangs on the unit `code` wait; False if a caller of `unit` does not see it or it
    was not heard of yet."""
    return bool(await repository.units_in_scope(tx, code, unit, lock=True))


async def staff_member(tx: AsyncSession, staff_no: str) -> StaffMember | None:
    """The staff member with that number, if heard of."""
    return await repository.staff_member(tx, staff_no)


async def below(tx: AsyncSession, code: str) -> list[str]:
    """What a caller of the unit `code` sees: it, or the one that it merged into, and those below."""
    return [*await tx.scalars(scope.below(Unit, code))]


async def under(tx: AsyncSession, code: str) -> list[str]:
    """The unit `code` that is asked for, closed or not, and those below it."""
    return [*await tx.scalars(scope.under(Unit, code))]


async def active(tx: AsyncSession, people: Collection[str]) -> dict[str, bool]:
    """Of those of `people` who were heard of, whether they are still there."""
    return await repository.active(tx, people)


async def answered_for(tx: AsyncSession, unit: str, role: str) -> Sequence[str]:
    """The units for which whoever has a `role` in `unit` answers: it, and those below that have nobody of their own for
    it."""
    return await repository.answered_for(tx, unit, role)


async def left(tx: AsyncSession, units: Collection[str]) -> set[str]:
    """Who of some units left."""
    return {*await repository.left(tx, units)}


async def top_of(tx: AsyncSession, code: str) -> str:
    """The highest unit above `code`, as far as they were heard of; itself where none is."""
    return (await scope.ancestors(tx, Unit, code))[-1]


async def above(tx: AsyncSession, code: str) -> str:
    """The unit above `code`, or above the one that it merged into; that itself, where none was heard of."""
    its = await scope.ancestors(tx, Unit, await successor(tx, code))
    return its[1] if len(its) > 1 else its[0]


async def next_below(tx: AsyncSession, units: Collection[str]) -> Sequence[str]:
    """The units above which is one of `units`, as `above` says."""
    return await repository.next_below(tx, units)


async def successor(tx: AsyncSession, code: str) -> str:
    """The unit that the unit `code` merged into; itself, where it did not, or that was not heard of yet."""
    return await scope.successor(tx, Unit, code)


async def today(tx: AsyncSession, caller: Principal) -> Principal:
    """The caller, as one of the unit that theirs is part of by now: a token is older than a merger for a day."""
    if caller.unit is None:
        return caller
    return Principal(caller.sub, await successor(tx, caller.unit), caller.roles)


async def is_top(tx: AsyncSession, code: str) -> bool:
    """Whether nobody is above the unit `code`, which was heard of."""
    return await scope.is_top_level(tx, Unit, code)


async def demand_top(tx: AsyncSession, caller: Principal) -> None:
    """Raises `Forbidden` unless the caller's unit is top-level: what belongs to no unit is changed from there alone."""
    if not await scope.is_top_level(tx, Unit, caller.unit):
        raise Forbidden
