"""The archive over HTTP."""

from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request, Response
from starlette.responses import StreamingResponse

from chassis.runtime import Runtime
from chassis.web.answer import language_of
from chassis.web.auth import Caller, require
from chassis.web.etag import none_match
from chassis.web.files import file_headers
from chassis.web.negotiation import wants
from chassis.web.paging import CommonPaging, Listing, Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Code, Id, QueryInstant
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from visit_api.appeals.models import Type
from visit_api.archive import completing, exporting, page, service
from visit_api.archive.models import GapReason, Hold, Rule
from visit_api.archive.repository import Sought
from visit_api.archive.schemas import (
    ArchiveEntryView,
    ArchiveView,
    FullEntryView,
    GapReasonView,
    GapsView,
    HoldChange,
    HoldView,
    NewReason,
    NewRule,
    RetentionRuleView,
)
from visit_api.attachments.service import store_of
from visit_api.customers.models import Kind
from visit_api.visits.models import Visit
from visit_api.visits.schemas import Nothing, VisitView

router = Router(tags=["archive"])

Archivist = Annotated[Principal, Depends(require("visitor", "supervisor", "integration"))]
# What was said in confidence is in there too.
Reader = Annotated[Principal, Depends(require("supervisor"))]
Supervisor = Annotated[Principal, Depends(require("supervisor"))]

_NOTHING = Nothing()

HTML = "text/html"
Lang = Annotated[Literal["zh-CN", "en"] | None, Query(description="of the page; otherwise `Accept-Language` says it")]
_PAGE = {"description": "the archive, or with `Accept: text/html` the page", "content": {HTML: {"schema": {}}}}
_SHEET = {"description": "the page", "content": {HTML: {"schema": {}}}}
_ZIP: dict[int | str, dict[str, Any]] = {
    200: {"description": "the ZIP", "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
}


@router.post("/v1/visits/{id}/archive", response_model=VisitView)
async def archive_visit(id: Id, caller: Archivist, tx: Tx, runtime: TheRuntime, nothing: Nothing = _NOTHING) -> Visit:
    """Archives a completed visit whose appeals are closed; what is missing is listed by clause. What is asked of an
    ordinary visit and not there is archived as a gap."""
    return await service.archive_visit(tx, runtime, caller, id)


@router.get("/v1/visits/{id}/gaps", response_model=GapsView)
async def get_gaps(id: Id, caller: Caller, tx: Tx, runtime: TheRuntime) -> dict[str, Any]:
    """What the clauses ask for of a visit and is not there by now, and what keeps it from the archive."""
    return await completing.get_gaps(tx, runtime, caller, id)


@router.post("/v1/visits/{id}/gaps", status_code=201, response_model=GapReasonView)
async def explain_gap(id: Id, new: NewReason, caller: Supervisor, tx: Tx, runtime: TheRuntime) -> GapReason:
    """Says why something is not there; once the visit is archived, as a supplement."""
    return await service.explain_gap(tx, runtime, caller, id, new)


@router.post("/v1/visits/{id}/supplements", status_code=201, response_model=FullEntryView)
async def supplement_archive(
    id: Id, caller: Archivist, tx: Tx, runtime: TheRuntime, nothing: Nothing = _NOTHING
) -> dict[str, Any]:
    """Enters what was recorded of an archived visit since it was archived, such as a photo that came late. That is done
    by itself a moment later, too; where it was, that supplement is answered."""
    return await service.supplement(tx, runtime, caller, id)


async def _sought(
    unit_code: Annotated[Code | None, Query()] = None,
    filed_as: Annotated[Code | None, Query(description="form and channel: `ordinary.on_site`")] = None,
    customer_kind: Annotated[Kind | None, Query()] = None,
    appeal_type: Annotated[Type | None, Query()] = None,
    customer_id: Annotated[Id | None, Query()] = None,
    staff_no: Annotated[Code | None, Query(description="of a visitor")] = None,
    visited_from: Annotated[QueryInstant | None, Query()] = None,
    visited_before: Annotated[QueryInstant | None, Query()] = None,
) -> Sought:
    return Sought(unit_code, filed_as, customer_kind, appeal_type, customer_id, staff_no, visited_from, visited_before)


@router.get("/v1/archive", response_model=Page[ArchiveEntryView])
async def list_archive(
    caller: Reader,
    tx: Tx,
    runtime: TheRuntime,
    window: Paging,
    sought: Annotated[Sought, Depends(_sought)],
    words: Annotated[
        str | None, Query(min_length=1, max_length=100, description="all of which are in the record, in any place")
    ] = None,
) -> Listing[Any]:
    """What was entered, by its table of contents, in the order it was entered. A page may have fewer items than its
    limit, and others after it all the same: where very many were looked at that do not have the words."""
    return await service.find(tx, runtime, caller, window, sought, words)


@router.get("/v1/archive/{visit_id}", response_model=ArchiveView, responses={200: _PAGE})
async def get_archive(
    visit_id: Id, caller: Reader, tx: Tx, runtime: TheRuntime, request: Request, lang: Lang = None
) -> dict[str, Any] | Response:
    """All that is archived of a visit. With `Accept: text/html` a page in Chinese or English, with the signatures on
    it, which needs nothing else: it can be kept as a file and printed."""
    archive = await service.get_archive(tx, runtime, caller, visit_id)
    if not wants(request, HTML):
        return archive
    return await _page(runtime, ArchiveView.model_validate(archive).model_dump(mode="json"), request, lang)


@router.get("/v1/archive/{visit_id}/export", response_class=Response, responses=_ZIP)
async def export_archive(visit_id: Id, caller: Reader, tx: Tx, runtime: TheRuntime, request: Request) -> Response:
    """All that is archived of a visit as one ZIP: data, a page in both languages, the files, and the SHA-256 of each as
    it was archived, as `sha256sum -c` takes it. The same archive is always the same bytes."""
    tag, its = await service.export(tx, runtime, caller, visit_id)
    headers = {**file_headers(f"visit-{visit_id}.zip"), "ETag": f'"{tag}"'}
    if none_match(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers={name: headers[name] for name in ("ETag", "Cache-Control")})
    return StreamingResponse(its, headers=headers, media_type="application/zip")


@router.get("/v1/visits/{id}/sheet", response_class=Response, responses={200: _SHEET})
async def get_sheet(
    id: Id, caller: Caller, tx: Tx, runtime: TheRuntime, request: Request, lang: Lang = None
) -> Response:
    """A visit as it stands, as a page to be printed and signed: in Chinese or English, and needing nothing else."""
    return await _page(runtime, await service.get_sheet(tx, runtime, caller, id), request, lang)


@router.post("/v1/archive/{visit_id}/hold", response_model=HoldView)
async def hold_archive(visit_id: Id, change: HoldChange, caller: Supervisor, tx: Tx, runtime: TheRuntime) -> Hold:
    """Has a record be kept whatever its age: a legal hold."""
    return await service.hold(tx, runtime, caller, visit_id, change.reason, held=True)


@router.post("/v1/archive/{visit_id}/release", response_model=HoldView)
async def release_archive(visit_id: Id, change: HoldChange, caller: Supervisor, tx: Tx, runtime: TheRuntime) -> Hold:
    """Lifts a legal hold."""
    return await service.hold(tx, runtime, caller, visit_id, change.reason, held=False)


@router.post("/v1/units/{code}/archive-rules", status_code=201, response_model=RetentionRuleView)
async def adopt_rule(code: Code, new: NewRule, caller: Supervisor, tx: Tx, runtime: TheRuntime) -> Rule:
    """Has a unit, and those below it, demand from a day on all that the clauses ask for, or no longer."""
    return await completing.adopt(tx, runtime, caller, code, new)


@router.get("/v1/units/{code}/archive-rules", response_model=Page[RetentionRuleView])
async def list_rules(code: Code, caller: Caller, tx: Tx, window: CommonPaging) -> Listing[Rule]:
    """What a unit adopted so far."""
    return await completing.list_rules(tx, caller, code, window)


async def _page(runtime: Runtime, archive: dict[str, Any], request: Request, lang: str | None) -> Response:
    language = language_of(request.scope) if lang is None else "en" if lang == "en" else "zh"
    drawn = await exporting.signatures(store_of(runtime), archive)
    headers = {
        "Content-Security-Policy": f"{page.policy()}; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Content-Language": "en" if language == "en" else "zh-CN",
        "Vary": "Accept, Accept-Language",
    }
    return Response(page.render(archive, drawn, language), media_type=HTML, headers=headers)
