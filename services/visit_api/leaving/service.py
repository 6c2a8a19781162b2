"""Somebody leaves, or changes post: their open work goes to somebody else in one act, with its record."""

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.errors import Unprocessable
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from contracts.directory import StaffHandedOver
from visit_api.base import add
from visit_api.directory.staff import colleague, get_staff, hold_named, let_go
from visit_api.leaving import repository
from visit_api.leaving.errors import TO_THEMSELVES, HandOverTaken
from visit_api.leaving.models import StaffHandOver
from visit_api.leaving.schemas import NewHandOver
from visit_api.measures import service as measures
from visit_api.obligations import service as obligations
from visit_api.online import service as online
from visit_api.steps import handing as strategies
from visit_api.steps.repository import hold_visits
from visit_api.texts import service as texts
from visit_api.visits import handing


async def hand_over(
    tx: AsyncSession, runtime: Runtime, caller: Principal, staff_no: str, new: NewHandOver
) -> StaffHandOver:
    """Hands over all open work of a member of staff that the caller sees, or nothing of it; the tracker hears of it and
    hands over the appeals. Who leaves serves nobody on the web any more. Raises `NotFound`, `HandOverTaken`,
    `StepSuperseded`, `Unprocessable` for somebody who may not take all."""
    if new.to_staff_no < staff_no:  # by their numbers, as everybody holds several
        await hold_named(tx, new.to_staff_no)
    member = await get_staff(tx, caller, staff_no, lock=True)
    found = new.id and await repository.find(tx, caller.unit, new.id)
    if found:
        return await _same(tx, runtime, found, staff_no, new)
    if new.to_staff_no == staff_no:
        raise Unprocessable(TO_THEMSELVES)
    id, now, unit = new.id or new_id(), runtime.clock.now(), member.unit_code  # noqa: A001
    to = await colleague(tx, unit, new.to_staff_no, "/to_staff_no")
    await hold_visits(tx, caller.unit, staff_no)
    accounts, memberships = await online.retire(tx, runtime, caller, staff_no) if new.leaves else (0, 0)
    made = await add(
        tx,
        StaffHandOver,
        new,
        now,
        id=id,
        staff_no=staff_no,
        to_staff_no=to,
        unit_code=unit,
        **await texts.kept(tx, runtime, StaffHandOver, id, unit, {"reason": new.reason}),
        content_digest=await texts.digest(tx, runtime, new),
        visits=await handing.take_over(tx, runtime, caller, staff_no, to, new.reason),
        obligations=await obligations.take_over(tx, runtime, caller, staff_no, to),
        measures=await measures.take_over(tx, runtime, caller, staff_no, to, new.reason),
        strategies=await strategies.take_over(tx, runtime, caller, staff_no, to),
        accounts=accounts,
        memberships=memberships,
        recorded_at=now,
        recorded_by=caller.sub,
    )
    if made is None:  # another unit's, or another's who was quicker
        raise HandOverTaken(id=new.id)
    if new.leaves:
        await let_go(tx, runtime, member)
    event = StaffHandedOver(hand_over_id=made.id, unit_code=unit, staff_no=staff_no, to=to, by=caller.sub)
    await runtime.outbox.append(tx, [event], at=now)
    await texts.show(tx, runtime, [made])
    return made


async def list_hand_overs(
    tx: AsyncSession, runtime: Runtime, caller: Principal, staff_no: str, window: Window
) -> Listing[StaffHandOver]:
    """What was handed over of a member of staff. Raises `NotFound`."""
    await get_staff(tx, caller, staff_no)
    found = await repository.find_all(tx, staff_no, window)
    await texts.show(tx, runtime, found.items)
    return found


async def _same(
    tx: AsyncSession, runtime: Runtime, found: StaffHandOver, staff_no: str, new: NewHandOver
) -> StaffHandOver:
    if found.staff_no != staff_no or not await texts.is_made_of(tx, runtime, found, new):
        raise HandOverTaken(id=new.id)
    await texts.show(tx, runtime, [found])
    return found
