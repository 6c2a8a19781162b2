"""Imports over HTTP."""

from functools import partial
from typing import Annotated, NamedTuple

from fastapi import Depends, Query, Request, Response

from chassis.web.auth import Caller, require
from chassis.web.paging import Listing, Page, Paging
from chassis.web.route import Handle, Router, UnitOfWorkRoute
from chassis.web.schemas import Id
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx, UnitOfWork
from visit_api.customers.models import Kind
from visit_api.directory.schemas import Roles
from visit_api.imports import service
from visit_api.imports.files import Received, folder_of, receive
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
Keeper = Annotated[Principal, Depends(require("admin", "integration"))]
SourceQuery = Annotated[SourceName | None, Query(description="the system it comes from; told by its columns if absent")]
KindQuery = Annotated[
    Kind, Query(description="of which kind new customers are whose line says neither that nor an importance")
]
RolesQuery = Annotated[Roles, Query(description="which roles new staff have whose line does not say it")]

_BYTES = {"schema": {"type": "string", "format": "binary"}}
_FILE = {
    "required": True,
    "content": {"text/csv": _BYTES, "application/x-ndjson": _BYTES, "application/octet-stream": _BYTES},
}


class Sent(NamedTuple):
    """What every file comes with."""

    received: Received
    content_type: str


async def _sent(request: Request) -> Sent:
    return Sent(request.state.received, request.headers.get("content-type", ""))


File = Annotated[Sent, Depends(_sent)]
TakesFile = partial(
    files.post,
    status_code=202,
    response_model=ImportView,
    openapi_extra={"requestBody": _FILE},
    max_body_size=service.LIMIT,
)


@TakesFile("/customers/import")
async def import_customers(
    caller: Importer,
    tx: Tx,
    runtime: TheRuntime,
    file: File,
    source: SourceQuery = None,
    kind: KindQuery = "other.ordinary",
) -> Import:
    """Takes a file of customers, CSV or NDJSON, in UTF-8 or GB18030, to be read in its turn. The same may be sent
    again: what is stored already stays as it is."""
    return await service.add_import(tx, runtime, caller, *file, service.Wanted("customers", source, kind))


@TakesFile("/units/import")
async def import_units(caller: Keeper, tx: Tx, runtime: TheRuntime, file: File, source: SourceQuery = None) -> Import:
    """The same of units; the one above a unit may come after it."""
    return await service.add_import(tx, runtime, caller, *file, service.Wanted("units", source))


@TakesFile("/staff/import")
async def import_staff(
    caller: Keeper,
    tx: Tx,
    runtime: TheRuntime,
    file: File,
    source: SourceQuery = None,
    role: RolesQuery = [],  # noqa: B006 - a query's default
) -> Import:
    """The same of staff; whoever is not in the file stays as they are."""
    return await service.add_import(tx, runtime, caller, *file, service.Wanted("staff", source, roles=role))


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
