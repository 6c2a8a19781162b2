"""Imports over HTTP."""

from typing import Annotated

from fastapi import Depends, Query, Request, Response

from chassis.web.auth import Caller, require
from chassis.web.paging import Listing, Page, Paging
from chassis.web.route import Handle, Router, UnitOfWorkRoute
from chassis.web.schemas import Id
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx, UnitOfWork
from visit_api.customers.models import Kind
from visit_api.imports import service
from visit_api.imports.files import folder_of, receive
from visit_api.imports.mapping import SourceName
from visit_api.imports.models import Import, ImportFault
from visit_api.imports.schemas import FaultView, ImportView


class ReceivingRoute(UnitOfWorkRoute):
    """Has the body on disk, a chunk in memory at a time, before any transaction begins: it may come slowly."""

    async def _answer(self, endpoint: Handle, request: Request, work: UnitOfWork) -> Response:
        received = await receive(folder_of(request.app.state.runtime), request.stream())
        request.state.received = received
        request.state.body_digest = received.sha256.encode()
        try:
            return await super()._answer(endpoint, request, work)
        finally:
            received.path.unlink(missing_ok=True)  # one that was kept has another name


router = Router(prefix="/v1/imports", tags=["imports"])
files = Router(prefix="/v1", tags=["imports"], route_class=ReceivingRoute)

Importer = Annotated[Principal, Depends(require("supervisor", "integration"))]
SourceQuery = Annotated[SourceName | None, Query(description="the system it comes from; told by its columns if absent")]
KindQuery = Annotated[Kind, Query(description="of which kind new customers are whose line does not say it")]

_BYTES = {"schema": {"type": "string", "format": "binary"}}
_FILE = {
    "required": True,
    "content": {"text/csv": _BYTES, "application/x-ndjson": _BYTES, "application/octet-stream": _BYTES},
}


@files.post(
    "/customers/import",
    status_code=202,
    response_model=ImportView,
    openapi_extra={"requestBody": _FILE},
    max_body_size=service.LIMIT,
)
async def import_customers(
    caller: Importer,
    tx: Tx,
    runtime: TheRuntime,
    request: Request,
    source: SourceQuery = None,
    kind: KindQuery = "other.important",
) -> Import:
    """Takes a file of customers, CSV or NDJSON, in UTF-8 or GB18030, to be read in its turn. The same may be sent
    again: what is stored already stays as it is."""
    content_type = request.headers.get("content-type", "")
    return await service.add_import(tx, runtime, caller, request.state.received, content_type, source, kind)


@router.get("", response_model=Page[ImportView])
async def list_imports(caller: Caller, tx: Tx, window: Paging) -> Listing[Import]:
    """The files that were sent by the caller's unit and by those below it."""
    return await service.list_imports(tx, caller, window)


@router.get("/{id}", response_model=ImportView)
async def get_import(id: Id, caller: Caller, tx: Tx) -> Import:
    """A file, and how far it was read."""
    return await service.get_import(tx, caller, id)


@router.get("/{id}/faults", response_model=Page[FaultView])
async def list_faults(id: Id, caller: Caller, tx: Tx, window: Paging) -> Listing[ImportFault]:
    """The lines that were not taken, and why; all others were."""
    return await service.list_faults(tx, caller, id, window)
