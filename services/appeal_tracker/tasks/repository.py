"""SQL of the callback tasks."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from appeal_tracker.clocks.models import Clock
from appeal_tracker.tasks.models import CallbackTask, TaskState


async def of_appeals(tx: AsyncSession, appeals: Collection[UUID]) -> Sequence[CallbackTask]:
    """The open tasks of locked appeals, locked too."""
    query = select(CallbackTask).where(CallbackTask.appeal_id.in_(appeals), CallbackTask.state == TaskState.OPEN)
    return (await tx.scalars(query.order_by(CallbackTask.id).with_for_update(of=CallbackTask))).all()


async def to_do_by(tx: AsyncSession, person: str, opened_by: datetime, after: UUID | None, most: int) -> Sequence[UUID]:
    """Some appeals about which somebody has a task of those opened by then, in their order."""
    theirs = (CallbackTask.person == person, text("state = 'open'"), CallbackTask.opened_at <= opened_by)
    query = select(CallbackTask.appeal_id).distinct().where(*theirs)
    query = query.where(CallbackTask.appeal_id > after) if after is not None else query
    return (await tx.scalars(query.order_by(CallbackTask.appeal_id).limit(most))).all()


def listed(
    *,
    person: str | None = None,
    state: str | None = None,
    kind: str | None = None,
    due_from: datetime | None = None,
    due_before: datetime | None = None,
) -> Select[CallbackTask]:
    """The tasks, filtered: due by their clock, or where they have none by when they are scheduled."""
    query = select(CallbackTask).options(selectinload(CallbackTask.clock))
    if person is not None:
        query = query.where(CallbackTask.person == person)
    if state is not None:
        query = query.where(CallbackTask.state == state)
    if kind is not None:
        query = query.where(CallbackTask.kind == kind)
    if due_from is not None or due_before is not None:
        due = select(Clock.due_at).where(Clock.id == CallbackTask.clock_id).scalar_subquery()
        due_at = func.coalesce(due, CallbackTask.scheduled_at)
        query = query.where(due_at >= due_from) if due_from else query
        query = query.where(due_at < due_before) if due_before else query
    return query
