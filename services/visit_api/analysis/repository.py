"""The statements behind the analysis, one for each figure; `unit` is always the caller's, None where a service sees
all."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Date, Row, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.scope import part_of, within
from chassis.web.paging import Listing, Window
from visit_api.analysis.figures import Figure
from visit_api.civil import CHINA
from visit_api.directory.models import Unit


class Asked(NamedTuple):
    """Of which unit with those below it, from which civil day to which."""

    unit_code: str | None
    first: date
    last: date


async def counted(tx: AsyncSession, unit: str | None, figure: Figure, asked: Asked) -> Sequence[Row[Any]]:
    """How many things fall to each group."""
    its = _grouped(unit, figure, asked)
    query = select(its.c.of, func.count().label("number")).group_by(its.c.of).order_by(its.c.of)
    return (await tx.execute(query)).all()


async def records(
    tx: AsyncSession, unit: str | None, window: Window, figure: Figure, asked: Asked, of: str | None
) -> Listing[Any]:
    """The things that were counted, all of them or those of a group."""
    its = _grouped(unit, figure, asked)
    counted_ids = select(its.c.id) if of is None else select(its.c.id).where(its.c.of == of)
    query = select(figure.thing).where(figure.thing.id.in_(counted_ids))
    return await window.fetch(tx, query, figure.thing)


def _grouped(unit: str | None, figure: Figure, asked: Asked) -> Any:
    """Each thing once in each group that it falls to."""
    thing = figure.thing
    query = select(thing.id.label("id"), figure.group.label("of")).select_from(thing)
    for target, condition in figure.joins:
        query = query.join(target, condition)
    query = query.where(
        within(Unit, unit, thing.unit_code), part_of(Unit, asked.unit_code, thing.unit_code), *figure.where
    )
    if isinstance(figure.at.type, Date):
        query = query.where(figure.at >= asked.first, figure.at <= asked.last)
    else:
        begin, end = _midnight(asked.first), _midnight(asked.last + timedelta(days=1))
        query = query.where(figure.at >= begin, figure.at < end)
    return query.distinct().subquery()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), CHINA)
