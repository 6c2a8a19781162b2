"""Obligations and office hours over HTTP."""

from typing import Annotated, Any

from fastapi import Depends, Query

from chassis.web.auth import Caller, require
from chassis.web.etag import Match
from chassis.web.paging import Listing, Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Code, Id
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from visit_api.customers.schemas import Reason
from visit_api.obligations import service
from visit_api.obligations.models import Obligation, State
from visit_api.obligations.owed import Kind
from visit_api.obligations.schemas import (
    Discharge,
    NewObligation,
    ObligationInFull,
    ObligationView,
    OfficeHours,
    OfficeHoursView,
    Waiver,
)

router = Router(tags=["obligations"])

Answering = Annotated[Principal, Depends(require("visitor", "handler", "callback", "supervisor", "integration"))]
# A number is personal data: for those who call back.
Calling = Annotated[Principal, Depends(require("visitor", "handler", "callback", "supervisor"))]
Supervisor = Annotated[Principal, Depends(require("supervisor"))]


@router.post("/v1/obligations", status_code=201, response_model=ObligationView)
async def owe(new: NewObligation, caller: Answering, tx: Tx, runtime: TheRuntime) -> Obligation:
    """Records a customer's call that was missed, came out of hours or could not be taken; it is owed until done."""
    return await service.owe(tx, runtime, caller, new)


@router.get("/v1/obligations", response_model=Page[ObligationView])
async def list_obligations(
    caller: Caller,
    tx: Tx,
    runtime: TheRuntime,
    window: Paging,
    state: Annotated[State | None, Query()] = None,
    kind: Annotated[Kind | None, Query()] = None,
    owner: Annotated[Code | None, Query()] = None,
    unit_code: Annotated[Code | None, Query()] = None,
    visit_id: Annotated[Id | None, Query()] = None,
) -> Listing[Obligation]:
    """What is owed to those who called the caller's unit and those below it, as the calls came."""
    wanted = {"state": state, "kind": kind, "owner": owner, "unit_code": unit_code, "visit_id": visit_id}
    return await service.list_obligations(tx, runtime, caller, window, **wanted)


@router.get("/v1/obligations/{id}", response_model=ObligationView)
async def get_obligation(id: Id, caller: Caller, tx: Tx, runtime: TheRuntime) -> Obligation:
    """One of them."""
    return await service.get_obligation(tx, runtime, caller, id)


@router.get("/v1/obligations/{id}/full", response_model=ObligationInFull)
async def open_obligation(id: Id, caller: Calling, tx: Tx, runtime: TheRuntime, reason: Reason) -> ObligationInFull:
    """The number that is to be called back, where one was named; who asked, when and why is kept in the trail."""
    return await service.open_obligation(tx, runtime, caller, id, reason)


@router.post("/v1/obligations/{id}/discharge", response_model=ObligationView)
async def discharge(id: Id, done: Discharge, caller: Answering, tx: Tx, runtime: TheRuntime) -> Obligation:
    """Records that a missed call was returned with its reason, a call out of hours was handled, or a text was sent."""
    return await service.discharge(tx, runtime, caller, id, done)


@router.post("/v1/obligations/{id}/waive", response_model=ObligationView)
async def waive(id: Id, waiver: Waiver, caller: Supervisor, tx: Tx, runtime: TheRuntime) -> Obligation:
    """Says why nothing is owed any more."""
    return await service.waive(tx, runtime, caller, id, waiver)


@router.get("/v1/units/{code}/office-hours", response_model=OfficeHoursView)
async def get_office_hours(code: Code, caller: Caller, tx: Tx) -> dict[str, Any]:
    """When the office of a unit is open, and which unit said so."""
    return await service.get_hours(tx, caller, code)


@router.put("/v1/units/{code}/office-hours", response_model=OfficeHoursView)
async def set_office_hours(
    code: Code, hours: OfficeHours, caller: Supervisor, match: Match, tx: Tx, runtime: TheRuntime
) -> dict[str, Any]:
    """Says when the office of a unit, and of those below it that say nothing, is open from now on."""
    return await service.set_hours(tx, runtime, caller, code, hours, match.on(OfficeHoursView))
