"""Queries of policy materials; `unit` is always the caller's, None where a service sees all."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.scope import ancestors, within
from chassis.web.paging import Listing, Window
from visit_api.civil import day_of
from visit_api.directory.models import Unit
from visit_api.materials.models import Material


async def find(tx: AsyncSession, unit: str | None, id: UUID, *, lock: bool = False) -> Material | None:
    """The edition `id`, where the caller's unit or one below it keeps it; `lock` holds it for a change."""
    query = select(Material).where(Material.id == id, within(Unit, unit, Material.unit_code))
    found: Material | None = await tx.scalar(query.with_for_update(of=Material) if lock else query)
    return found


async def find_readable(tx: AsyncSession, unit: str | None, id: UUID) -> Material | None:
    """The same, or one that a unit above has published."""
    scope = within(Unit, unit, Material.unit_code)
    if unit is not None:
        scope = or_(scope, and_(Material.state != "draft", Material.unit_code.in_(await ancestors(tx, Unit, unit))))
    found: Material | None = await tx.scalar(select(Material).where(Material.id == id, scope))
    return found


async def find_all(
    tx: AsyncSession,
    unit: str | None,
    window: Window,
    *,
    unit_code: str | None,
    topic: str | None,
    published: bool | None,
    suiting: ColumnElement[bool] | None,
) -> Listing[Material]:
    """What the caller's unit and those below it keep; of what suits a customer, also what those above publish."""
    query = select(Material).where(within(Unit, unit, Material.unit_code) if suiting is None else suiting)
    if unit_code is not None:
        query = query.where(Material.unit_code == unit_code)
    if topic is not None:
        query = query.where(Material.topic == topic)
    if published is not None:
        query = query.where((Material.state == "published") == published)
    return await window.fetch(tx, query, Material)


async def hold_series(tx: AsyncSession, series_id: UUID) -> Sequence[Material]:
    """The editions of a series, the newest last, none of which changes until the transaction ends."""
    query = select(Material).where(Material.series_id == series_id).order_by(Material.version)
    # As they are now, whatever was read of them before they were held.
    return (await tx.scalars(query.with_for_update(), execution_options={"populate_existing": True})).all()


async def among(tx: AsyncSession, units: Collection[str], ids: Collection[UUID]) -> Sequence[Material]:
    """Those of `ids` that `units` keep, and have published at some time."""
    query = select(Material).where(Material.id.in_(ids), Material.unit_code.in_(units), Material.state != "draft")
    return (await tx.scalars(query)).all()


def suits(
    units: Collection[str], now: datetime, needs: Collection[str], traits: Collection[str], industry: str | None
) -> ColumnElement[bool]:
    """The condition that one of `units` has a material in force that is meant for such a customer (§7.2.2)."""
    day = day_of(now)
    return and_(
        Material.unit_code.in_(units),
        Material.state == "published",
        Material.valid_from <= day,
        or_(Material.valid_to.is_(None), Material.valid_to >= day),
        or_(Material.replaced_at.is_(None), Material.replaced_at > now),
        *(
            or_(func.cardinality(column) == 0, column.bool_op("&&")([*known]))
            for column, known in (
                (Material.needs, needs),
                (Material.traits, traits),
                (Material.industries, [industry] if industry else []),
            )
        ),
    )
