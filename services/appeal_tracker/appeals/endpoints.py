"""`/v1/appeals`: what is known of them, and what was done about the customer. The verbs are in `verbs`."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response
from msgspec.structs import asdict

from appeal_tracker.appeals import owning, posting, reaching, reading, searching, service
from appeal_tracker.appeals.bodies import NewAppeal, ReachMilestone, RecordAnswer, RecordContact
from appeal_tracker.appeals.lists import Wanted
from appeal_tracker.appeals.models import Appeal
from appeal_tracker.appeals.schemas import (
    APPEAL_COLUMNS,
    AnswerView,
    AppealView,
    ContactView,
    LoadView,
    MyAppealsView,
    PostedView,
    StateName,
    TimelineEntryView,
    WordsView,
    WorkloadView,
    appeal_row,
)
from appeal_tracker.clocks.schemas import DeadlineView
from appeal_tracker.sources.codes import CategoryName
from chassis.runtime import Runtime
from chassis.web.auth import Caller, require
from chassis.web.negotiation import wants
from chassis.web.paging import Listing, OrGone, Page, Paging, PlacePaging, WholePaging
from chassis.web.route import Router
from chassis.web.schemas import Code, Id, QueryInstant
from chassis.web.tables import MEDIA_TYPE, OR_TABLE, csv_stream
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx

router = Router(prefix="/v1", tags=["appeals"])
# Whoever may work on appeals at all; whose contact counts, and who may call back, the policy and the appeal decide.
Sender = Annotated[Principal, Depends(require("integration", "visitor", "handler"))]
Worker = Annotated[Principal, Depends(require("visitor", "handler", "callback", "supervisor"))]


@router.get("/appeals", response_model=Page[OrGone[AppealView]], responses=OR_TABLE)
async def list_appeals(
    caller: Caller,
    tx: Tx,
    runtime: TheRuntime,
    request: Request,
    window: Paging,
    state: StateName | None = None,
    open: Annotated[bool | None, Query(description="not closed, or closed")] = None,
    type: Annotated[Code | None, Query(description="the appeal type, also one that is not known here")] = None,
    category: CategoryName | None = None,
    source: Annotated[Code | None, Query(description="`visit`, or the system that sent it")] = None,
    unit: Annotated[Code | None, Query(description="raised or handled in this unit or below it")] = None,
    owner: Annotated[Code | None, Query(description="this handler's; the first-contact person's without one")] = None,
    supervised: Annotated[bool | None, Query(description="a supervisor watches over it")] = None,
    due_from: Annotated[QueryInstant | None, Query(description="a running clock is due then or later")] = None,
    due_before: Annotated[QueryInstant | None, Query(description="a running clock is due before then")] = None,
    appeal_no: Annotated[Code | None, Query(description="the number that it has here")] = None,
    source_no: Annotated[
        Code | None, Query(description="the number that it has in the system that sent it, which `source` names")
    ] = None,
    customer_id: Annotated[Id | None, Query(description="of those that are not hidden")] = None,
    words: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=100,
            pattern=r"[^\s\x00-\x1f]",  # else none of them is looked for, and all is found
            description="each of them, in what the customer said, unless that was in confidence",
        ),
    ] = None,
) -> Listing[Any] | Response:
    """The appeals you may see, filtered. A table has all of them, up to 100,000. A page of a search by words may be
    shorter than was asked for; it goes on as long as there is a `next`. A feed tells by id of those that went to units
    that you do not see, or out of `unit`."""
    wanted = Wanted(
        state=state,
        is_open=open,
        type=type,
        category=category,
        source=source,
        unit=unit,
        owner=owner,
        supervised=supervised,
        due_from=due_from,
        due_before=due_before,
        words=words,
        appeal_no=appeal_no,
        source_no=source_no,
        customer=customer_id,
    )
    found = await searching.listing(tx, runtime, caller, window, wanted)
    if wants(request, MEDIA_TYPE):
        return csv_stream("appeals", APPEAL_COLUMNS, _table(runtime, caller, wanted))
    return found


async def _table(runtime: Runtime, caller: Principal, wanted: Wanted) -> AsyncIterator[list[list[object]]]:
    async for rows in searching.table(runtime, caller, wanted):
        yield [appeal_row(row) for row in rows]


@router.post("/appeals", status_code=201, response_model=PostedView)
async def post_appeal(body: NewAppeal, caller: Sender, tx: Tx, runtime: TheRuntime) -> Any:
    """Open an appeal that a hotline or a marketing system took; sent again, it is answered as the first time."""
    return await posting.post(tx, runtime, caller, body)


@router.get("/my-day", response_model=MyAppealsView)
async def show_my_appeals(caller: Caller, tx: Tx, runtime: TheRuntime) -> owning.Day:
    """What you have to do about appeals by now; the visits of a day are at visit_api's `my-day`."""
    return await owning.my_day(tx, runtime, caller)


@router.get("/workload")
async def show_workload(
    caller: Caller,
    tx: Tx,
    runtime: TheRuntime,
    window: PlacePaging,
    unit_code: Annotated[Code | None, Query(description="this unit and those below it, instead of your own")] = None,
) -> WorkloadView:
    """What everybody has open of the appeals that are handled in your unit or below it."""
    shares = await owning.workload(tx, runtime, caller, window, unit_code)
    its = [{**asdict(share.load), "active": share.active, "present": share.present} for share in shares.items]
    return WorkloadView(as_of=runtime.clock.now(), items=[LoadView(**each) for each in its], next=shares.next)


@router.get("/appeals/{id}", response_model=AppealView)
async def show_appeal(id: Id, caller: Caller, tx: Tx) -> Appeal:
    """An appeal with its clocks."""
    return await service.show(tx, caller, id)


@router.get("/appeals/{id}/words")
async def read_words(id: Id, caller: Caller, tx: Tx, runtime: TheRuntime) -> WordsView:
    """What the customer said; whoever reads what was said in confidence leaves a trail."""
    return await reading.read(tx, runtime, caller, id)


@router.get("/appeals/{id}/timeline", response_model=Page[TimelineEntryView])
async def show_timeline(id: Id, caller: Caller, tx: Tx, runtime: TheRuntime, window: WholePaging) -> Listing[Any]:
    """What the tracker knows of an appeal, in the order it learned of it."""
    return await service.timeline(tx, runtime, caller, id, window)


@router.get("/appeals/{id}/deadlines")
async def show_deadlines(id: Id, caller: Caller, tx: Tx, window: WholePaging) -> Page[DeadlineView]:
    """The clocks of an appeal, the limits they were set by, and their ladders; a feed gives all of them when any may
    have changed."""
    its = await service.deadlines(tx, caller, id, window)
    return Page(items=[*map(DeadlineView.of, its.items)], next=its.next)


@router.get("/appeals/{id}/contacts", response_model=Page[ContactView])
async def list_contacts(id: Id, caller: Caller, tx: Tx, runtime: TheRuntime, window: WholePaging) -> Listing[Any]:
    """The recorded contacts and attempts, in the order of their true times."""
    return await service.contacts(tx, runtime, caller, id, window)


@router.post("/appeals/{id}/contacts", status_code=201, response_model=ContactView)
async def record_contact(id: Id, body: RecordContact, caller: Worker, tx: Tx, runtime: TheRuntime) -> Any:
    """Record a contact or an attempt; judged by its true time, whenever it is recorded."""
    return await service.contact(tx, runtime, caller, id, **body.model_dump())


@router.get("/appeals/{id}/answers", response_model=Page[AnswerView])
async def list_answers(id: Id, caller: Caller, tx: Tx, runtime: TheRuntime, window: WholePaging) -> Listing[Any]:
    """The recorded answers, in the order of their true times."""
    return await service.answers(tx, runtime, caller, id, window)


@router.post("/appeals/{id}/answers", status_code=201, response_model=AnswerView)
async def record_answer(id: Id, body: RecordAnswer, caller: Worker, tx: Tx, runtime: TheRuntime) -> Any:
    """Record an answer given to the customer, which is also a contact."""
    return await service.answer(tx, runtime, caller, id, **body.model_dump())


@router.post("/appeals/{id}/milestones", status_code=201, response_model=AppealView)
async def reach_milestone(id: Id, body: ReachMilestone, caller: Worker, tx: Tx, runtime: TheRuntime) -> Appeal:
    """Record that a milestone which the appeal's pack adds to the standards' own was reached."""
    return await reaching.reach(tx, runtime, caller, id, milestone=body.milestone, at=body.at, note=body.note)
