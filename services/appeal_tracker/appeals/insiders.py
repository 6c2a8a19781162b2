"""Who may be of the very unit that a hidden appeal may be about: the one that raised it, and those below it (002
§6.4.5.5); and what they do about such an appeal not by themselves.

A unit without one above it has nobody outside. There its supervisors do what nobody else could, and read nothing by it.
"""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals.closing import JUDGED
from appeal_tracker.appeals.errors import ConcludedFromOutside
from appeal_tracker.appeals.models import Appeal
from appeal_tracker.appeals.responsible import is_at_work, supervises
from appeal_tracker.directory import service as directory
from chassis.web.tokens import Principal


def accuses_inside(appeal: Appeal) -> bool:
    """Whether it charges somebody, who may be of the unit that raised it."""
    return appeal.hidden and appeal.type in JUDGED


async def is_inside(tx: AsyncSession, unit: str | None, appeal: Appeal) -> bool:
    """Whether somebody of `unit` may be of the unit that `appeal` may be about; whose unit is not known may be."""
    return unit is None or await directory.may_see_unit(tx, unit, appeal.unit_code)


async def may_name(tx: AsyncSession, caller: Principal, handler: str, unit: str | None, appeal: Appeal) -> bool:
    """Whether `caller` may give an appeal to `handler`, of `unit` as far as that is known: its handler reads what was
    said, so nobody inside gives a hidden one to themselves, nor to another of them."""
    if not appeal.hidden or not await is_inside(tx, caller.unit, appeal):
        return True
    if handler == caller.sub:
        return False
    return not await is_inside(tx, unit, appeal) or await _in_place_of_others(tx, caller, appeal)


async def may_unname(tx: AsyncSession, caller: Principal, unit: str | None, appeal: Appeal) -> bool:
    """Whether `caller` may take an appeal from whoever handles it, of `unit` as far as that is known, without naming
    another: nobody inside has a hidden one taken from somebody else outside. Whose unit is not known was named from
    outside, wherever there is anybody: nobody inside may name them."""
    if not appeal.hidden or appeal.handler in (None, caller.sub) or not await is_inside(tx, caller.unit, appeal):
        return True
    inside = unit is not None and await is_inside(tx, unit, appeal)
    return inside or await _in_place_of_others(tx, caller, appeal)


async def may_take_back(tx: AsyncSession, caller: Principal, appeal: Appeal, merged: Iterable[Appeal]) -> bool:
    """Whether `caller` may record that the customer took an appeal back, with those `merged` into it. What accuses
    somebody is ended by whoever handles it alone, and where it is hidden not by those whom it may accuse (002
    §6.4.5.6)."""
    if all(each.type not in JUDGED for each in (appeal, *merged)):
        return True
    if not appeal.hidden or caller.sub == appeal.handler:
        return is_at_work(caller, appeal)
    return await may_void(tx, caller, appeal)


async def may_void(tx: AsyncSession, caller: Principal, appeal: Appeal) -> bool:
    """Whether `caller` may declare an appeal a mistake, or what accuses somebody something else, as supervisors do."""
    if not supervises(caller) or not accuses_inside(appeal):
        return supervises(caller)
    return not await is_inside(tx, caller.unit, appeal) or await _in_place_of_others(tx, caller, appeal)


async def may_conclude(tx: AsyncSession, caller: Principal, appeal: Appeal) -> bool:
    """Whether `caller` may say what was found out about an appeal, ask its customer what they think of that, and close
    it: nobody is the judge of what may be about their own unit, but for whoever was made its handler from outside."""
    if not accuses_inside(appeal) or caller.sub == appeal.handler:
        return True
    return not await is_inside(tx, caller.unit, appeal) or await _in_place_of_others(tx, caller, appeal)


async def asked_of(tx: AsyncSession, appeal: Appeal) -> str | None:
    """The unit whose people are asked about what may be about those who took it: the next above, or that one itself at
    the top; None of anything else."""
    return await directory.above(tx, appeal.unit_code) if accuses_inside(appeal) else None


async def demand_outside(tx: AsyncSession, caller: Principal, appeal: Appeal) -> None:
    """Raises `ConcludedFromOutside` unless `caller` may conclude an appeal."""
    if not await may_conclude(tx, caller, appeal):
        raise ConcludedFromOutside


async def _in_place_of_others(tx: AsyncSession, caller: Principal, appeal: Appeal) -> bool:
    raised_in = await directory.successor(tx, appeal.unit_code)
    return supervises(caller) and await directory.is_top(tx, raised_in)
