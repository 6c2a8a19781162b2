"""Mergers over HTTP."""

from typing import Annotated

from fastapi import Depends

from chassis.web.auth import Caller, require
from chassis.web.paging import CommonPaging, Listing, Page
from chassis.web.route import Router
from chassis.web.schemas import Code
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from visit_api.mergers import service
from visit_api.mergers.models import UnitMerger
from visit_api.mergers.schemas import NewUnitMerger, UnitMergerView

router = Router(prefix="/v1/units", tags=["directory"])

Keeper = Annotated[Principal, Depends(require("admin"))]


@router.post("/{code}/merge", status_code=201, response_model=UnitMergerView)
async def merge_unit(code: Code, new: NewUnitMerger, caller: Keeper, tx: Tx, runtime: TheRuntime) -> UnitMerger:
    """Merges a unit into another of the same company: it is closed, and what it has open is the other's by and by."""
    return await service.merge(tx, runtime, caller, code, new)


@router.get("/{code}/mergers", response_model=Page[UnitMergerView])
async def list_unit_mergers(code: Code, caller: Caller, tx: Tx, window: CommonPaging) -> Listing[UnitMerger]:
    """What a unit merged into, and which merged into it."""
    return await service.list_mergers(tx, caller, code, window)
