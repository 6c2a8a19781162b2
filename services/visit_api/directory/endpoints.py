"""Units and staff over HTTP."""

from typing import Annotated

from fastapi import Depends, Query

from chassis.web.auth import Caller, require
from chassis.web.etag import Match
from chassis.web.paging import Gone, Listing, OrGone, Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Code
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from visit_api.directory import repository, staff, units
from visit_api.directory.models import Staff, Unit
from visit_api.directory.schemas import Contact, NewStaff, NewUnit, StaffChange, StaffView, UnitChange, UnitView

router = Router(tags=["directory"])

Keeper = Annotated[Principal, Depends(require("admin"))]
Service = Annotated[Principal, Depends(require("service"))]


@router.post("/v1/units", status_code=201, response_model=UnitView)
async def add_unit(new: NewUnit, caller: Keeper, tx: Tx, runtime: TheRuntime) -> Unit:
    """Makes a unit: the caller's own, one below it, or one at the top."""
    return await units.add_unit(tx, runtime, caller, new)


@router.get("/v1/units", response_model=Page[UnitView])
async def list_units(
    caller: Caller, tx: Tx, window: Paging, parent_code: Annotated[Code | None, Query()] = None
) -> Listing[Unit]:
    """The caller's unit and those below it."""
    return await repository.list_units(tx, caller.unit, window, parent_code)


@router.get("/v1/units/{code}", response_model=UnitView)
async def get_unit(code: Code, caller: Caller, tx: Tx) -> Unit:
    """One unit."""
    return await units.get_unit(tx, caller, code)


@router.patch("/v1/units/{code}", response_model=UnitView)
async def change_unit(
    code: Code, change: UnitChange, caller: Keeper, match: Match, tx: Tx, runtime: TheRuntime
) -> Unit:
    """Renames a unit, or moves it with all below it."""
    return await units.change_unit(tx, runtime, caller, code, change, match.on(UnitView))


@router.post("/v1/staff", status_code=201, response_model=StaffView)
async def add_staff(new: NewStaff, caller: Keeper, tx: Tx, runtime: TheRuntime) -> Staff:
    """Makes a member of staff; the number is unique in the installation."""
    return await staff.add_staff(tx, runtime, caller, new)


@router.get("/v1/staff", response_model=Page[OrGone[StaffView]])
async def list_staff(
    caller: Caller,
    tx: Tx,
    runtime: TheRuntime,
    window: Paging,
    unit_code: Annotated[Code | None, Query()] = None,
    active: Annotated[bool | None, Query()] = None,
) -> Listing[Staff | Gone]:
    """The staff of the caller's unit and of those below it, or of the one that is named; a feed tells by id of those
    who went to other units."""
    return await staff.list_staff(tx, runtime, caller, window, unit_code, active)


@router.get("/v1/staff/{staff_no}", response_model=StaffView)
async def get_staff(staff_no: Code, caller: Caller, tx: Tx, runtime: TheRuntime) -> Staff:
    """One member of staff."""
    return await staff.show_staff(tx, runtime, caller, staff_no)


@router.patch("/v1/staff/{staff_no}", response_model=StaffView)
async def change_staff(
    staff_no: Code, change: StaffChange, caller: Keeper, match: Match, tx: Tx, runtime: TheRuntime
) -> Staff:
    """Changes what is known of a member of staff."""
    return await staff.change_staff(tx, runtime, caller, staff_no, change, match.on(StaffView))


@router.get("/v1/staff/{staff_no}/contact", response_model=Contact)
async def get_staff_contact(staff_no: Code, caller: Service, tx: Tx, runtime: TheRuntime) -> Staff:
    """Where to reach a member of staff, for a service that is about to send."""
    return await staff.show_staff(tx, runtime, caller, staff_no)
