"""Attachments over HTTP."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Request, Response

from chassis.web.auth import Caller, require
from chassis.web.errors import ServiceUnavailable
from chassis.web.files import FILE, file_response
from chassis.web.paging import Listing, Page, Paging
from chassis.web.route import FillingRoute, Handle, Router, UnitOfWorkRoute
from chassis.web.schemas import Id
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx, UnitOfWork, Work
from visit_api.attachments import giving_up, service
from visit_api.attachments.models import Attachment
from visit_api.attachments.schemas import AttachmentView, GivingUp, NewAttachment, UploadView
from visit_api.attachments.types import Type


class ExaminingRoute(UnitOfWorkRoute):
    """Has the bytes of an upload looked at before any transaction begins, also where an Idempotency-Key comes with the
    request: a hundred megabytes may take a slow disk longer than a transaction may last."""

    async def _answer(self, endpoint: Handle, request: Request, work: UnitOfWork) -> Response:
        request.state.found = None
        if (upload := _id_of(request)) is not None:
            request.state.found = await service.examine(request.app.state.runtime, request.state.principal, upload)
        return await super()._answer(endpoint, request, work)


router = Router(tags=["attachments"])
ends = Router(tags=["attachments"], route_class=ExaminingRoute)
parts = Router(tags=["attachments"], route_class=FillingRoute)

Uploader = Annotated[Principal, Depends(require("visitor", "supervisor", "integration"))]
# A picture or a voice is personal data: for those who work on the visit or on what was raised on it.
Reader = Annotated[Principal, Depends(require("visitor", "handler", "callback", "supervisor"))]


def _id_of(request: Request) -> UUID | None:
    try:
        return UUID(request.path_params["id"])
    except ValueError:  # the endpoint says so
        return None


async def _found(request: Request) -> Type | None:
    found: Type | None = request.state.found
    return found


Found = Annotated[Type | None, Depends(_found)]

_BYTES = {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}


@router.post("/v1/visits/{id}/attachments", status_code=201, response_model=AttachmentView)
async def declare_attachment(id: Id, new: NewAttachment, caller: Uploader, tx: Tx, runtime: TheRuntime) -> Attachment:
    """Declares a file of a visit; its bytes follow in parts."""
    return await service.declare(tx, runtime, caller, id, new)


@router.get("/v1/visits/{id}/attachments", response_model=Page[AttachmentView])
async def list_attachments(id: Id, caller: Caller, tx: Tx, runtime: TheRuntime, window: Paging) -> Listing[Attachment]:
    """The files of a visit, in the order they were declared."""
    return await service.list_attachments(tx, runtime, caller, id, window)


@router.get("/v1/attachments", response_model=Page[AttachmentView])
async def follow_attachments(caller: Caller, tx: Tx, runtime: TheRuntime, window: Paging) -> Listing[Attachment]:
    """The files of all visits of the caller's unit and of those below it, for whoever follows them."""
    return await service.list_attachments(tx, runtime, caller, None, window)


@router.get("/v1/attachments/{id}", response_model=UploadView)
async def get_attachment(id: Id, caller: Caller, tx: Tx, runtime: TheRuntime) -> dict[str, Any]:
    """A file of a visit, and the parts that have arrived while it is being uploaded: whoever goes on sends the rest."""
    return await service.get_upload(tx, runtime, caller, id)


@parts.put(
    "/v1/attachments/{id}/parts/{number}",
    response_model=UploadView,
    openapi_extra={"requestBody": _BYTES},
    max_body_size=service.PART_LIMIT,
)
async def put_part(
    id: Id,
    number: Annotated[int, Path(ge=1, le=service.MOST_PARTS)],
    caller: Uploader,
    work: Work,
    runtime: TheRuntime,
    request: Request,
) -> dict[str, Any]:
    """Takes part `number` of a file as it is sent, in any order; the parts make the file in the order of their
    numbers. The same part may be sent again."""
    return await service.put_part(work, runtime, caller, id, number, request.stream())


@ends.post("/v1/attachments/{id}/complete", response_model=AttachmentView)
async def complete_attachment(id: Id, caller: Uploader, tx: Tx, runtime: TheRuntime, found: Found) -> Attachment:
    """Ends an upload: the bytes are kept if their number, their SHA-256 and their type are what was declared."""
    return await service.complete(tx, runtime, caller, id, found)


@router.post("/v1/attachments/{id}/give-up", response_model=AttachmentView)
async def give_up_attachment(id: Id, why: GivingUp, caller: Uploader, tx: Tx, runtime: TheRuntime) -> Attachment:
    """Ends an upload whose bytes were refused or will not come, by whoever declared it or a supervisor: the visit waits
    for it no more, and why is on record."""
    return await giving_up.give_up(tx, runtime, caller, id, why.reason)


@router.get("/v1/attachments/{id}/content", response_class=Response, responses=FILE)
async def get_content(id: Id, caller: Reader, tx: Tx, runtime: TheRuntime, request: Request) -> Response:
    """The bytes of a file, to be saved; a range of them where a download is taken up again."""
    attachment = await service.get_stored(tx, runtime, caller, id)
    store = service.store_of(runtime)
    if not await store.exists(attachment.sha256):
        raise ServiceUnavailable
    return file_response(
        request,
        lambda start, end: store.open(attachment.sha256, start, end),
        name=attachment.name,
        media_type=attachment.media_type or "application/octet-stream",
        size=attachment.size,
        tag=attachment.sha256,
    )
