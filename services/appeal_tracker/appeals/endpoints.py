"""`/v1/appeals`: what is known of them, and what was done about the customer. The verbs are in `verbs`."""

from typing import Annotated, Any

from fastapi import Depends, Query

from appeal_tracker.appeals import reaching, service
from appeal_tracker.appeals.models import Answer, Appeal, Contact, TimelineEntry
from appeal_tracker.appeals.schemas import (
    AnswerView,
    AppealView,
    ContactView,
    ReachMilestone,
    RecordAnswer,
    RecordContact,
    StateName,
    TimelineEntryView,
)
from appeal_tracker.clocks.schemas import DeadlineView
from chassis.web.auth import Caller, require
from chassis.web.paging import Listing, Page, Paging, WholePaging
from chassis.web.route import Router
from chassis.web.schemas import Code, Id, QueryInstant
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx

router = Router(prefix="/v1", tags=["appeals"])
# Whoever may work on appeals at all; whose contact counts, and who may call back, the policy and the appeal decide.
Worker = Annotated[Principal, Depends(require("visitor", "handler", "callback", "supervisor"))]


@router.get("/appeals", response_model=Page[AppealView])
async def list_appeals(
    caller: Caller,
    tx: Tx,
    window: Paging,
    state: StateName | None = None,
    type: Annotated[Code | None, Query(description="the appeal type, also one that is not known here")] = None,
    unit: Annotated[Code | None, Query(description="raised or handled in this unit or below it")] = None,
    due_from: Annotated[QueryInstant | None, Query(description="a running clock is due then or later")] = None,
    due_before: Annotated[QueryInstant | None, Query(description="a running clock is due before then")] = None,
) -> Listing[Appeal]:
    """The appeals you may see, filtered."""
    filters = {"within_unit": unit, "state": state, "type": type, "due_from": due_from, "due_before": due_before}
    return await service.listing(tx, caller, window, **filters)


@router.get("/appeals/{id}", response_model=AppealView)
async def show_appeal(id: Id, caller: Caller, tx: Tx) -> Appeal:
    """An appeal with its clocks."""
    return await service.show(tx, caller, id)


@router.get("/appeals/{id}/timeline", response_model=Page[TimelineEntryView])
async def show_timeline(id: Id, caller: Caller, tx: Tx, window: WholePaging) -> Listing[TimelineEntry]:
    """What the tracker knows of an appeal, in the order it learned of it."""
    return await service.timeline(tx, caller, id, window)


@router.get("/appeals/{id}/deadlines")
async def show_deadlines(id: Id, caller: Caller, tx: Tx, window: WholePaging) -> Page[DeadlineView]:
    """The clocks of an appeal, the limits they were set by, and their ladders; a feed gives all of them when any may
    have changed."""
    its = await service.deadlines(tx, caller, id, window)
    return Page(items=[*map(DeadlineView.of, its.items)], next=its.next)


@router.get("/appeals/{id}/contacts", response_model=Page[ContactView])
async def list_contacts(id: Id, caller: Caller, tx: Tx, window: WholePaging) -> Listing[Any]:
    """The recorded contacts and attempts, in the order of their true times."""
    return await service.contacts(tx, caller, id, window)


@router.post("/appeals/{id}/contacts", status_code=201, response_model=ContactView)
async def record_contact(id: Id, body: RecordContact, caller: Worker, tx: Tx, runtime: TheRuntime) -> Contact:
    """Record a contact or an attempt; judged by its true time, whenever it is recorded."""
    return await service.contact(tx, runtime, caller, id, **body.model_dump())


@router.get("/appeals/{id}/answers", response_model=Page[AnswerView])
async def list_answers(id: Id, caller: Caller, tx: Tx, window: WholePaging) -> Listing[Any]:
    """The recorded answers, in the order of their true times."""
    return await service.answers(tx, caller, id, window)


@router.post("/appeals/{id}/answers", status_code=201, response_model=AnswerView)
async def record_answer(id: Id, body: RecordAnswer, caller: Worker, tx: Tx, runtime: TheRuntime) -> Answer:
    """Record an answer given to the customer, which is also a contact."""
    return await service.answer(tx, runtime, caller, id, **body.model_dump())


@router.post("/appeals/{id}/milestones", status_code=201, response_model=AppealView)
async def reach_milestone(id: Id, body: ReachMilestone, caller: Worker, tx: Tx, runtime: TheRuntime) -> Appeal:
    """Record that a milestone which the appeal's pack adds to the standards' own was reached."""
    return await reaching.reach(tx, runtime, caller, id, milestone=body.milestone, at=body.at, note=body.note)
