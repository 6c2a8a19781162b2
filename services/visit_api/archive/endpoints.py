"""The archive over HTTP."""

from typing import Annotated, Any

from fastapi import Depends, Query

from chassis.web.auth import require
from chassis.web.paging import Listing, Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Code, Id
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from visit_api.archive import repository, service
from visit_api.archive.models import Entry
from visit_api.archive.schemas import ArchiveView, EntryView
from visit_api.visits.models import Visit
from visit_api.visits.schemas import Nothing, VisitView

router = Router(tags=["archive"])

Archivist = Annotated[Principal, Depends(require("visitor", "supervisor", "integration"))]
# What was said in confidence is in there too.
Reader = Annotated[Principal, Depends(require("supervisor"))]

_NOTHING = Nothing()


@router.post("/v1/visits/{id}/archive", response_model=VisitView)
async def archive_visit(id: Id, caller: Archivist, tx: Tx, runtime: TheRuntime, nothing: Nothing = _NOTHING) -> Visit:
    """Archives a completed visit whose appeals are closed; what is missing is listed by clause."""
    return await service.archive_visit(tx, runtime, caller, id)


@router.get("/v1/archive", response_model=Page[EntryView])
async def list_archive(
    caller: Reader, tx: Tx, window: Paging, unit_code: Annotated[Code | None, Query()] = None
) -> Listing[Entry]:
    """What was entered, by its table of contents, in the order it was entered."""
    return await repository.find_all(tx, caller.unit, window, unit_code)


@router.get("/v1/archive/{visit_id}", response_model=ArchiveView)
async def get_archive(visit_id: Id, caller: Reader, tx: Tx) -> dict[str, Any]:
    """All that is archived of a visit."""
    return await service.get_archive(tx, caller, visit_id)
