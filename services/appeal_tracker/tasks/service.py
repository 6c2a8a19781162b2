"""What is done with callback tasks: opened, and ended. Whoever does it has locked the appeal."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.tasks import repository
from appeal_tracker.tasks.models import CallbackTask, TaskKind, TaskState
from chassis.ids import new_id


def opened(
    tx: AsyncSession,
    appeal: UUID,
    round: int,
    unit_code: str,
    *,
    kind: TaskKind,
    whose: str,
    person: str | None,
    at: datetime,
    asked_by: str | None = None,
    clock_id: UUID | None = None,
) -> CallbackTask:
    """A new task; the pack requires it where nobody asked for it."""
    task = CallbackTask(
        id=new_id(),
        appeal_id=appeal,
        round=round,
        unit_code=unit_code,
        kind=kind,
        state=TaskState.OPEN,
        required=asked_by is None,
        whose=whose,
        person=person,
        asked_by=asked_by,
        opened_at=at,
        clock_id=clock_id,
        agreed=False,
        attempts=0,
        updated_at=at,
    )
    tx.add(task)
    return task


async def of_appeals(tx: AsyncSession, appeals: Collection[UUID]) -> Sequence[CallbackTask]:
    """The open tasks of some appeals, locked."""
    return await repository.of_appeals(tx, appeals)


async def to_do_by(tx: AsyncSession, person: str, opened_by: datetime, after: UUID | None, most: int) -> Sequence[UUID]:
    """Some appeals about which somebody has a task of those opened by then, in their order."""
    return await repository.to_do_by(tx, person, opened_by, after, most)


def end(task: CallbackTask, state: TaskState, at: datetime, by: str | None, callback: UUID | None = None) -> None:
    """It is done, or nobody is to be called any more."""
    task.state, task.ended_at, task.ended_by, task.callback_id = state, at, by, callback
    task.updated_at = at
