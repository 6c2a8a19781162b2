"""`/v1/recalculations`, and the publishing of calendar versions, which starts one."""

from typing import Annotated

from fastapi import Depends, Query, Response

from appeal_tracker.calendars.schemas import CalendarId, NoticeDocument
from appeal_tracker.recalculations import service
from appeal_tracker.recalculations.models import Failure, Recalculation
from appeal_tracker.recalculations.previewing import Change
from appeal_tracker.recalculations.schemas import (
    ChangeView,
    FailureView,
    PreviewView,
    PublishedCalendar,
    Recalculate,
    RecalculationView,
)
from chassis.web.auth import ADMIN, require
from chassis.web.paging import MOST, Listing, Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Id
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx

router = Router(prefix="/v1", tags=["recalculations"])
Admin = Annotated[Principal, Depends(require(ADMIN))]
DryRun = Annotated[bool, Query(description="say what would come of it, and store nothing")]
Limit = Annotated[
    int, Query(ge=1, le=MOST, description="of a dry run: deadlines about, those that move together at once")
]
Cursor = Annotated[Id | None, Query(description="of a dry run: `next` of the page before")]


@router.post("/recalculations", status_code=201, responses={200: {"model": PreviewView, "description": "Dry run"}})
async def request_recalculation(
    body: Recalculate,
    caller: Admin,
    tx: Tx,
    runtime: TheRuntime,
    response: Response,
    dry_run: DryRun = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> RecalculationView | PreviewView:
    """Brings what is open to other rules, as a job, or says what that would move; refused where a version is laxer than
    what it extends, on a calendar that counts for any of it. By an admin of a top-level unit."""
    now = runtime.clock.now()
    job = await service.asked(tx, caller, now, **body.model_dump())
    if dry_run:
        response.status_code = 200
        return PreviewView.model_validate(await service.preview(tx, caller, job, now, cursor, limit))
    return RecalculationView.model_validate(await service.start(tx, job))


@router.get("/recalculations", response_model=Page[RecalculationView])
async def list_recalculations(caller: Admin, tx: Tx, paging: Paging) -> Listing[Recalculation]:
    """The recalculations of your unit and those below it, in the order in which they were asked for; for a top-level
    unit also those that belong to none."""
    return await service.listing(tx, caller, paging)


@router.get("/recalculations/{id}", response_model=RecalculationView)
async def show_recalculation(id: Id, caller: Admin, tx: Tx) -> Recalculation:
    """A recalculation, and how far it has come."""
    return await service.show(tx, caller, id)


@router.get("/recalculations/{id}/changes", response_model=Page[ChangeView])
async def list_recalculation_changes(id: Id, caller: Admin, tx: Tx, paging: Paging) -> Listing[Change]:
    """The deadlines that a recalculation has moved so far, of the appeals and visits that the caller may see."""
    return await service.changes(tx, caller, id, paging)


@router.get("/recalculations/{id}/failures", response_model=Page[FailureView])
async def list_recalculation_failures(id: Id, caller: Admin, tx: Tx, paging: Paging) -> Listing[Failure]:
    """What a recalculation could not do, of the appeals and visits that the caller may see, and why; all the rest is
    done."""
    return await service.failures(tx, caller, id, paging)


@router.post(
    "/calendars/{calendar}/versions",
    status_code=201,
    responses={200: {"model": PublishedCalendar, "description": "Dry run"}},
)
async def publish_calendar_version(
    calendar: CalendarId,
    body: NoticeDocument,
    caller: Admin,
    tx: Tx,
    runtime: TheRuntime,
    response: Response,
    dry_run: DryRun = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PublishedCalendar:
    """Publishes a year of a calendar, for good, and has every open clock that it touches calculated anew; or says which
    days would change and which deadlines move. By an admin of a top-level unit."""
    now = runtime.clock.now()
    its = await service.publish_calendar(tx, caller, calendar, body, now, dry_run=dry_run, after=cursor, most=limit)
    if dry_run:
        response.status_code = 200
    return PublishedCalendar.of(its)
