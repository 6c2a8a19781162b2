"""A unit merges into another in one act, with its record; what it has open moves by itself afterwards (`moving`)."""

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import trail
from chassis.runtime import Runtime
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from visit_api.base import add
from visit_api.directory.closing import close
from visit_api.directory.units import get_unit
from visit_api.mergers import repository
from visit_api.mergers.errors import MergerTaken
from visit_api.mergers.models import UnitMerger
from visit_api.mergers.schemas import NewUnitMerger


async def merge(tx: AsyncSession, runtime: Runtime, caller: Principal, code: str, new: NewUnitMerger) -> UnitMerger:
    """Merges a unit into another; the caller sees both. Raises `NotFound`, `UnitMerged`, `UnitCycle`,
    `MergerTaken`, `Unprocessable`."""
    found = new.id and await repository.find(tx, caller.unit, new.id)
    if found:
        if found.unit_code != code or not found.is_made_of(new):
            raise MergerTaken(id=new.id)
        return found
    await close(tx, runtime, caller, code, new.into)
    now = runtime.clock.now()
    its = {"unit_code": code, "into_code": new.into, "recorded_at": now, "recorded_by": caller.sub}
    made = await add(tx, UnitMerger, new, now, **its)
    if made is None:  # the id is another unit's, or another's who was quicker
        raise MergerTaken(id=new.id)
    act, thing = "unit.merged", "unit"
    await trail.note(tx, runtime, caller, act=act, thing=thing, thing_id=code, unit_code=code, reason=new.reason)
    return made


async def list_mergers(tx: AsyncSession, caller: Principal, code: str, window: Window) -> Listing[UnitMerger]:
    """What a unit merged into, and which merged into it. Raises `NotFound`."""
    await get_unit(tx, caller, code)
    return await repository.find_all(tx, code, window)
