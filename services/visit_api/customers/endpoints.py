"""Customers over HTTP."""

from typing import Annotated

from fastapi import Depends, Query

from chassis.web.auth import Caller, require
from chassis.web.etag import Match
from chassis.web.paging import Gone, Listing, Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Code, Id
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from visit_api.customers import service
from visit_api.customers.models import Customer, Kind, Mark
from visit_api.customers.schemas import (
    CustomerChange,
    CustomerInFull,
    CustomerItem,
    CustomerView,
    NewCustomer,
    Number,
    Reason,
)

router = Router(prefix="/v1/customers", tags=["customers"])

Keeper = Annotated[Principal, Depends(require("visitor", "supervisor", "integration"))]
Reader = Annotated[Principal, Depends(require("visitor", "supervisor"))]


@router.post("", status_code=201, response_model=CustomerView)
async def add_customer(new: NewCustomer, caller: Keeper, tx: Tx, runtime: TheRuntime) -> Customer:
    """Makes a customer."""
    return await service.add_customer(tx, runtime, caller, new)


@router.get("", response_model=Page[CustomerItem])
async def list_customers(
    caller: Caller,
    tx: Tx,
    runtime: TheRuntime,
    window: Paging,
    unit_code: Annotated[Code | None, Query()] = None,
    kind: Annotated[Kind | None, Query()] = None,
    customer_no: Annotated[Number | None, Query()] = None,
    mark: Annotated[Mark | None, Query(description="what a customer of any kind is besides")] = None,
) -> Listing[Customer | Gone]:
    """The customers of the caller's unit and of those below it, or of the one that is named; a feed tells by id of
    those that were removed, and of those that went to other units, and tells the role `integration` what is personal in
    full: each page that it reads is kept in the trail, and each customer of a special group on it."""
    filters = {"unit_code": unit_code, "kind": kind, "customer_no": customer_no, "mark": mark}
    return await service.list_customers(tx, runtime, caller, window, **filters)


@router.get("/{id}", response_model=CustomerView)
async def get_customer(id: Id, caller: Caller, tx: Tx, runtime: TheRuntime) -> Customer:
    """One customer."""
    return await service.show_customer(tx, runtime, caller, id)


@router.get("/{id}/full", response_model=CustomerInFull)
async def open_customer(id: Id, caller: Reader, tx: Tx, runtime: TheRuntime, reason: Reason) -> CustomerInFull:
    """What is personal of a customer, unmasked; who asked, when and why is kept in the trail."""
    return await service.open_customer(tx, runtime, caller, id, reason)


@router.patch("/{id}", response_model=CustomerView)
async def change_customer(
    id: Id, change: CustomerChange, caller: Keeper, match: Match, tx: Tx, runtime: TheRuntime
) -> Customer:
    """Changes what is known of a customer; whether it is at risk a supervisor decides, and says why (§4.4.2)."""
    return await service.change_customer(tx, runtime, caller, id, change, match.on(CustomerView))
