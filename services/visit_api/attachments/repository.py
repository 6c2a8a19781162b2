"""Queries of attachments; `unit` is always the caller's, None where a service sees all."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.scope import listed_within, within
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from visit_api.attachments.models import Attachment, State
from visit_api.directory.models import Unit


async def find(tx: AsyncSession, unit: str | None, id: UUID) -> Attachment | None:
    """The attachment `id`, where the caller sees it."""
    query = select(Attachment).where(Attachment.id == id, within(Unit, unit, Attachment.unit_code))
    found: Attachment | None = await tx.scalar(query)
    return found


async def find_upload(tx: AsyncSession, caller: Principal, id: UUID, *, to_end: bool = False) -> Attachment | None:
    """The same for whoever brings its bytes: an upload is also theirs who declared it, wherever its visit is by now.
    `to_end` holds it for its end, and finds it for them when it is over, too: they may not have heard of that."""
    theirs = and_(Attachment.declared_by == caller.sub, true() if to_end else Attachment.state == "uploading")
    query = select(Attachment).where(Attachment.id == id, or_(within(Unit, caller.unit, Attachment.unit_code), theirs))
    found: Attachment | None = await tx.scalar(query.with_for_update(of=Attachment) if to_end else query)
    return found


async def find_all(tx: AsyncSession, unit: str | None, window: Window, visit_id: UUID | None) -> Listing[Attachment]:
    """The attachments of a visit, or of all that the caller sees."""
    query = select(Attachment).where(await listed_within(tx, Unit, unit, Attachment.unit_code))
    if visit_id is not None:
        query = query.where(Attachment.visit_id == visit_id)
    return await window.fetch(tx, query, Attachment)


async def of_visit(tx: AsyncSession, visit_id: UUID, state: State) -> Sequence[Attachment]:
    """The attachments of a visit that are in a state, in the order they were declared."""
    query = select(Attachment).where(Attachment.visit_id == visit_id, Attachment.state == state)
    return (await tx.scalars(query.order_by(Attachment.declared_at, Attachment.id))).all()


async def awaited(tx: AsyncSession, visit_id: UUID) -> Sequence[Attachment]:
    """The attachments of a visit that did not come, nor was it said why, in the order they were declared; those that
    were left lying too."""
    query = select(Attachment).where(Attachment.visit_id == visit_id)
    query = query.where(Attachment.state != "stored", Attachment.reason_sealed.is_(None))
    return (await tx.scalars(query.order_by(Attachment.declared_at, Attachment.id))).all()


async def count(tx: AsyncSession, visit_id: UUID) -> int:
    """How many attachments a visit has, those left out that were given up."""
    query = select(func.count()).where(Attachment.visit_id == visit_id, Attachment.state != "abandoned")
    return await tx.scalar(query) or 0


async def left_lying(tx: AsyncSession, older_than: timedelta, most: int) -> Sequence[Attachment]:
    """Uploads that were begun so long ago and never ended, held for a change."""
    query = select(Attachment).where(Attachment.state == "uploading", Attachment.opened_at < func.now() - older_than)
    query = query.order_by(Attachment.opened_at).limit(most).with_for_update(skip_locked=True)
    return (await tx.scalars(query)).all()


async def uploading(tx: AsyncSession, ids: Collection[UUID]) -> set[UUID]:
    """Those of `ids` that are still being uploaded."""
    query = select(Attachment.id).where(Attachment.id.in_(ids), Attachment.state == "uploading")
    return set(await tx.scalars(query))
