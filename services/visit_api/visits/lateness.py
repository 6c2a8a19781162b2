"""What is recorded of a visit after it was archived. Slices say that it came; the archive enters it by itself, a moment
later: none of them knows of the archive, and nothing that was brought is refused, or lost, because it was closed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from visit_api.visits.lifecycle import VisitState
from visit_api.visits.models import Late, Visit


async def came_late(tx: AsyncSession, visit: Visit, what: str, by: str, now: datetime) -> None:
    """Notes that something in the section `what` was recorded of a held visit, if that was after it was archived."""
    if visit.state == VisitState.ARCHIVED:
        tx.add(Late(id=new_id(), visit_id=visit.id, what=what, brought_by=by, recorded_at=now))
        await tx.flush()


async def came_late_to(
    tx: AsyncSession, visit_id: UUID, what: str, by: str, now: datetime, *, hold: bool = True
) -> None:
    """The same of a visit that is not held yet, whoever may see it. It is held from here on, so that whoever archives
    it at this moment either sees what was recorded, or is seen; but where it cannot be archived before that is done."""
    query = select(Visit).where(Visit.id == visit_id)
    query = query.with_for_update(read=True) if hold else query
    visit = await tx.scalar(query, execution_options={"populate_existing": True})
    if visit is not None:
        await came_late(tx, visit, what, by, now)
