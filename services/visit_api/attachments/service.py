"""What is done with attachments: declared, uploaded in parts, completed, read.

Bytes come slowly and files are read long: no transaction is open while they move.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import after_commit
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.errors import NotFound, Unprocessable
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from chassis.web.work import UnitOfWork
from visit_api.attachments import errors, repository, types
from visit_api.attachments.giving_up import show
from visit_api.attachments.models import Attachment
from visit_api.attachments.schemas import AttachmentView, NewAttachment
from visit_api.attachments.store import Store, Whole
from visit_api.attachments.store import store_of as store_of
from visit_api.base import add
from visit_api.settings import Settings
from visit_api.texts import service as texts
from visit_api.visits.lateness import came_late_to
from visit_api.visits.lifecycle import Unmet
from visit_api.visits.models import Visit
from visit_api.visits.service import get_visit, lock_visit

PART_LIMIT = 4 << 20  # bytes of a part: what is held in memory for each that arrives
MOST_PARTS = 10_000


async def declare(
    tx: AsyncSession, runtime: Runtime, caller: Principal, visit_id: UUID, new: NewAttachment
) -> Attachment:
    """Begins the upload of a file of a visit, whatever state the visit is in: a device may have been away for days.

    Raises `NotFound`, `AttachmentTaken`, `TooManyAttachments`, `Unprocessable` for one that is too large.
    """
    visit = await lock_visit(tx, caller, visit_id)  # so that two at once do not pass the limit together
    found = new.id and await repository.find(tx, caller.unit, new.id)
    if not found:
        settings, now = _settings(runtime), runtime.clock.now()
        if new.size > settings.attachment_limit:
            raise errors.too_large(settings.attachment_limit)
        if await repository.count(tx, visit_id) >= settings.attachments_per_visit:
            raise errors.TooManyAttachments(limit=settings.attachments_per_visit)
        id = new.id or new_id()  # noqa: A001
        its = {"id": id, "visit_id": visit.id, "unit_code": visit.unit_code}
        state = {"state": "uploading", "declared_by": caller.sub, "declared_at": now}
        name = {"name": types.harmless(new.name)}
        its |= await texts.kept(tx, runtime, Attachment, id, visit.unit_code, name)
        digest = await texts.digest(tx, runtime, new)
        attachment = await add(tx, Attachment, new, now, **its, **state, content_digest=digest)
        if attachment is not None:
            await texts.show(tx, runtime, [attachment])
            return attachment
        found = new.id and await repository.find(tx, caller.unit, new.id)
    if not found or found.visit_id != visit_id or not await texts.is_made_of(tx, runtime, found, new):
        raise errors.AttachmentTaken(id=new.id)
    await show(tx, runtime, [found])
    return found


async def list_attachments(
    tx: AsyncSession, runtime: Runtime, caller: Principal, visit_id: UUID | None, window: Window
) -> Listing[Attachment]:
    """The attachments of a visit, or of all that the caller sees. Raises `NotFound`."""
    if visit_id is not None:
        await get_visit(tx, caller, visit_id)
    found = await repository.find_all(tx, caller.unit, window, visit_id)
    await show(tx, runtime, found.items)
    return found


async def get_stored(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID) -> Attachment:
    """The attachment `id`, whose bytes are kept. Raises `NotFound`, `NotStored`."""
    attachment = await repository.find(tx, caller.unit, id)
    if attachment is None:
        raise NotFound
    if attachment.state != "stored":
        raise errors.NotStored(state=attachment.state)
    await texts.show(tx, runtime, [attachment])
    return attachment


async def get_upload(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID) -> dict[str, Any]:
    """The attachment `id` and the parts of it that have arrived. Raises `NotFound`."""
    attachment = await _get_upload(tx, runtime, caller, id)
    parts = await store_of(runtime).parts(id) if attachment.state == "uploading" else {}
    return _as_upload(attachment, parts)


async def put_part(
    work: UnitOfWork, runtime: Runtime, caller: Principal, id: UUID, number: int, body: AsyncIterator[bytes]
) -> dict[str, Any]:
    """Stores a part; the same again changes nothing, another one takes its place.

    Raises `NotFound`, `UploadOver`, `MoreThanDeclared`, `TooLarge`, `Unprocessable` where there are no bytes.
    """
    async with work.aside() as tx:
        attachment = await _get_upload(tx, runtime, caller, id)
    if attachment.state != "uploading":
        raise errors.UploadOver(state=attachment.state)
    data = b"".join([chunk async for chunk in body])
    if not data:
        raise Unprocessable(errors.EMPTY_PART)
    store = store_of(runtime)
    there = await store.parts(id)
    if sum(size for other, size in there.items() if other != number) + len(data) > attachment.size:
        raise errors.MoreThanDeclared(size=attachment.size)
    await store.put_part(id, number, data)
    return _as_upload(attachment, await store.parts(id))


async def examine(runtime: Runtime, caller: Principal, id: UUID) -> types.Type | None:
    """Keeps the bytes of an open upload, which may take long, if they are what was declared, and says what they are;
    None where there is none that is open. Raises `UploadIncomplete`, `ContentRefused`, and keeps nothing then.
    """
    store, attachment = store_of(runtime), await _find_open(runtime, caller, id)
    if attachment is None:
        return None
    try:
        return await _keep(store, attachment)
    except (errors.UploadIncomplete, errors.ContentRefused) as refused:
        if await _find_open(runtime, caller, id) is None:  # a twin has ended it, and cleared away
            return None
        if isinstance(refused, errors.ContentRefused):
            store.discard(id)
        raise


async def complete(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, its: types.Type | None
) -> Attachment:
    """Ends the upload whose bytes were found to be `its`, or shows the one that is stored already.

    Raises `NotFound`, `UploadOver`.
    """
    held = await repository.find_upload(tx, caller, id, to_end=True)
    if held is None:
        raise NotFound
    await texts.show(tx, runtime, [held])
    if its is not None and held.state == "uploading":
        held.state, held.media_type, held.stored_at = "stored", its.media_type, runtime.clock.now()
        held.touch(held.stored_at)
        await texts.put(tx, runtime, held, name=types.with_ending(held.name, its))
        await came_late_to(tx, held.visit_id, "attachments", caller.sub, held.stored_at)
        after_commit(tx, partial(store_of(runtime).discard, id))
    if held.state != "stored":
        raise errors.UploadOver(state=held.state)
    return held


async def sweep(tx: AsyncSession, runtime: Runtime, most: int = 100) -> int:
    """Gives up the uploads that nobody ended; returns how many. Their visits lack them as before: nobody has said why
    they did not come."""
    store = store_of(runtime)
    lying = await repository.left_lying(tx, _settings(runtime).upload_kept_for, most)
    for attachment in lying:
        attachment.state, attachment.given_up_at = "abandoned", runtime.clock.now()
        attachment.touch(attachment.given_up_at)
        after_commit(tx, partial(store.discard, attachment.id))
    return len(lying)


async def sweep_parts(tx: AsyncSession, runtime: Runtime) -> None:
    """Forgets parts that belong to no upload any more: what a crash left between a commit and the clearing away."""
    store = store_of(runtime)
    there = await store.uploads()
    for over in set(there) - await repository.uploading(tx, there):
        store.discard(over)


async def on_record(tx: AsyncSession, runtime: Runtime, visit: Visit) -> list[dict[str, Any]]:
    """What is archived of the attachments of a visit: each with the SHA-256 by which its bytes are found."""
    stored = await repository.of_visit(tx, visit.id, "stored")
    await texts.show(tx, runtime, stored)
    return [AttachmentView.model_validate(each).model_dump(mode="json") for each in stored]


async def unmet(tx: AsyncSession, runtime: Runtime, visit: Visit) -> list[Unmet]:
    """Files that were declared and have not arrived, until somebody says why not (§7.2.6: complete)."""
    return [Unmet("7.2.6", _awaited(each)) for each in await repository.awaited(tx, visit.id)]


async def names_of_unmet(tx: AsyncSession, runtime: Runtime, visit: Visit) -> dict[str, dict[str, str]]:
    """The names of those files, by what is unmet."""
    waiting = await repository.awaited(tx, visit.id)
    await texts.show(tx, runtime, waiting)
    return {_awaited(each): {"attachment_id": str(each.id), "name": each.name} for each in waiting}


def _awaited(attachment: Attachment) -> str:
    return f"attachment_uploaded:{attachment.id}"


async def _get_upload(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID) -> Attachment:
    attachment = await repository.find_upload(tx, caller, id)
    if attachment is None:
        raise NotFound
    await show(tx, runtime, [attachment])
    return attachment


async def _find_open(runtime: Runtime, caller: Principal, id: UUID) -> Attachment | None:
    async with runtime.db.request() as tx:
        attachment = await repository.find_upload(tx, caller, id)
        if attachment is None or attachment.state != "uploading":
            return None
        await texts.show(tx, runtime, [attachment])
    return attachment


async def _keep(store: Store, attachment: Attachment) -> types.Type:
    """Keeps what has arrived, and says what it is. Raises `UploadIncomplete`, `ContentRefused`."""
    parts = await store.parts(attachment.id)
    if (received := sum(parts.values())) < attachment.size:
        raise errors.UploadIncomplete(received=received, size=attachment.size, parts=list(parts))
    try:
        whole = await store.assemble(attachment.id)
        its = await asyncio.to_thread(_examined, whole, attachment)
        await store.keep(whole)
    except FileNotFoundError as error:  # cleared away meanwhile
        raise errors.UploadIncomplete(received=0, size=attachment.size, parts=[]) from error
    return its


def _examined(whole: Whole, attachment: Attachment) -> types.Type:
    """What an upload was found to be. Raises `ContentRefused`."""
    if whole.sha256 != attachment.sha256:
        raise errors.hash_differs()
    its = types.sniff(whole.path, attachment.name)
    if its is None or attachment.kind not in its.kinds:
        raise errors.not_allowed(attachment.kind)
    if not types.fits(attachment.name, its):
        raise errors.mislabelled(its.media_type)
    if not types.is_sound(whole.path, its):
        raise errors.unsound()
    return its


def _as_upload(attachment: Attachment, parts: Mapping[int, int]) -> dict[str, Any]:
    shown = AttachmentView.model_validate(attachment).model_dump()
    arrived = [{"number": number, "size": size} for number, size in parts.items()]
    return {**shown, "part_limit": PART_LIMIT, "parts": arrived}


def _settings(runtime: Runtime) -> Settings:
    assert isinstance(runtime.settings, Settings)
    return runtime.settings
