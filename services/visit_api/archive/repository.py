"""Queries of the archive; `unit` is always the caller's, None where a service sees all."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from chassis.scope import within
from chassis.web.paging import Listing, Window
from visit_api.archive.models import Entry
from visit_api.directory.models import Unit


async def find_all(tx: AsyncSession, unit: str | None, window: Window, unit_code: str | None) -> Listing[Entry]:
    """The entries that the caller sees, without what they hold."""
    query = select(Entry).where(within(Unit, unit, Entry.unit_code)).options(defer(Entry.record))
    if unit_code is not None:
        query = query.where(Entry.unit_code == unit_code)
    return await window.fetch(tx, query, Entry)


async def of_visit(tx: AsyncSession, unit: str | None, visit_id: UUID) -> Sequence[Entry]:
    """What is archived of a visit, where the caller sees it: its record, then the supplements as they came."""
    query = select(Entry).where(Entry.visit_id == visit_id, within(Unit, unit, Entry.unit_code))
    # The clocks of two processes may differ a little; the record is first all the same.
    return (await tx.scalars(query.order_by(Entry.kind != "record", Entry.updated_at, Entry.id))).all()
