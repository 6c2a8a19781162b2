"""Unit scope: a principal sees its own unit and those below it, said in every query.

`units` is any table or mapped class with `code` and `parent_code`. Trees are heard from elsewhere and may be incomplete
or hold a cycle for a while; every walk here ends all the same.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, inspect, literal, select, true
from sqlalchemy.ext.asyncio import AsyncSession

_DEEPEST = 32  # levels; a power company has about six


def within(units: Any, unit: str | None, column: ColumnElement[str] | Any) -> ColumnElement[bool]:
    """The condition that `column` names `unit` or a unit below it; no unit (a service's token) sees everything.

    The own unit counts even while `units` does not know it yet.
    """
    return true() if unit is None else column.in_(below(units, unit))


def below(units: Any, unit: str) -> Select[Any]:
    """The codes of `unit` and every unit below it, as a subquery."""
    table = _table(units)
    tree = select(literal(unit).label("code")).cte(recursive=True)  # unnamed: a query may ask for several trees
    # UNION, not UNION ALL: a cycle finds nothing new and ends.
    tree = tree.union(select(table.c.code).join(tree, table.c.parent_code == tree.c.code))
    return select(tree.c.code)


async def ancestors(tx: AsyncSession, units: Any, unit: str) -> list[str]:
    """`unit` and the units above it, nearest first, as far as `units` knows them."""
    table = _table(units)
    line = select(literal(unit).label("code"), literal(0).label("height")).cte("units_above", recursive=True)
    line = line.union_all(
        select(table.c.parent_code, line.c.height + 1)
        .join(line, table.c.code == line.c.code)
        .where(table.c.parent_code.is_not(None), line.c.height < _DEEPEST)
    )
    nearest = select(line.c.code).group_by(line.c.code).order_by(func.min(line.c.height))
    return list(await tx.scalars(nearest))


def top_level(units: Any, unit: str | None) -> ColumnElement[bool]:
    """The condition that `unit` is known and has no unit above it."""
    table = _table(units)
    return exists().where(table.c.code == unit, table.c.parent_code.is_(None))


async def is_top_level(tx: AsyncSession, units: Any, unit: str | None) -> bool:
    """Whether `unit` is known and has no unit above it."""
    return bool(await tx.scalar(select(top_level(units, unit))))


def _table(units: Any) -> Any:
    return getattr(inspect(units), "local_table", units)
