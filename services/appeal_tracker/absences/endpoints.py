"""`/v1/absences`: who is away, and who stands in."""

from typing import Annotated

from fastapi import Depends, Query

from appeal_tracker.absences import service
from appeal_tracker.absences.models import Absence
from appeal_tracker.absences.schemas import AbsenceView, EndAbsence, RecordAbsence
from chassis.web.auth import Caller, require
from chassis.web.paging import Listing, Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Code, Id
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx

router = Router(prefix="/v1/absences", tags=["absences"])
Staff = Annotated[Principal, Depends(require("visitor", "handler", "callback", "supervisor"))]


@router.get("", response_model=Page[AbsenceView])
async def list_absences(
    caller: Caller,
    tx: Tx,
    window: Paging,
    staff_no: Annotated[Code | None, Query(description="of this person")] = None,
) -> Listing[Absence]:
    """The absences in your unit and those below it."""
    return await service.listing(tx, caller, window, staff_no)


@router.post("", status_code=201, response_model=AbsenceView)
async def record_absence(body: RecordAbsence, caller: Staff, tx: Tx, runtime: TheRuntime) -> Absence:
    """Record that you are away, or as a supervisor that somebody is, and who stands in: found when it is needed."""
    return await service.record(tx, runtime, caller, **body.model_dump())


@router.post("/{id}/end", response_model=AbsenceView)
async def end_absence(id: Id, body: EndAbsence, caller: Staff, tx: Tx, runtime: TheRuntime) -> Absence:
    """Say when somebody is back, or was."""
    return await service.end(tx, runtime, caller, id, until=body.until)
