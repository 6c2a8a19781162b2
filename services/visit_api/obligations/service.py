"""What is owed to customers who called (T/SDPEA §6.2.2.3–4): open until it is done, or a supervisor says why not."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import trail
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.vault import Place
from chassis.web.errors import FieldError, NotFound, Unprocessable
from chassis.web.etag import Unchanged
from chassis.web.moments import happened
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from visit_api.base import add, keyed_digest
from visit_api.customers.phones import masked
from visit_api.customers.service import hold_customer, refuse_mask
from visit_api.directory.staff import colleague, hold_named
from visit_api.directory.units import require_unit, successor, top_unit
from visit_api.obligations import hours, repository
from visit_api.obligations.errors import (
    CALLER_KNOWN,
    NO_CALLER,
    NO_UNIT,
    NO_VISIT_OF_NOBODY,
    NOT_TOLD,
    UNIT_OF_THE_CUSTOMER,
    AlreadyDischarged,
    ObligationTaken,
    before_the_call,
    closes_first,
)
from visit_api.obligations.models import Obligation
from visit_api.obligations.owed import OWED, How
from visit_api.obligations.schemas import (
    Discharge,
    NewObligation,
    ObligationInFull,
    ObligationView,
    OfficeHours,
    Waiver,
)
from visit_api.rulebooks import service as rulebooks
from visit_api.texts import service as texts
from visit_api.visits.lateness import came_late, came_late_to
from visit_api.visits.lifecycle import Unmet
from visit_api.visits.models import Visit
from visit_api.visits.service import hold_visit

SUBJECT = "office_hours"


async def owe(tx: AsyncSession, runtime: Runtime, caller: Principal, new: NewObligation) -> Obligation:
    """Records a call after which something is owed. Raises `ObligationTaken`, `Unprocessable`."""
    found = new.id and await repository.find(tx, caller.unit, new.id)
    if not found:
        now = runtime.clock.now()
        happened(new.called_at, now, "/called_at")
        if new.kind == "out_of_hours_call" and new.told is None:
            raise Unprocessable(NOT_TOLD, clause="6.2.2.4")
        if faults := [*_faults_of_caller(new)]:
            raise Unprocessable(*faults)
        if new.owner is not None:
            await hold_named(tx, new.owner)  # before the visit, as whoever hands over does
        visit = None
        if new.visit_id is not None and new.customer_id is not None:
            visit = await hold_visit(tx, caller, new.visit_id, [new.customer_id], "/visit_id")
        unit, id = await _called(tx, caller, new), new.id or new_id()  # noqa: A001
        its_hours = (await rulebooks.counting(tx, unit, SUBJECT, hours.SHIPPED)).content
        made = await add(
            tx,
            Obligation,
            new,
            now,
            id=id,
            unit_code=unit,
            content_digest=await _digest(tx, runtime, new),
            phone_sealed=new.phone and await _sealed(tx, runtime, unit, id, new.phone),
            **await texts.kept(tx, runtime, Obligation, id, unit, {"told": new.told, "note": new.note}),
            owner=caller.sub if new.owner is None else await colleague(tx, unit, new.owner, "/owner"),
            in_hours=hours.is_open(its_hours, new.called_at),
            owed_from=hours.open_from(its_hours, new.called_at),
            recorded_at=now,
            recorded_by=caller.sub,
            state="open",
        )
        if made is not None:
            await _show(tx, runtime, [made])
            if visit is not None:
                await came_late(tx, visit, "obligations", caller.sub, now)
            return made
        found = new.id and await repository.find(tx, caller.unit, new.id)
    if not found or not await texts.is_made_of(tx, runtime, found, new):
        raise ObligationTaken(id=new.id)
    await _show(tx, runtime, [found])
    return found


async def list_obligations(
    tx: AsyncSession, runtime: Runtime, caller: Principal, window: Window, **wanted: object
) -> Listing[Obligation]:
    """What is owed, as far as the caller sees it, as the calls came."""
    found = await repository.find_all(tx, caller.unit, window, **wanted)
    await _show(tx, runtime, found.items)
    return found


async def get_obligation(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, *, lock: bool = False
) -> Obligation:
    """The obligation `id`, held for a change if `lock` says so. Raises `NotFound`."""
    found = await repository.find(tx, caller.unit, id, lock=lock)
    if found is None:
        raise NotFound
    await _show(tx, runtime, [found])
    return found


async def open_obligation(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, reason: str
) -> ObligationInFull:
    """The number that is to be called back, with a line in the trail. Raises `NotFound`."""
    its = await get_obligation(tx, runtime, caller, id)
    act, where = "obligation.opened", its.unit_code
    await trail.note(tx, runtime, caller, act=act, thing="obligation", thing_id=id, unit_code=where, reason=reason)
    return ObligationInFull(id=id, phone=await _opened(tx, runtime, its))


async def discharge(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, done: Discharge) -> Obligation:
    """Records that what was owed was done. Raises `NotFound`, `AlreadyDischarged`, `Unprocessable`."""
    if done.customer_id is not None:  # before what is owed, as whoever moves both does
        await hold_customer(tx, caller, done.customer_id, "/customer_id")
    its = await get_obligation(tx, runtime, caller, id, lock=True)
    now = runtime.clock.now()
    # The call may have been noted by a clock a little ahead of ours.
    at = max(now, its.called_at) if done.at is None else happened(done.at, now)
    if at < its.called_at:
        raise Unprocessable(before_the_call("/at"))
    if done.customer_id not in (None, its.customer_id):
        if its.customer_id is not None:
            raise Unprocessable(CALLER_KNOWN)
        its.customer_id = done.customer_id
    return await _end(tx, runtime, its, OWED[its.kind].how, done.words, caller, at, now)


async def waive(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, waiver: Waiver) -> Obligation:
    """Records why nothing is owed any more. Raises `NotFound`, `AlreadyDischarged`."""
    its = await get_obligation(tx, runtime, caller, id, lock=True)
    now = runtime.clock.now()
    return await _end(tx, runtime, its, "waived", waiver.reason, caller, now, now)


async def on_record(tx: AsyncSession, runtime: Runtime, visit: Visit) -> list[dict[str, Any]]:
    """What is archived of the calls in the course of a visit: no number, for the archive forgets none."""
    its = await repository.of_visit(tx, visit.id)
    await _show(tx, runtime, its)
    return [ObligationView.model_validate(each).model_dump(mode="json", exclude={"phone"}) for each in its]


async def unmet(tx: AsyncSession, runtime: Runtime, visit: Visit) -> list[Unmet]:
    """What is still owed in the course of a visit."""
    its = await repository.of_visit(tx, visit.id)
    return [Unmet(each.clause, each.kind) for each in its if each.state == "open"]


async def get_hours(tx: AsyncSession, caller: Principal, unit_code: str) -> dict[str, Any]:
    """When the office of a unit is open. Raises `NotFound`."""
    return await rulebooks.seen(tx, caller, unit_code, SUBJECT, hours.SHIPPED)


async def set_hours(
    tx: AsyncSession, runtime: Runtime, caller: Principal, unit_code: str, its: OfficeHours, unchanged: Unchanged
) -> dict[str, Any]:
    """Says when the office of a unit is open, from now on. Raises `NotFound`, `PreconditionFailed`, `Unprocessable`."""
    if faults := [*_faults(its)]:
        raise Unprocessable(*faults)
    content = its.model_dump(mode="json")
    return await rulebooks.decide(tx, runtime, caller, unit_code, SUBJECT, hours.SHIPPED, content, unchanged)


async def _end(
    tx: AsyncSession,
    runtime: Runtime,
    its: Obligation,
    how: How,
    words: str,
    caller: Principal,
    at: datetime,
    now: datetime,
) -> Obligation:
    if its.state == "done":
        raise AlreadyDischarged(discharged_at=its.discharged_at, how=its.how)
    for column, value in (await texts.kept(tx, runtime, Obligation, its.id, its.unit_code, {"words": words})).items():
        setattr(its, column, value)
    its.state, its.how, its.discharged_at, its.discharged_by = "done", how, at, caller.sub
    its.phone_sealed = None  # nobody is to be called back, and here it would stay for ever
    its.touch(now)
    await tx.flush()
    await _show(tx, runtime, [its])
    if its.visit_id is not None:
        # What is owed keeps a visit from its archive; and whoever hands over holds visits before what is owed.
        await came_late_to(tx, its.visit_id, "obligations", caller.sub, now, hold=False)
    return its


def _faults_of_caller(new: NewObligation) -> Iterator[FieldError]:
    if new.customer_id is None and new.phone is None:
        yield NO_CALLER
    if new.customer_id is None and new.visit_id is not None:
        yield NO_VISIT_OF_NOBODY
    if new.customer_id is not None and new.unit_code is not None:
        yield UNIT_OF_THE_CUSTOMER


async def _called(tx: AsyncSession, caller: Principal, new: NewObligation) -> str:
    """The unit that was called: the customer's, or what is said of a caller whom nobody knows. Raises
    `Unprocessable`."""
    refuse_mask(new.phone)
    if new.customer_id is not None:
        return (await hold_customer(tx, caller, new.customer_id, "/customer_id")).unit_code
    if (unit := new.unit_code or (caller.unit and await successor(tx, caller.unit))) is None:
        raise Unprocessable(NO_UNIT)
    await require_unit(tx, caller, unit)
    return unit


async def _digest(tx: AsyncSession, runtime: Runtime, new: NewObligation) -> bytes:
    """Of content that holds a telephone number a keyed one, also where an earlier version has to read all else."""
    return await (texts.digest if new.phone is None else keyed_digest)(tx, runtime, new)


async def _sealed(tx: AsyncSession, runtime: Runtime, unit_code: str, id: UUID, phone: str) -> bytes:
    return await runtime.vault.seal(tx, await top_unit(tx, unit_code), _phone_of(id), phone)


async def _opened(tx: AsyncSession, runtime: Runtime, its: Obligation) -> str | None:
    return None if its.phone_sealed is None else await runtime.vault.open(tx, _phone_of(its.id), its.phone_sealed)


def _phone_of(id: UUID) -> Place:
    return Place("obligations", "phone_sealed", id)


async def _show(tx: AsyncSession, runtime: Runtime, rows: Sequence[Obligation]) -> None:
    await texts.show(tx, runtime, rows)
    for its in rows:
        phone = await _opened(tx, runtime, its)
        its.show(phone and masked(phone))


def _faults(its: OfficeHours) -> Iterator[FieldError]:
    for place, shift in enumerate(its.week):
        if shift.closes <= shift.opens:
            yield closes_first(f"/week/{place}/closes")
    for place, day in enumerate(its.exceptions):
        both = day.opens is not None and day.closes is not None and day.opens < day.closes
        if not (both or (day.opens is None and day.closes is None)):
            yield closes_first(f"/exceptions/{place}/closes")


async def take_over(tx: AsyncSession, runtime: Runtime, caller: Principal, staff_no: str, to: str) -> int:
    """Has `to` owe what `staff_no` owes, where the caller sees it; how much that was. Raises `Unprocessable` for what
    `to` may not owe."""
    found = await repository.lock_open_of(tx, caller.unit, staff_no)
    for its in found:
        its.owner = await colleague(tx, its.unit_code, to, "/to_staff_no")
        its.touch(runtime.clock.now())
    return len(found)
