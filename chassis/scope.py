"""Unit scope: a principal sees its own unit and those below it, said in every query.

`units` is any table or mapped class with `code`, `parent_code` and `merged_into`: the unit that a closed one is part of
and stands below. Whoever is of a closed unit is of that one. Trees are heard from elsewhere and may be incomplete or
hold a cycle for a while; every walk here ends all the same.
"""

from functools import lru_cache
from hashlib import blake2b
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Text,
    any_,
    cast,
    exists,
    func,
    inspect,
    literal,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.ext.asyncio import AsyncSession

_DEEPEST = 32  # levels; a power company has about six
_REMEMBERED = 64  # trees as queries: to put one together takes longer than to run it


def within(units: Any, unit: str | None, column: ColumnElement[str] | Any) -> ColumnElement[bool]:
    """The condition that `column` names `unit` or a unit below it; no unit (a service's token) sees everything.

    The own unit counts even while `units` does not know it yet.
    """
    return true() if unit is None else column.in_(below(units, unit))


async def listed_within(
    tx: AsyncSession, units: Any, unit: str | None, column: ColumnElement[str] | Any
) -> ColumnElement[bool]:
    """The same for a long list, which is planned by how much those units have: were they only found by the query
    itself, the server would take them for most of all, and go through everybody's."""
    if unit is None:
        return true()
    await tx.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
    codes = [*await tx.scalars(below(units, unit))]
    its: ColumnElement[bool] = column == any_(literal(codes, ARRAY(Text)))
    return its


def part_of(units: Any, code: str | None, column: ColumnElement[str] | Any) -> ColumnElement[bool]:
    """The condition that `column` names `code` or a unit below it; no code: any. For what is asked for, not for
    who asks: a closed unit that is named is itself, not the one that it merged into."""
    return true() if code is None else column.in_(under(units, code))


@lru_cache(_REMEMBERED)
def below(units: Any, unit: str) -> Select[Any]:
    """The codes of `unit`, or of the one that it merged into, and every unit below it, as a subquery."""
    table = _table(units)
    return _tree(table, _successor(table, unit))


@lru_cache(_REMEMBERED)
def under(units: Any, code: str) -> Select[Any]:
    """The codes of `code` itself, closed or not, and every unit below it, as a subquery."""
    return _tree(_table(units), literal(code))


async def sight(tx: AsyncSession, units: Any, unit: str, asked: str | None = None) -> str:
    """A mark of what a caller of `unit` sees, and of what is below a unit that they `asked` for; another one once a
    unit with all that is of it came there or went: for whoever keeps a copy by what changes, and is told of no row that
    did not.

    Units may number their moves, as `moved`: that of a unit that was put below another or merged into it, or that was
    heard of after what is of it, and that of the one that it left. Of others each counts that is heard of.
    """
    table, trees = _table(units), [below(units, unit)]
    trees += [] if asked is None else [under(units, asked)]
    its, which = table.c.code, or_(*map(table.c.code.in_, trees))
    if "moved" in table.c:
        its, which = its + ":" + cast(table.c.moved, Text), which & table.c.moved.is_not(None)
    seen = sorted(await tx.scalars(select(its).where(which)))
    return blake2b("\n".join([unit, asked or "", *seen]).encode(), digest_size=8).hexdigest()


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


async def successor(tx: AsyncSession, units: Any, unit: str) -> str:
    """The unit that `unit` merged into; itself, where it did not."""
    return str(await tx.scalar(select(_successor(_table(units), unit))))


def top_level(units: Any, unit: str | None) -> ColumnElement[bool]:
    """The condition that `unit` is known and has no unit above it."""
    table = _table(units)
    return exists().where(table.c.code == unit, table.c.parent_code.is_(None))


async def is_top_level(tx: AsyncSession, units: Any, unit: str | None) -> bool:
    """Whether `unit` is known and has no unit above it."""
    return bool(await tx.scalar(select(top_level(units, unit))))


def _tree(table: Any, top: ColumnElement[str]) -> Select[Any]:
    tree = select(top.label("code")).cte(recursive=True)  # unnamed: a query may ask for several trees
    # UNION, not UNION ALL: a cycle finds nothing new and ends.
    tree = tree.union(select(table.c.code).join(tree, table.c.parent_code == tree.c.code))
    return select(tree.c.code)


def _successor(table: Any, unit: str) -> ColumnElement[str]:
    its = table.alias()  # whatever else asks for units around it
    # At most one where a code is borne once; `max`, for while units are heard of it may be borne twice.
    merged = select(func.max(its.c.merged_into)).where(its.c.code == unit).scalar_subquery()
    return func.coalesce(merged, literal(unit))


def _table(units: Any) -> Any:
    return getattr(inspect(units), "local_table", units)
