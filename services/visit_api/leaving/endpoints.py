"""Handing over over HTTP."""

from typing import Annotated

from fastapi import Depends

from chassis.web.auth import Caller, require
from chassis.web.paging import CommonPaging, Listing, Page
from chassis.web.route import Router
from chassis.web.schemas import Code
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from visit_api.leaving import service
from visit_api.leaving.models import StaffHandOver
from visit_api.leaving.schemas import NewHandOver, StaffHandOverView

router = Router(prefix="/v1/staff", tags=["directory"])

Keeper = Annotated[Principal, Depends(require("admin"))]


@router.post("/{staff_no}/hand-over", status_code=201, response_model=StaffHandOverView)
async def hand_over_staff(
    staff_no: Code, new: NewHandOver, caller: Keeper, tx: Tx, runtime: TheRuntime
) -> StaffHandOver:
    """Hands all open work of a member of staff over in one act: visits, obligations, measures, and open appeals."""
    return await service.hand_over(tx, runtime, caller, staff_no, new)


@router.get("/{staff_no}/hand-overs", response_model=Page[StaffHandOverView])
async def list_staff_hand_overs(
    staff_no: Code, caller: Caller, tx: Tx, runtime: TheRuntime, window: CommonPaging
) -> Listing[StaffHandOver]:
    """To whom the open work of a member of staff went."""
    return await service.list_hand_overs(tx, runtime, caller, staff_no, window)
