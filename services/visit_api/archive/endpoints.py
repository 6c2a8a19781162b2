"""The archive over HTTP."""

from typing import Annotated, Any

from fastapi import Depends, Query

from chassis.web.auth import Caller, require
from chassis.web.paging import Listing, Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Code, Id
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from visit_api.archive import completing, repository, service
from visit_api.archive.models import Entry, GapReason, Hold, Rule
from visit_api.archive.schemas import (
    ArchiveView,
    EntryView,
    FullEntryView,
    GapsView,
    HoldChange,
    HoldView,
    NewReason,
    NewRule,
    ReasonView,
    RuleView,
)
from visit_api.visits.models import Visit
from visit_api.visits.schemas import Nothing, VisitView

router = Router(tags=["archive"])

Archivist = Annotated[Principal, Depends(require("visitor", "supervisor", "integration"))]
# What was said in confidence is in there too.
Reader = Annotated[Principal, Depends(require("supervisor"))]
Supervisor = Annotated[Principal, Depends(require("supervisor"))]

_NOTHING = Nothing()


@router.post("/v1/visits/{id}/archive", response_model=VisitView)
async def archive_visit(id: Id, caller: Archivist, tx: Tx, runtime: TheRuntime, nothing: Nothing = _NOTHING) -> Visit:
    """Archives a completed visit whose appeals are closed; what is missing is listed by clause. What is asked of an
    ordinary visit and not there is archived as a gap."""
    return await service.archive_visit(tx, runtime, caller, id)


@router.get("/v1/visits/{id}/gaps", response_model=GapsView)
async def get_gaps(id: Id, caller: Caller, tx: Tx) -> dict[str, Any]:
    """What the clauses ask for of a visit and is not there by now, and what keeps it from the archive."""
    return await completing.get_gaps(tx, caller, id)


@router.post("/v1/visits/{id}/gaps", status_code=201, response_model=ReasonView)
async def explain_gap(id: Id, new: NewReason, caller: Supervisor, tx: Tx, runtime: TheRuntime) -> GapReason:
    """Says why something is not there; once the visit is archived, as a supplement."""
    return await service.explain_gap(tx, runtime, caller, id, new)


@router.post("/v1/visits/{id}/supplements", status_code=201, response_model=FullEntryView)
async def supplement_archive(
    id: Id, caller: Archivist, tx: Tx, runtime: TheRuntime, nothing: Nothing = _NOTHING
) -> Entry:
    """Enters what was recorded of an archived visit since it was archived, such as a photo that came late."""
    return await service.supplement(tx, runtime, caller, id)


@router.get("/v1/archive", response_model=Page[EntryView])
async def list_archive(
    caller: Reader,
    tx: Tx,
    window: Paging,
    unit_code: Annotated[Code | None, Query()] = None,
    filed_as: Annotated[Code | None, Query(description="form and channel: `ordinary.on_site`")] = None,
) -> Listing[Entry]:
    """What was entered, by its table of contents, in the order it was entered."""
    return await repository.find_all(tx, caller.unit, window, unit_code=unit_code, filed_as=filed_as)


@router.get("/v1/archive/{visit_id}", response_model=ArchiveView)
async def get_archive(visit_id: Id, caller: Reader, tx: Tx) -> dict[str, Any]:
    """All that is archived of a visit."""
    return await service.get_archive(tx, caller, visit_id)


@router.post("/v1/archive/{visit_id}/hold", response_model=HoldView)
async def hold_archive(visit_id: Id, change: HoldChange, caller: Supervisor, tx: Tx, runtime: TheRuntime) -> Hold:
    """Has a record be kept whatever its age: a legal hold."""
    return await service.hold(tx, runtime, caller, visit_id, change.reason, held=True)


@router.post("/v1/archive/{visit_id}/release", response_model=HoldView)
async def release_archive(visit_id: Id, change: HoldChange, caller: Supervisor, tx: Tx, runtime: TheRuntime) -> Hold:
    """Lifts a legal hold."""
    return await service.hold(tx, runtime, caller, visit_id, change.reason, held=False)


@router.post("/v1/units/{code}/archive-rules", status_code=201, response_model=RuleView)
async def adopt_rule(code: Code, new: NewRule, caller: Supervisor, tx: Tx, runtime: TheRuntime) -> Rule:
    """Has a unit, and those below it, demand from a day on all that the clauses ask for, or no longer."""
    return await completing.adopt(tx, runtime, caller, code, new)


@router.get("/v1/units/{code}/archive-rules", response_model=Page[RuleView])
async def list_rules(code: Code, caller: Caller, tx: Tx, window: Paging) -> Listing[Rule]:
    """What a unit adopted so far."""
    return await completing.list_rules(tx, caller, code, window)
