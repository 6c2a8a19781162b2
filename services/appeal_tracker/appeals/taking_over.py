"""An appeal of somebody who left, or changed post, goes to whoever took over their work."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import handing
from appeal_tracker.appeals.acting import begin
from appeal_tracker.appeals.lifecycle import Act, State
from appeal_tracker.appeals.models import Appeal
from appeal_tracker.directory import service as directory
from chassis.runtime import Runtime
from chassis.web.tokens import Principal

REASON = "staff_handed_over"


async def take_over(tx: AsyncSession, runtime: Runtime, id: UUID, *, leaver: str, unit: str, to: str, by: str) -> None:
    """Transfers an open appeal of `leaver`, of `unit`, in the name of whoever handed the work over; who heard it first
    stays (000 §8.2.4), and no clock moves. What another unit has by now stays there, as does what nobody may be given:
    the supervisors see to it. Raises `MergedMeanwhile`."""
    deed = await begin(tx, runtime, Principal(by, None, frozenset()), id)
    appeal = deed.appeal
    if appeal.owner != leaver or to == leaver or appeal.state == State.CLOSED:
        return
    if appeal.handler is None and appeal.handling_unit_code not in (appeal.unit_code, unit):
        return  # it was dispatched to others, who named nobody yet
    taker = await directory.staff_member(tx, to)
    theirs = taker.unit_code if taker is not None else None
    if (taker is not None and not taker.active) or (appeal.confidential and await _inside(tx, theirs, appeal)):
        return
    before = handing.before(deed)
    await deed.move(Act.TRANSFER, deed.now)
    appeal.handler = to
    if theirs is not None and not await _sees(tx, theirs, appeal):
        appeal.handling_unit_code = theirs
    await handing.transferred(deed, before, REASON)


async def _inside(tx: AsyncSession, unit: str | None, appeal: Appeal) -> bool:
    """Whether somebody of `unit` may be of the very unit that it may be about (002 §6.4.5.5)."""
    return unit is None or await directory.may_see_unit(tx, unit, appeal.unit_code)


async def _sees(tx: AsyncSession, unit: str, appeal: Appeal) -> bool:
    return bool(await directory.visible(tx, {appeal.unit_code, appeal.handling_unit_code}, unit))
