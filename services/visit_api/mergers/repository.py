"""Queries of mergers; `unit` is always the caller's."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.scope import within
from chassis.web.paging import Listing, Window
from visit_api.directory.models import Unit
from visit_api.mergers.models import UnitMerger

_MOST = 20  # mergers that are looked at in one transaction
# The own transaction, and whether every one before another is over.
_OWN = text("SELECT pg_current_xact_id()::text::bigint")
_OVER = text("SELECT :xid <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint")


async def find(tx: AsyncSession, unit: str | None, id: UUID) -> UnitMerger | None:
    """The merger `id`, where the caller sees it."""
    query = select(UnitMerger).where(UnitMerger.id == id, within(Unit, unit, UnitMerger.unit_code))
    found: UnitMerger | None = await tx.scalar(query)
    return found


async def find_all(tx: AsyncSession, code: str, window: Window) -> Listing[UnitMerger]:
    """Those of a unit, in order."""
    its = or_(UnitMerger.unit_code == code, UnitMerger.into_code == code)
    return await window.fetch(tx, select(UnitMerger).where(its), UnitMerger)


async def undone(tx: AsyncSession) -> Sequence[UnitMerger]:
    """Some mergers by which not everything has moved, and that nobody else is at."""
    query = select(UnitMerger).where(UnitMerger.done_at.is_(None)).order_by(UnitMerger.id).limit(_MOST)
    return (await tx.scalars(query.with_for_update(skip_locked=True))).all()


async def is_known_to_all(tx: AsyncSession, merger: UnitMerger) -> bool:
    """Whether nobody can still be writing who did not see that the unit is closed, now that nothing of it is left."""
    if merger.emptied_xid is None:
        merger.emptied_xid = await tx.scalar(_OWN)
        return False
    return bool(await tx.scalar(_OVER, {"xid": merger.emptied_xid}))
