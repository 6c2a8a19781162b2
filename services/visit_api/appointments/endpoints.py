"""Appointments over HTTP."""

from typing import Annotated, Any

from fastapi import Depends

from chassis.web.auth import Caller, require
from chassis.web.paging import CommonPaging, Listing, Page
from chassis.web.route import Router
from chassis.web.schemas import Id
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from visit_api.appointments import service
from visit_api.appointments.models import Appointment
from visit_api.appointments.schemas import AppointmentEntryView, AppointmentView, NewAppointment, NoAppointment

router = Router(prefix="/v1/visits/{id}/appointment", tags=["appointments"])

Visiting = Annotated[Principal, Depends(require("visitor", "supervisor", "integration"))]


@router.get("", response_model=AppointmentView)
async def get_appointment(id: Id, caller: Caller, tx: Tx, runtime: TheRuntime) -> dict[str, Any]:
    """The window that the customer agreed to, as it stands, and the last word about it."""
    return await service.get_appointment(tx, runtime, caller, id)


@router.get("/history", response_model=Page[AppointmentEntryView])
async def list_appointments(
    id: Id, caller: Caller, tx: Tx, runtime: TheRuntime, window: CommonPaging
) -> Listing[Appointment]:
    """Every word with the customer about when they are visited, in order."""
    return await service.list_appointments(tx, runtime, caller, id, window)


@router.post("", status_code=201, response_model=AppointmentEntryView)
async def appoint_visit(id: Id, new: NewAppointment, caller: Visiting, tx: Tx, runtime: TheRuntime) -> Appointment:
    """Records that the customer agreed to a time; where one was agreed already, that it was moved."""
    return await service.appoint(tx, runtime, caller, id, new)


@router.post("/refuse", status_code=201, response_model=AppointmentEntryView)
async def refuse_appointment(id: Id, new: NoAppointment, caller: Visiting, tx: Tx, runtime: TheRuntime) -> Appointment:
    """Records that the customer does not want to be visited, or not at the time agreed."""
    return await service.give_up(tx, runtime, caller, id, new, refused=True)


@router.post("/cancel", status_code=201, response_model=AppointmentEntryView)
async def cancel_appointment(id: Id, new: NoAppointment, caller: Visiting, tx: Tx, runtime: TheRuntime) -> Appointment:
    """Calls off what was agreed; the visit stays planned."""
    return await service.give_up(tx, runtime, caller, id, new, refused=False)
