"""Improvement measures (T/SDPEA §9.1): from a finding to the proof that something was done about it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.scope import ancestors
from chassis.web.errors import FieldError, NotFound, Unprocessable
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from visit_api.appeals import service as appeals
from visit_api.appeals.confidence import confidence
from visit_api.base import add
from visit_api.civil import day_of
from visit_api.directory.models import Unit
from visit_api.directory.staff import colleague
from visit_api.directory.units import require_unit
from visit_api.measures import repository
from visit_api.measures.errors import (
    FOUND_NOWHERE,
    NOTHING_CHANGES,
    PAST_DAY,
    UNKNOWN_APPEAL,
    UNKNOWN_VISIT,
    MeasureTaken,
    NotNow,
    VerifiedByAnother,
)
from visit_api.measures.lifecycle import CLAUSE, Act, MeasureState, after
from visit_api.measures.models import Measure, MeasureAct
from visit_api.measures.schemas import Changed, MeasureView, NewMeasure
from visit_api.visits.service import get_visit


async def record(tx: AsyncSession, runtime: Runtime, caller: Principal, new: NewMeasure) -> MeasureView:
    """Records a finding and what is done about it. Raises `MeasureTaken`, `Unprocessable`."""
    now = runtime.clock.now()
    found = new.id and await repository.find(tx, caller.unit, new.id)
    if not found:
        owner = await _checked(tx, caller, new, now)
        its = {"owner": owner, "state": MeasureState.OPEN, "recorded_at": now, "recorded_by": caller.sub}
        made = await add(tx, Measure, new, now, **its)
        if made is not None:
            _note(tx, made, Act.RECORDED, None, caller, now)
            return shown(made, now)
        found = new.id and await repository.find(tx, caller.unit, new.id)
    if not found or not found.is_made_of(new):
        raise MeasureTaken(id=new.id)
    return shown(found, now)


async def get_measure(tx: AsyncSession, caller: Principal, id: UUID, *, lock: bool = False) -> Measure:
    """The measure `id`, held for a change if `lock` says so. Raises `NotFound`."""
    found = await repository.find(tx, caller.unit, id, lock=lock)
    if found is None:
        raise NotFound
    return found


async def list_measures(
    tx: AsyncSession, runtime: Runtime, caller: Principal, window: Window, **wanted: Any
) -> Listing[MeasureView]:
    """The measures that the caller sees."""
    now = runtime.clock.now()
    found = await repository.find_all(tx, caller.unit, window, today=day_of(now), **wanted)
    return Listing([shown(each, now) for each in found.items], found.next)


async def list_acts(tx: AsyncSession, caller: Principal, id: UUID, window: Window) -> Listing[MeasureAct]:
    """What was done with a measure. Raises `NotFound`."""
    await get_measure(tx, caller, id)
    return await repository.acts_of(tx, id, window)


async def done(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, words: str) -> MeasureView:
    """Records that it was done. Raises `NotFound`, `NotNow`."""
    its, now = await _held(tx, runtime, caller, id, Act.DONE)
    its.done_at, its.done_by = now, caller.sub
    return _noted(tx, its, Act.DONE, words, caller, now)


async def verify(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, words: str) -> MeasureView:
    """Records that it helped, by the word of somebody else. Raises `NotFound`, `NotNow`, `VerifiedByAnother`."""
    its, now = await _held(tx, runtime, caller, id, Act.VERIFIED)
    if caller.sub in (its.owner, its.done_by):
        raise VerifiedByAnother(clause=CLAUSE)
    its.verified_at, its.verified_by = now, caller.sub
    return _noted(tx, its, Act.VERIFIED, words, caller, now)


async def send_back(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, words: str) -> MeasureView:
    """Has it open again, and says why. Raises `NotFound`, `NotNow`."""
    its, now = await _held(tx, runtime, caller, id, Act.RETURNED)
    its.done_at = its.done_by = its.verified_at = its.verified_by = None
    return _noted(tx, its, Act.RETURNED, words, caller, now)


async def change(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, its_change: Changed) -> MeasureView:
    """Gives it to somebody else, or more or less time, and says why. Raises `NotFound`, `NotNow`, `Unprocessable`."""
    its, now = await _held(tx, runtime, caller, id, Act.CHANGED)
    if its_change.due_on is not None:
        its.due_on = _to_come(its_change.due_on, now)
    elif its_change.owner is None:
        raise Unprocessable(NOTHING_CHANGES)
    if its_change.owner is not None:
        its.owner = await colleague(tx, its.unit_code, its_change.owner, "/owner", [its.owner])
    return _noted(tx, its, Act.CHANGED, its_change.reason, caller, now)


async def take_over(tx: AsyncSession, runtime: Runtime, caller: Principal, staff_no: str, to: str, reason: str) -> int:
    """Gives `to` the open measures of `staff_no` that the caller sees; how many there were. Raises `Unprocessable` for
    one that `to` may not own."""
    now, found = runtime.clock.now(), await repository.lock_open_of(tx, caller.unit, staff_no)
    for its in found:
        its.owner = await colleague(tx, its.unit_code, to, "/to_staff_no")
        _noted(tx, its, Act.CHANGED, reason, caller, now)
    return len(found)


def shown(its: Measure, now: datetime) -> MeasureView:
    """A measure as it stands at an instant."""
    fields = {name: getattr(its, name) for name in MeasureView.model_fields if name != "overdue"}
    return MeasureView(**fields, overdue=its.state == MeasureState.OPEN and its.due_on < day_of(now))


async def _checked(tx: AsyncSession, caller: Principal, new: NewMeasure, now: datetime) -> str:
    """Whose the measure is, once all that it names is sure to be the unit's."""
    await require_unit(tx, caller, new.unit_code)
    if new.visit_id is not None:
        try:
            visit = await get_visit(tx, caller, new.visit_id)
        except NotFound:
            raise Unprocessable(UNKNOWN_VISIT) from None
        await _require_of(tx, new.unit_code, visit.unit_code, UNKNOWN_VISIT)
    if new.appeal_id is not None:
        try:
            appeal = await appeals.get_appeal(tx, caller, new.appeal_id)
        except NotFound:
            raise Unprocessable(UNKNOWN_APPEAL) from None
        # Beside its visit, a hidden appeal would be named together with whom it came from.
        if not (await confidence(tx, caller)).may_know(appeal) or (appeal.hidden and new.visit_id is not None):
            raise Unprocessable(UNKNOWN_APPEAL)
        await _require_of(tx, new.unit_code, appeal.unit_code, UNKNOWN_APPEAL)
    if new.visit_id is None and new.appeal_id is None and new.figure is None:
        raise Unprocessable(FOUND_NOWHERE)
    _to_come(new.due_on, now)
    return await colleague(tx, new.unit_code, new.owner, "/owner")


async def _require_of(tx: AsyncSession, unit_code: str, its_unit: str, fault: FieldError) -> None:
    if unit_code not in await ancestors(tx, Unit, its_unit):
        raise Unprocessable(fault)


def _to_come(day: date, now: datetime) -> date:
    if day < day_of(now):
        raise Unprocessable(PAST_DAY)
    return day


async def _held(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, act: Act) -> tuple[Measure, datetime]:
    """The measure, held, in the state that the act leads to."""
    its = await get_measure(tx, caller, id, lock=True)
    then = after(act, MeasureState(its.state))
    if then is None:
        raise NotNow(act=act, state=its.state, clause=CLAUSE)
    its.state = then
    return its, runtime.clock.now()


def _noted(tx: AsyncSession, its: Measure, act: Act, words: str, caller: Principal, now: datetime) -> MeasureView:
    its.touch(now)
    _note(tx, its, act, words, caller, now)
    return shown(its, now)


def _note(tx: AsyncSession, its: Measure, act: Act, words: str | None, caller: Principal, now: datetime) -> None:
    standing = {"owner": its.owner, "due_on": its.due_on}
    said = {"act": act, "words": words, "recorded_at": now, "recorded_by": caller.sub}
    tx.add(MeasureAct(id=new_id(), measure_id=its.id, **standing, **said))
