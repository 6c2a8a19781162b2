"""Who handles an appeal: it is dispatched (派发), and transferred (转派). No clock moves, no step is undone by that."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals.acting import Deed, begin
from appeal_tracker.appeals.errors import NobodyNamed, UnknownHandlingUnit
from appeal_tracker.appeals.lifecycle import Act
from appeal_tracker.appeals.models import Appeal
from appeal_tracker.directory import service as directory
from chassis.runtime import Runtime
from chassis.web.tokens import Principal
from contracts.appeals import AppealTransferred


async def dispatch(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, *, handler: str | None, unit: str | None
) -> Appeal:
    """Hands the appeal to a handler, a unit, or both; the first-contact person stays."""
    deed = await begin(tx, runtime, caller, id)
    await _hand(deed, handler, unit)
    appeal = deed.appeal
    deed.say(deed.case, "dispatched", deed.now, handler=handler, handling_unit_code=appeal.handling_unit_code)
    await deed.move(Act.DISPATCH, deed.now)
    return await deed.done()


async def transfer(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    id: UUID,
    *,
    handler: str | None,
    unit: str | None,
    reason: str,
) -> Appeal:
    """Hands it on to another, for a reason."""
    deed = await begin(tx, runtime, caller, id)
    appeal = deed.appeal
    before = {"from_handler": appeal.handler, "from_unit_code": appeal.handling_unit_code}
    await _hand(deed, handler, unit)
    to: dict[str, Any] = {"handler": handler, "handling_unit_code": appeal.handling_unit_code}
    event = AppealTransferred(**deed.facts(deed.case, deed.now), **to)
    deed.say(deed.case, "transferred", deed.now, event, **to, **before, reason=reason)
    await deed.move(Act.TRANSFER, deed.now)
    return await deed.done()


async def _hand(deed: Deed, handler: str | None, unit: str | None) -> None:
    """A handler named alone takes it to their unit, if the directory knows them; a unit named alone has no handler yet.

    It goes to a unit that the caller sees, to one above or beside the caller's own, or back to the raising one: whoever
    it is handed to sees it from then on. Another unit looks like one that is not there.
    """
    if handler is None and unit is None:
        raise NobodyNamed
    if unit is not None and not await _may_take(deed, unit):
        raise UnknownHandlingUnit
    known = await directory.staff_member(deed.tx, handler) if handler is not None else None
    theirs = known.unit_code if known and await _may_take(deed, known.unit_code) else None
    deed.appeal.handler = handler
    deed.appeal.handling_unit_code = unit or theirs or deed.appeal.handling_unit_code


async def _may_take(deed: Deed, unit: str) -> bool:
    return unit == deed.appeal.unit_code or await directory.may_hand_to(deed.tx, unit, deed.caller.unit)
