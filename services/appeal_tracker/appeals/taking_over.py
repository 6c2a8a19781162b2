"""An appeal of somebody who left, or changed post, goes to whoever took over their work, and so do their callbacks; one
of a unit that merged into another, to that."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import asking, handing
from appeal_tracker.appeals.acting import begin
from appeal_tracker.appeals.deeds import NOBODY, Deed
from appeal_tracker.appeals.handovers import UNIT_MERGED
from appeal_tracker.appeals.insiders import is_inside
from appeal_tracker.appeals.lifecycle import Act, State
from appeal_tracker.appeals.models import Appeal
from appeal_tracker.directory import service as directory
from chassis.runtime import Runtime
from chassis.web.tokens import Principal

REASON = "staff_handed_over"


async def take_over(tx: AsyncSession, runtime: Runtime, id: UUID, *, leaver: str, unit: str, to: str, by: str) -> None:
    """Transfers an open appeal of `leaver`, of `unit`, in the name of whoever handed the work over, and gives on whom
    they are to call about it, be it theirs or not; who heard it first stays (000 §8.2.4), and no clock moves. What
    another unit has by now stays there, as does what nobody may be given: the supervisors see to it. Raises
    `MergedMeanwhile`."""
    deed = await begin(tx, runtime, Principal(by, None, frozenset()), id)
    its = await directory.staff_member(tx, to)
    theirs, roles = (its.unit_code, its.roles) if its is not None else (None, ())
    gone = its is not None and not its.active
    if to == leaver and not gone:
        return
    may = not gone and not (deed.appeal.hidden and await is_inside(tx, theirs, deed.appeal))
    acted = may and await _transfer(deed, leaver, unit, to, theirs)
    calls = may and (theirs is None or await _sees(tx, theirs, deed.appeal))
    acted |= await asking.hand_over(deed, leaver, Principal(to, theirs, frozenset(roles)) if calls else None)
    if acted:
        await deed.settle()


async def _transfer(deed: Deed, leaver: str, unit: str, to: str, theirs: str | None) -> bool:
    appeal = deed.appeal
    if appeal.owner != leaver or appeal.state == State.CLOSED:
        return False
    if appeal.handler is None and appeal.handling_unit_code not in (appeal.unit_code, unit):
        return False  # it was dispatched to others, who named nobody yet
    before = handing.before(deed)
    await deed.move(Act.TRANSFER, deed.now)
    appeal.handler = to
    if theirs is not None and not await _sees(deed.tx, theirs, appeal):
        appeal.handling_unit_code = theirs
    handing.transferred(deed, before, REASON)
    return True


async def go_along(tx: AsyncSession, runtime: Runtime, id: UUID) -> None:
    """Transfers an open appeal that is with a closed unit to the one that this is part of; whoever has it keeps it, and
    no clock moves. Raises `MergedMeanwhile`."""
    deed = await begin(tx, runtime, NOBODY, id)
    appeal = deed.appeal
    to = await directory.successor(tx, appeal.handling_unit_code)
    if appeal.state == State.CLOSED or to == appeal.handling_unit_code:
        return
    before = handing.before(deed)
    await deed.move(Act.TRANSFER, deed.now)
    appeal.handling_unit_code = to
    handing.transferred(deed, {**before, "cause": UNIT_MERGED}, None)
    await deed.settle()


async def _sees(tx: AsyncSession, unit: str, appeal: Appeal) -> bool:
    return bool(await directory.visible(tx, {appeal.unit_code, appeal.handling_unit_code}, unit))
