"""HTTP of deliveries and of the local mailbox."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from chassis.web.auth import ADMIN, Asker, Caller, require
from chassis.web.etag import Match
from chassis.web.paging import CommonPaging, Listing, Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Code
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from notifier.deliveries import previewing, quieting, service
from notifier.deliveries.models import Delivery, QuietRule
from notifier.deliveries.schemas import (
    DeliveryView,
    MailView,
    QuietHoursBody,
    QuietHoursView,
    Retried,
    RetryMany,
    State,
)
from notifier.routes.schemas import Imagined, PreviewView

router = Router(prefix="/v1", tags=["deliveries"])
Admin = Annotated[Principal, Depends(require(ADMIN))]


@router.get("/deliveries", response_model=Page[DeliveryView])
async def list_deliveries(
    tx: Tx,
    caller: Caller,
    paging: Paging,
    appeal_id: Annotated[UUID | None, Query()] = None,
    event_id: Annotated[UUID | None, Query()] = None,
    recipient: Annotated[Code | None, Query()] = None,
    channel: Annotated[Code | None, Query()] = None,
    state: Annotated[State | None, Query()] = None,
) -> object:
    """The deliveries about what the caller may see: of its units, as raising or handling unit."""
    return await service.listed(
        tx, caller, paging, appeal_id=appeal_id, event_id=event_id, recipient=recipient, channel=channel, state=state
    )


@router.get("/deliveries/{id}", response_model=DeliveryView)
async def get_delivery(tx: Tx, caller: Caller, id: UUID) -> Delivery:
    """One delivery."""
    return await service.one(tx, caller, id)


@router.post("/deliveries/{id}/retry", response_model=DeliveryView)
async def retry_delivery(
    tx: Tx, runtime: TheRuntime, caller: Annotated[Principal, Depends(require("supervisor"))], id: UUID
) -> Delivery:
    """Queues a delivery that failed, is unknown or dead once more; of an unknown one the provider is asked first."""
    return await service.retry(tx, caller, id, runtime.clock.now())


@router.post("/deliveries/retry", response_model=Retried)
async def retry_deliveries(
    tx: Tx, runtime: TheRuntime, caller: Annotated[Principal, Depends(require("supervisor"))], which: RetryMany
) -> dict[str, object]:
    """Tries again many that failed, are unknown or dead, but not what the same person was told by a fallback since; by
    default it only counts them."""
    count, more, otherwise = await service.retry_many(tx, caller, which, runtime.clock.now())
    return {"count": count, "more": more, "arrived_otherwise": otherwise}


@router.post("/routes/preview", response_model=PreviewView)
async def preview_route(tx: Tx, runtime: TheRuntime, caller: Asker, body: Imagined) -> PreviewView:
    """Who would be told of an event, were it said now: whom, by which channel, when, and why."""
    return await previewing.preview(tx, caller, body, runtime.clock.now())


@router.get("/quiet-hours", response_model=Page[QuietHoursView])
async def list_quiet_hours(tx: Tx, caller: Caller, paging: CommonPaging) -> Listing[QuietRule]:
    """When nobody is sent anything, by kind of recipient and channel."""
    return await quieting.listed(tx, paging)


@router.get("/quiet-hours/{id}", response_model=QuietHoursView)
async def get_quiet_hours(tx: Tx, caller: Caller, id: Code) -> QuietRule:
    """One of them."""
    return await quieting.one(tx, id)


@router.put("/quiet-hours/{id}", response_model=QuietHoursView)
async def change_quiet_hours(
    tx: Tx,
    runtime: TheRuntime,
    caller: Admin,
    match: Match,
    id: Code,
    body: QuietHoursBody,
) -> QuietRule:
    """Sets them, by an admin of a top-level unit; what waits for their end is looked at anew, within minutes. Those of
    customers cover 21:00 to 08:00."""
    return await quieting.change(tx, caller, id, body, runtime.clock.now(), match.on(QuietHoursView))


@router.get("/mailbox", response_model=Page[MailView])
async def list_mailbox(
    tx: Tx, caller: Caller, paging: Paging, recipient: Annotated[Code | None, Query()] = None
) -> object:
    """Letters of the built-in mailbox: one's own, and those of which one may see all that they tell."""
    return await service.mails(tx, caller, paging, recipient)
