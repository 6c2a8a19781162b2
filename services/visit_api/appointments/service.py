"""What is agreed with customers about visits (T/SDPEA §6.1.3.1). Every word is kept; what holds now is on the visit."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.errors import Unprocessable
from chassis.web.moments import happened
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from contracts.visits import VisitAppointed, VisitUnappointed
from visit_api.appointments import repository
from visit_api.appointments.errors import (
    ENDS_BEFORE_IT_BEGINS,
    AppointedSince,
    AppointmentTaken,
    NoAppointmentStands,
)
from visit_api.appointments.models import Appointment, Kind, Side
from visit_api.appointments.schemas import AppointmentEntryView, NewAppointment, NoAppointment
from visit_api.base import New, add
from visit_api.texts import service as texts
from visit_api.visits.errors import no_place
from visit_api.visits.lifecycle import LIFE, Act
from visit_api.visits.models import Visit
from visit_api.visits.service import get_visit, lock_visit, require_possible

_SAID = Appointment.sealed_in["words_sealed"]


async def appoint(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    id: UUID,
    new: NewAppointment,
    *,
    late: bool = False,
    again: bool = False,
) -> Appointment:
    """Records what the customer agreed to, and tells the window; one that stands is moved. What comes `late` does not
    undo what was said after it. `again`: it was agreed of the visit that this one is made instead of, as it is.

    Raises `NotFound`, `ActRefused`, `AppointmentTaken`, `AppointedSince`, `Unprocessable`.
    """
    visit = await lock_visit(tx, caller, id)
    if found := await _same(tx, runtime, visit, new):
        return found
    require_possible(Act.APPOINT, visit)
    if new.window_to <= new.window_from:
        raise Unprocessable(ENDS_BEFORE_IT_BEGINS)
    if not again and visit.channel == "on_site" and new.place is None:
        raise Unprocessable(no_place("/place"), clause="6.1.3.1")
    await _require_last(tx, visit, new.at if late else None)
    kind: Kind = "agreed" if visit.window_from is None else "moved"
    entry = await _enter(tx, runtime, caller, visit, new, kind, new.asked_by, new.at)
    visit.window_from, visit.window_to = new.window_from, new.window_to
    visit.window_without_place = new.place is None
    told = VisitAppointed(
        visit_id=visit.id, unit_code=visit.unit_code, window_from=new.window_from, window_to=new.window_to
    )
    await runtime.outbox.append(tx, [told], at=entry.at)
    return entry


async def give_up(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    id: UUID,
    new: NoAppointment,
    *,
    refused: bool,
    late: bool = False,
) -> Appointment:
    """Records that the customer refused, whether or not they had agreed before, or that the company cancelled what was
    agreed; a window that stood stands no more. What comes `late` does not undo what was said after it.

    Raises `NotFound`, `ActRefused`, `AppointmentTaken`, `AppointedSince`, `NoAppointmentStands`, `Unprocessable`.
    """
    visit = await lock_visit(tx, caller, id)
    if found := await _same(tx, runtime, visit, new):
        return found
    require_possible(Act.APPOINT, visit)
    await _require_last(tx, visit, new.at if late else None)
    stood = visit.window_from is not None
    if not (stood or refused):
        raise NoAppointmentStands(clause=LIFE[Act.APPOINT].clause)
    kind: Kind = "refused" if refused else "cancelled"
    entry = await _enter(tx, runtime, caller, visit, new, kind, "customer" if refused else "company", new.at)
    visit.window_from = visit.window_to = None
    if stood:
        told = VisitUnappointed(visit_id=visit.id, unit_code=visit.unit_code, at=entry.at)
        await runtime.outbox.append(tx, [told], at=entry.at)
    return entry


async def get_appointment(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID) -> dict[str, Any]:
    """How the appointment of a visit stands. Raises `NotFound`."""
    visit = await get_visit(tx, caller, id)
    last = await repository.last(tx, id)
    if last is not None:
        await texts.show(tx, runtime, [last])
    return {"visit_id": id, "window_from": visit.window_from, "window_to": visit.window_to, "last": last}


async def list_appointments(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, window: Window
) -> Listing[Appointment]:
    """Every word with the customer about a visit. Raises `NotFound`."""
    await get_visit(tx, caller, id)
    found = await repository.find_all(tx, id, window)
    await texts.show(tx, runtime, found.items)
    return found


async def on_record(tx: AsyncSession, runtime: Runtime, visit: Visit) -> list[dict[str, Any]]:
    """What is archived of the appointments of a visit."""
    entries = await repository.of_visit(tx, visit.id)
    await texts.show(tx, runtime, entries)
    return [AppointmentEntryView.model_validate(entry).model_dump(mode="json") for entry in entries]


async def last_agreed(tx: AsyncSession, runtime: Runtime, visit: Visit) -> Appointment | None:
    """The word by which the window of a visit stands, if one does."""
    if visit.window_from is None:
        return None
    entries = await repository.of_visit(tx, visit.id)
    await texts.show(tx, runtime, entries)
    return next((entry for entry in reversed(entries) if entry.window_from == visit.window_from), None)


async def _require_last(tx: AsyncSession, visit: Visit, at: datetime | None) -> None:
    last = None if at is None else await repository.said_after(tx, visit.id, at)
    if last is not None:
        raise AppointedSince(last=last.id, at=last.at, clause=LIFE[Act.APPOINT].clause)


async def _same(tx: AsyncSession, runtime: Runtime, visit: Visit, new: New) -> Appointment | None:
    found = new.id and await repository.find(tx, visit.id, new.id)
    if not found:
        return None
    if not await texts.is_made_of(tx, runtime, found, new):
        raise AppointmentTaken(id=new.id)
    await texts.show(tx, runtime, [found])
    return found


async def _enter(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    visit: Visit,
    new: New,
    kind: Kind,
    asked_by: Side,
    at: datetime | None,
) -> Appointment:
    now = runtime.clock.now()
    at, its_id = happened(at or now, now), new.id or new_id()
    its = {"id": its_id, "visit_id": visit.id, "unit_code": visit.unit_code, "recorded_by": caller.sub}
    said = new.model_dump(include=set(_SAID))
    kept = await texts.kept(tx, runtime, Appointment, its_id, visit.unit_code, said)
    digest = await texts.digest(tx, runtime, new)
    its |= {**kept, "kind": kind, "asked_by": asked_by, "at": at, "content_digest": digest}
    entry = await add(tx, Appointment, new, now, **its)
    if entry is None:
        raise AppointmentTaken(id=new.id)
    await texts.show(tx, runtime, [entry])
    visit.touch(now)
    return entry
