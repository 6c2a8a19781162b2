"""Imports over HTTP."""

from functools import partial
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, Query, Request, Response

from chassis.web.auth import Caller, require
from chassis.web.etag import Match
from chassis.web.paging import CommonPaging, Listing, Page, Paging
from chassis.web.route import Handle, Router, UnitOfWorkRoute
from chassis.web.schemas import Code, Id, Text
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx, UnitOfWork
from visit_api.customers.models import Kind
from visit_api.directory.schemas import Roles
from visit_api.imports import believing, service
from visit_api.imports.files import Received, folder_of, receive
from visit_api.imports.mapping import SourceName
from visit_api.imports.models import Import, ImportFault
from visit_api.imports.schemas import FaultView, ImportView, SaidByAll, SourceRules, SourceRulesView


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
about = Router(prefix="/v1", tags=["imports"])
files = Router(prefix="/v1", tags=["imports"], route_class=ReceivingRoute)

Importer = Annotated[Principal, Depends(require("supervisor", "integration"))]
Keeper = Annotated[Principal, Depends(require("admin", "integration"))]
Admin = Annotated[Principal, Depends(require("admin"))]
Reader = Annotated[Principal, Depends(require("visitor", "supervisor"))]
OptionalReason = Annotated[Annotated[str, Text(200)] | None, Query(description="why what is personal has to be read")]
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
async def list_faults(id: Id, caller: Caller, tx: Tx, window: CommonPaging) -> Listing[ImportFault]:
    """The lines that were not taken, and why; all others were."""
    return await service.list_faults(tx, caller, id, window)


@about.get("/customers/{id}/sources", response_model=SaidByAll)
async def get_sources(id: Id, caller: Reader, tx: Tx, runtime: TheRuntime, reason: OptionalReason = None) -> SaidByAll:
    """What each marketing system says of a customer of whom several speak: what does not count is kept too. With a
    reason it is told in full, and noted in the trail."""
    return await believing.said_by_all(tx, runtime, caller, id, reason)


@about.get("/units/{code}/source-rules", response_model=SourceRulesView)
async def get_source_rules(code: Code, caller: Caller, tx: Tx) -> dict[str, Any]:
    """Which system's word counts in a unit, field by field, and which unit said so."""
    return await believing.get_rules(tx, caller, code)


@about.put("/units/{code}/source-rules", response_model=SourceRulesView)
async def set_source_rules(
    code: Code, rules: SourceRules, caller: Admin, match: Match, tx: Tx, runtime: TheRuntime
) -> dict[str, Any]:
    """Says which system's word counts in a unit, and in those below it that say nothing: of a customer when a line
    about it comes again."""
    return await believing.set_rules(tx, runtime, caller, code, rules, match.on(SourceRulesView))
