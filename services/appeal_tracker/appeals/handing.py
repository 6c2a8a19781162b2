"""Who handles an appeal: it is dispatched (派发), transferred (转派), and returned (退回). No clock moves, no step is
undone by that."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.absences import service as absences
from appeal_tracker.appeals import asking
from appeal_tracker.appeals.acting import begin
from appeal_tracker.appeals.deeds import Deed
from appeal_tracker.appeals.errors import NothingToReturn, NotYoursToReturn
from appeal_tracker.appeals.faults import (
    HandlerInside,
    HandlerLeft,
    HandlingUnitMerged,
    NobodyNamed,
    UnknownHandlingUnit,
)
from appeal_tracker.appeals.handovers import Hands, handed_by
from appeal_tracker.appeals.insiders import is_inside, may_name, may_unname
from appeal_tracker.appeals.lifecycle import Act
from appeal_tracker.appeals.models import Appeal
from appeal_tracker.appeals.responsible import is_at_work
from appeal_tracker.clocks import timeline
from appeal_tracker.directory import service as directory
from chassis.runtime import Runtime
from chassis.web.tokens import Principal
from contracts.appeals import AppealDispatched, AppealReturned, AppealTransferred


async def dispatch(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    id: UUID,
    *,
    handler: str | None,
    unit: str | None,
    note: str | None = None,
) -> Appeal:
    """Hands the appeal to a handler, a unit, or both; the first-contact person stays."""
    deed = await begin(tx, runtime, caller, id)
    its = before(deed)
    await deed.move(Act.DISPATCH, deed.now)
    await _hand(deed, handler, unit)
    to: dict[str, Any] = {"handler": handler, "handling_unit_code": deed.appeal.handling_unit_code}
    said: dict[str, Any] = {"note": note} if note else {}
    event = AppealDispatched(**deed.facts(deed.case, deed.now), **to)
    deed.say(deed.case, "dispatched", deed.now, event, **to, **its, **said)
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
    its = before(deed)
    await deed.move(Act.TRANSFER, deed.now)
    await _hand(deed, handler, unit)
    transferred(deed, its, reason)
    return await deed.done()


def transferred(deed: Deed, its: dict[str, Any], reason: str | None) -> None:
    """Tells of a transfer that was made, with what was `before` it."""
    said = {} if reason is None else {"reason": reason}
    to: dict[str, Any] = {"handler": deed.appeal.handler, "handling_unit_code": deed.appeal.handling_unit_code}
    event = AppealTransferred(**deed.facts(deed.case, deed.now), **to)
    deed.say(deed.case, "transferred", deed.now, event, **to, **its, **said)


async def give_back(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, *, reason: str) -> Appeal:
    """Returns it to whoever handed it to those who have it now, or else to the unit that raised it; to the unit of
    somebody who left, and of somebody whom a hidden one may be about. Raises `NotYoursToReturn`, `NothingToReturn`.
    """
    deed = await begin(tx, runtime, caller, id)
    await deed.move(Act.RETURN, deed.now)
    appeal = deed.appeal
    covered = await absences.covered_by(tx, caller.sub, deed.now)
    has = caller.sub == appeal.handler or appeal.handler in covered
    if not has and not (is_at_work(deed.caller, appeal) and await _may_unname(deed)):
        raise NotYoursToReturn
    its = before(deed)
    back = await _back(deed)
    if back == Hands(appeal.handler, appeal.handling_unit_code):
        raise NothingToReturn
    appeal.handler, appeal.handling_unit_code = back.person, back.unit
    to: dict[str, Any] = {"handler": back.person, "handling_unit_code": back.unit}
    event = AppealReturned(**deed.facts(deed.case, deed.now), **to)
    deed.say(deed.case, "returned", deed.now, event, **to, **its, reason=reason)
    await asking.returned(deed)
    return await deed.done()


async def _back(deed: Deed) -> Hands:
    raised_in = Hands(None, await directory.successor(deed.tx, deed.appeal.unit_code))
    by = handed_by(await timeline.of(deed.tx, deed.appeal.id))
    if by is None or by.person in (None, deed.appeal.handler, deed.caller.sub):
        return raised_in
    known = await directory.staff_member(deed.tx, by.person)
    unit = await directory.successor(deed.tx, by.unit)
    if known is not None and not known.active:
        return Hands(None, unit)
    inside = deed.appeal.hidden and await is_inside(deed.tx, known.unit_code if known else by.unit, deed.appeal)
    return Hands(None if inside else by.person, unit)


def before(deed: Deed) -> dict[str, Any]:
    """From whose hands it comes; whose unit it goes back to where it is returned is that of whoever handed it on."""
    its = {"from_handler": deed.appeal.handler, "from_unit_code": deed.appeal.handling_unit_code}
    return {**its, "by_unit_code": deed.caller.unit}


async def _hand(deed: Deed, handler: str | None, unit: str | None) -> None:
    """A handler named alone takes it to their unit, if the directory knows them; a unit named alone has no handler yet.

    Nobody who left is handed anything: they would never see it; nor is a hidden one those whom it may be about, by one
    of them, nor taken from somebody outside by one of them who names nobody. It goes to a unit that the caller sees, to
    one above or beside the caller's own, or back to the raising one: whoever it is handed to sees it from then on.
    Another unit looks like one that is not there.
    """
    if handler is None and unit is None:
        raise NobodyNamed
    if unit is not None and not await _may_take(deed, unit):
        raise UnknownHandlingUnit
    if unit is not None and (into := await directory.successor(deed.tx, unit)) != unit:
        raise HandlingUnitMerged(into)
    if handler is None and not await _may_unname(deed):
        raise HandlerInside
    known = await directory.staff_member(deed.tx, handler) if handler is not None else None
    if handler is not None and not (await directory.active(deed.tx, [handler])).get(handler, True):
        raise HandlerLeft
    if handler is not None:
        its = known.unit_code if known else None
        if not await may_name(deed.tx, deed.caller, handler, its, deed.appeal):
            raise HandlerInside
    theirs = await directory.successor(deed.tx, known.unit_code) if known else None
    theirs = theirs if theirs and await _may_take(deed, theirs) else None
    deed.appeal.handler = handler
    deed.appeal.handling_unit_code = unit or theirs or deed.appeal.handling_unit_code


async def _may_unname(deed: Deed) -> bool:
    has = deed.appeal.handler
    known = await directory.staff_member(deed.tx, has) if has is not None else None
    return await may_unname(deed.tx, deed.caller, known.unit_code if known else None, deed.appeal)


async def _may_take(deed: Deed, unit: str) -> bool:
    return unit == deed.appeal.unit_code or await directory.may_hand_to(deed.tx, unit, deed.caller.unit)
