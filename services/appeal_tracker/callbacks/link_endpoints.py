"""`/v1/appeals/{id}/callback-links`: links by which customers say what they think."""

from typing import Annotated, Any

from fastapi import Depends, Response

from appeal_tracker.callbacks import links, sent_links
from appeal_tracker.callbacks.models import CallbackLink
from appeal_tracker.callbacks.schemas import CallbackLinkView, LinkForSend, MakeLink, SentLinkView
from chassis.web.auth import Caller, require
from chassis.web.paging import Listing, Page, WholePaging
from chassis.web.route import Router
from chassis.web.schemas import Id
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx

router = Router(prefix="/v1/appeals/{id}/callback-links", tags=["callbacks"])
CallingBack = Annotated[Principal, Depends(require("callback", "supervisor"))]
Service = Annotated[Principal, Depends(require("service"))]
HEADER = "Callback-Link"
_MADE = {"description": "the link", "headers": {HEADER: {"schema": {"type": "string"}, "description": "its path"}}}


@router.get("", response_model=Page[CallbackLinkView])
async def list_callback_links(id: Id, caller: Caller, tx: Tx, window: WholePaging) -> Listing[CallbackLink]:
    """The links that were made for an appeal, and whether they were used; where they lead is told once."""
    return await links.of_appeal(tx, caller, id, window)


@router.post("", status_code=201, response_model=CallbackLinkView, responses={201: _MADE})
async def make_callback_link(
    id: Id, body: MakeLink, caller: CallingBack, tx: Tx, runtime: TheRuntime, response: Response
) -> Any:
    """Make a link for an answered appeal, good for one answer of the customer. Its path stands in the header
    `Callback-Link`, and nowhere else: it is not kept, so a call repeated under its Idempotency-Key is answered without
    it."""
    link, token = await links.make(tx, runtime, caller, id, body.days)
    response.headers[HEADER] = f"/c/{token}"
    return link


@router.post("/for-send", response_model=SentLinkView)
async def make_link_for_send(
    id: Id, body: LinkForSend, caller: Service, tx: Tx, runtime: TheRuntime, response: Response
) -> sent_links.SentLink:
    """The link that goes with a send to the customer, for the service that sends it; asked again, the same one. Refused
    where the customer is not to be asked for a rating: then the message has no object any more."""
    made = await sent_links.for_send(tx, runtime, caller, id, body.send_id)
    response.headers["Cache-Control"] = "no-store"
    return made
