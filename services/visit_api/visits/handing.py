"""Handing a visit over to other visitors."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.moments import happened
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from contracts.visits import VisitReplanned
from visit_api.directory.staff import colleague, hold_named, visitors
from visit_api.texts import service as texts
from visit_api.visits import repository
from visit_api.visits.lifecycle import Act
from visit_api.visits.models import HandOver, Visit
from visit_api.visits.schemas import HandingOver
from visit_api.visits.service import get_visit, lock_visit, require_possible, tell_plan


async def hand_over(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, handing: HandingOver) -> Visit:
    """Has others make a visit that is not over. Raises `NotFound`, `ActRefused`, `Unprocessable`."""
    now = runtime.clock.now()
    await hold_named(tx, *handing.visitor_ids)  # before the visit, as whoever hands over what somebody has does
    visit = await lock_visit(tx, caller, id)
    require_possible(Act.HAND_OVER, visit)
    to = await visitors(tx, visit.unit_code, handing.visitor_ids, "/visitor_ids", visit.visitor_ids)
    await _hand(tx, runtime, caller, visit, to, handing.reason, happened(handing.at or now, now))
    return visit


async def take_over(tx: AsyncSession, runtime: Runtime, caller: Principal, staff_no: str, to: str, reason: str) -> int:
    """Has `to` make every visit of `staff_no` that is not over, where the caller sees it; how many there were.

    Raises `Unprocessable` for a visit that `to` may not make.
    """
    now, found = runtime.clock.now(), await repository.lock_open_of(tx, caller.unit, staff_no)
    for visit in found:
        await colleague(tx, visit.unit_code, to, "/to_staff_no")
        new = list(dict.fromkeys(to if number == staff_no else number for number in visit.visitor_ids))
        await _hand(tx, runtime, caller, visit, new, reason, now)
    return len(found)


async def _hand(
    tx: AsyncSession, runtime: Runtime, caller: Principal, visit: Visit, to: list[str], reason: str, at: datetime
) -> None:
    now, id = runtime.clock.now(), new_id()  # noqa: A001
    entry = HandOver(
        id=id,
        visit_id=visit.id,
        unit_code=visit.unit_code,
        from_visitors=visit.visitor_ids,
        to_visitors=to,
        **await texts.kept(tx, runtime, HandOver, id, visit.unit_code, {"reason": reason}),
        at=at,
        recorded_at=now,
        recorded_by=caller.sub,
    )
    tx.add(entry)
    visit.visitor_ids = entry.to_visitors
    visit.touch(now)
    await tell_plan(tx, runtime, visit, VisitReplanned)


async def list_hand_overs(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, window: Window
) -> Listing[HandOver]:
    """To whom a visit was handed, in order. Raises `NotFound`."""
    await get_visit(tx, caller, id)
    found = await repository.hand_overs(tx, id, window)
    await texts.show(tx, runtime, found.items)
    return found
