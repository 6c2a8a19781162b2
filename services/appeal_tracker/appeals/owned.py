"""SQL of who has which appeals. Each asks for few rows, by an index of the open ones of their owners."""

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Select, and_, any_, func, literal, literal_column, or_, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from appeal_tracker.appeals.models import SUBJECT, Appeal
from appeal_tracker.appeals.repository import visible
from appeal_tracker.clocks.models import Clock
from chassis.db import driver

MOST = 50  # of each kind in a day's work

whose: ColumnElement[str | None] = func.coalesce(Appeal.handler, Appeal.first_contact)
# Said as a literal, so that a plan made for any state still finds the partial index.
OPEN: ColumnElement[bool] = literal_column("appeals.state <> 'closed'")
_ANSWERED: ColumnElement[bool] = literal_column("appeals.state = 'answered'")

_LOADS = """
WITH RECURSIVE below (code) AS (
    SELECT $1::text UNION SELECT u.code FROM units u JOIN below b ON u.parent_code = b.code
), its AS MATERIALIZED (
    SELECT a.id, a.round, coalesce(a.handler, a.first_contact) AS owner, a.accepted_at IS NULL AS unaccepted,
           a.state = 'answered' AS answered
    FROM appeals a
    WHERE a.state <> 'closed' AND ($1 IS NULL OR a.handling_unit_code IN (SELECT code FROM below))
), clocked AS (
    SELECT i.owner, i.id, i.unaccepted, i.answered,
           coalesce(bool_or(c.state = 'breached' AND c.stopped_at IS NULL
                            OR c.state = 'running' AND c.due_at < $2), false) AS overdue,
           coalesce(bool_or(c.state = 'running' AND c.due_at >= $2 AND c.due_at < $3), false) AS soon
    FROM its i LEFT JOIN clocks c ON c.subject_id = i.id AND c.subject_kind = 'appeal' AND c.round = i.round
    GROUP BY i.owner, i.id, i.unaccepted, i.answered
)
SELECT owner, count(*), count(*) FILTER (WHERE overdue), count(*) FILTER (WHERE soon),
       count(*) FILTER (WHERE unaccepted), count(*) FILTER (WHERE answered)
FROM clocked GROUP BY owner ORDER BY count(*) DESC, owner LIMIT 1000
"""


class Load(msgspec.Struct, frozen=True):
    """How many open appeals somebody has, nobody in particular where `owner` is None."""

    owner: str | None
    open: int
    overdue: int
    due_soon: int
    unaccepted: int
    answered: int


def of(unit: str | None, people: Collection[str]) -> Select[Appeal]:
    """The open appeals of some people that a caller of `unit` may see."""
    theirs = whose == any_(literal([*people], ARRAY(TEXT)))
    return select(Appeal).where(theirs, OPEN, visible(unit)).options(selectinload(Appeal.clocks))


async def overdue(tx: AsyncSession, mine: Select[Appeal], now: datetime) -> Sequence[Appeal]:
    """Those with a deadline that is past and not kept, the oldest one first."""
    past = or_(
        and_(literal_column("clocks.state = 'breached'"), Clock.stopped_at.is_(None)),
        and_(literal_column("clocks.state = 'running'"), Clock.due_at < now),
    )
    return await _by_clock(tx, mine, past)


async def due_next(tx: AsyncSession, mine: Select[Appeal], now: datetime) -> Sequence[Appeal]:
    """Those with a deadline to come, the next one first."""
    return await _by_clock(tx, mine, and_(literal_column("clocks.state = 'running'"), Clock.due_at >= now))


async def _by_clock(tx: AsyncSession, mine: Select[Appeal], which: ColumnElement[bool]) -> Sequence[Appeal]:
    # A breach of a round that is over is record, and nothing that anybody can still do.
    its = mine.with_only_columns(Appeal.id, Appeal.round).subquery()
    first = (
        select(Clock.subject_id, func.min(Clock.due_at).label("due_at"))
        .join(its, and_(its.c.id == Clock.subject_id, its.c.round == Clock.round))
        .where(Clock.subject_kind == SUBJECT, which)
        .group_by(Clock.subject_id)
        .order_by("due_at", Clock.subject_id)
        .limit(MOST)
        .subquery()
    )
    query = select(Appeal).join(first, first.c.subject_id == Appeal.id).options(selectinload(Appeal.clocks))
    return (await tx.scalars(query.order_by(first.c.due_at, Appeal.id))).all()


async def answered_under(tx: AsyncSession, mine: Select[Appeal]) -> Sequence[tuple[str, str]]:
    """By which policies, and of which types, are those that were answered and not called back."""
    kinds = mine.where(_ANSWERED).with_only_columns(Appeal.policy, Appeal.type).distinct()
    return [(row.policy, row.type) for row in await tx.execute(kinds)]


async def answered(tx: AsyncSession, mine: Select[Appeal], kinds: Collection[tuple[str, str]]) -> Sequence[Appeal]:
    """Those of them that are of some of these kinds, but for the anonymous."""
    query = mine.where(_ANSWERED, Appeal.anonymous.is_(False), tuple_(Appeal.policy, Appeal.type).in_(kinds))
    return (await tx.scalars(query.order_by(Appeal.id).limit(MOST))).all()


async def unaccepted(tx: AsyncSession, mine: Select[Appeal]) -> Sequence[Appeal]:
    """Those that nobody accepted yet."""
    return (await tx.scalars(mine.where(Appeal.accepted_at.is_(None)).order_by(Appeal.id).limit(MOST))).all()


async def loads(tx: AsyncSession, unit: str | None, now: datetime, soon: datetime) -> list[Load]:
    """What everybody has open of the appeals that are handled in a unit and below it."""
    return [Load(*row) for row in await (await driver(tx)).fetch(_LOADS, unit, now, soon)]
