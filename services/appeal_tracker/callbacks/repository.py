"""SQL of the callbacks, and of the tasks as a caller sees them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals.models import Appeal, AppealLeaving
from appeal_tracker.appeals.repository import of_unit, visible
from appeal_tracker.callbacks.models import Callback
from appeal_tracker.tasks import repository as tasks
from appeal_tracker.tasks.models import CallbackTask
from chassis.web.paging import Gone, Listing, Way, Window


async def of_appeal(tx: AsyncSession, appeal: UUID, window: Window) -> Listing[Callback]:
    """Some recorded callbacks, in the order of their true times."""
    query = select(Callback).where(Callback.appeal_id == appeal)
    return await window.fetch(tx, query, Callback, Callback.at, Callback.id)


async def since_round(tx: AsyncSession, appeal: UUID, round: int) -> Sequence[Callback]:
    """The callbacks recorded in a round or a later one."""
    query = select(Callback).where(Callback.appeal_id == appeal, Callback.round >= round)
    return (await tx.scalars(query.order_by(Callback.at, Callback.id))).all()


async def task(tx: AsyncSession, id: UUID, unit: str | None) -> CallbackTask | None:
    """A task about an appeal that a caller of `unit` may see."""
    query = _seen(tasks.listed(), unit).where(CallbackTask.id == id)
    return (await tx.scalars(query.execution_options(populate_existing=True))).one_or_none()


async def tasks_page(
    tx: AsyncSession, window: Window, unit: str | None, within_unit: str | None, **filters: Any
) -> Listing[CallbackTask | Gone]:
    """Some of the tasks that a caller of `unit` may see, about appeals raised or handled in `within_unit`; in a feed
    also those whose appeal came there, and as gone those whose appeal went elsewhere."""
    query = _seen(tasks.listed(**filters), unit)
    query = query if within_unit is None else _about(query, of_unit(within_unit))
    if not window.is_feed:
        return await window.fetch(tx, query, CallbackTask)
    return await window.of_unit(within_unit).follow(tx, *ways(query, unit, within_unit))


def ways(query: Select[CallbackTask], unit: str | None, within_unit: str | None) -> tuple[Way, Way, Way]:
    """How tasks change: themselves, or because their appeal came, or went."""
    went, about = AppealLeaving, AppealLeaving.appeal_id == CallbackTask.appeal_id
    was = visible(unit, went.unit_code) & of_unit(within_unit, went.unit_code)
    gone = select(CallbackTask.id).join(went, about).join(Appeal, Appeal.id == went.appeal_id)
    gone = gone.where(was, ~(visible(unit) & of_unit(within_unit)))
    return (
        Way(query, CallbackTask.changed_xid, CallbackTask.id, CallbackTask.updated_at),
        Way(query.join(went, about), went.changed_xid, CallbackTask.id, went.left_at),
        Way(gone, went.changed_xid, CallbackTask.id, went.left_at, gone=True),
    )


def _seen(query: Select[CallbackTask], unit: str | None) -> Select[CallbackTask]:
    return query if unit is None else _about(query, visible(unit))


def _about(query: Select[CallbackTask], which: ColumnElement[bool]) -> Select[CallbackTask]:
    return query.where(exists().where(Appeal.id == CallbackTask.appeal_id, which).correlate(CallbackTask))
