"""SQL of who has which appeals. Each asks for few rows, by an index of the open ones of their owners."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, and_, any_, exists, func, literal, literal_column, or_, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from appeal_tracker.appeals.closing import JUDGED
from appeal_tracker.appeals.models import SUBJECT, Answer, Appeal
from appeal_tracker.appeals.repository import visible
from appeal_tracker.clocks.models import Clock
from appeal_tracker.directory.models import StaffMember
from appeal_tracker.tasks.models import CallbackTask, TaskKind
from chassis.db import driver

MOST = 50  # of each kind in a day's work

whose: ColumnElement[str | None] = func.coalesce(Appeal.handler, Appeal.first_contact)
# Said as a literal, so that a plan made for any state still finds the partial index.
OPEN: ColumnElement[bool] = literal_column("appeals.state <> 'closed'")
_NOBODYS: ColumnElement[bool] = literal_column("coalesce(appeals.handler, appeals.first_contact, '') = ''")
_ANSWERED: ColumnElement[bool] = literal_column("appeals.state = 'answered'")
_TO_CONCLUDE: ColumnElement[bool] = literal_column(
    "((appeals.confidential OR appeals.anonymous) AND appeals.state IN ('answered', 'called_back'))"
)

COUNTED = 200  # of one owner in a unit: that many stands for more

# Each unit's owners are found one after the other by their index, and of each so many appeals are counted: it costs the
# same however many a company has open. Nobody in particular is the empty text here.
_OWNER = "coalesce(a.handler, a.first_contact, '')"
_NEXT_OWNER = f"""(
    SELECT {_OWNER} FROM appeals a
    WHERE a.state <> 'closed' AND a.handling_unit_code = u.code %s ORDER BY {_OWNER} LIMIT 1)"""  # noqa: S608 - made of constants
_LOADS = f"""
SELECT shares.unit_code, nullif(shares.owner, ''), its.*
FROM (
    SELECT u.code AS unit_code, owners.owner
    FROM unnest($1::text[]) WITH ORDINALITY AS u (code, place) CROSS JOIN LATERAL (
        WITH RECURSIVE o (owner, seen) AS (
            SELECT CASE WHEN u.code = $2 THEN $3::text ELSE {_NEXT_OWNER % ""} END, u.code IS NOT DISTINCT FROM $2
            UNION ALL
            SELECT {_NEXT_OWNER % f"AND {_OWNER} > o.owner"}, false FROM o WHERE o.owner IS NOT NULL)
        SELECT o.owner FROM o WHERE o.owner IS NOT NULL AND NOT o.seen) AS owners
    LIMIT $4) AS shares
CROSS JOIN LATERAL (
    SELECT count(*), count(*) FILTER (WHERE overdue), count(*) FILTER (WHERE soon),
           count(*) FILTER (WHERE accepted_at IS NULL), count(*) FILTER (WHERE state = 'answered')
    FROM (
        SELECT a.id, a.round, a.accepted_at, a.state FROM appeals a
        WHERE a.state <> 'closed' AND a.handling_unit_code = shares.unit_code AND {_OWNER} = shares.owner
        ORDER BY a.id LIMIT {COUNTED}) AS counted
    CROSS JOIN LATERAL (
        SELECT bool_or(c.state = 'breached' AND c.stopped_at IS NULL OR c.state = 'running' AND c.due_at < $5)
                   AS overdue,
               bool_or(c.state = 'running' AND c.due_at >= $5 AND c.due_at < $6) AS soon
        FROM clocks c WHERE c.subject_id = counted.id AND c.subject_kind = 'appeal' AND c.round = counted.round
    ) AS clocked
) AS its
ORDER BY 1, shares.owner
"""  # noqa: S608 - made of constants


class Load(msgspec.Struct, frozen=True):
    """How many open appeals that a unit handles somebody has, nobody in particular where `owner` is None."""

    unit_code: str
    owner: str | None
    open: int
    overdue: int
    due_soon: int
    unaccepted: int
    answered: int


class Hands(msgspec.Struct, frozen=True):
    """Whose work is somebody's: that of some `people`, what is nobody's in some `units` that they answer for as a
    supervisor, and in the unit `calling`, if any, the calls that are for nobody in particular, but about their own
    work."""

    caller: str
    people: Collection[str]
    units: Collection[str] = ()
    calling: str | None = None

    @property
    def has(self) -> ColumnElement[bool]:
        """The condition that an appeal is theirs."""
        theirs = whose == any_(_texts(self.people))
        if not self.units:
            return theirs
        return or_(theirs, and_(_NOBODYS, Appeal.handling_unit_code == any_(_texts(self.units))))

    @property
    def calls(self) -> ColumnElement[bool]:
        """The condition that they are to call about a task's appeal."""
        nobodys = [CallbackTask.unit_code == any_(_texts(self.units))] if self.units else []
        if self.calling is not None:
            answered = exists().where(Answer.appeal_id == Appeal.id, Answer.by == self.caller)
            others = and_(Appeal.handler.is_distinct_from(self.caller), ~answered)
            may = or_(CallbackTask.whose == "anyone", and_(CallbackTask.whose != "supervisor", others))
            nobodys.append(and_(CallbackTask.unit_code == self.calling, may))
        theirs = CallbackTask.person == any_(_texts(self.people))
        return or_(theirs, and_(CallbackTask.person.is_(None), or_(*nobodys))) if nobodys else theirs


def _texts(values: Collection[str]) -> ColumnElement[Any]:
    return literal([*values], ARRAY(TEXT))


def of(unit: str | None, hands: Hands) -> Select[Appeal]:
    """The open appeals in somebody's hands that a caller of `unit` may see."""
    return select(Appeal).where(hands.has, OPEN, visible(unit)).options(selectinload(Appeal.clocks))


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


async def to_call_back(
    tx: AsyncSession, unit: str | None, hands: Hands, mine: Select[Appeal], kinds: Collection[tuple[str, str]]
) -> Sequence[Appeal]:
    """Those about which somebody is to call the customer, whoever has them, and closed or not; after these, those of
    them that are of some of these kinds, but for the anonymous."""
    asked = select(Appeal.id).join(CallbackTask, CallbackTask.appeal_id == Appeal.id).distinct()
    asked = asked.where(literal_column("callback_tasks.state = 'open'"), hands.calls, visible(unit))
    # What is merged is called about by way of the one that speaks for it, once that is answered.
    asked = asked.where(or_(CallbackTask.kind != TaskKind.CALLBACK, Appeal.merged_into.is_(None)))
    ids = (await tx.scalars(asked.order_by(Appeal.id).limit(MOST))).all()
    query = select(Appeal).where(Appeal.id.in_(ids)).options(selectinload(Appeal.clocks))
    found = {each.id: each for each in await tx.scalars(query.order_by(Appeal.id))}
    if kinds and len(found) < MOST:
        query = mine.where(_ANSWERED, Appeal.anonymous.is_(False), tuple_(Appeal.policy, Appeal.type).in_(kinds))
        query = query.where(or_(~Appeal.hidden, Appeal.handler.is_not(None), Appeal.type.not_in(JUDGED)))
        found |= {each.id: each for each in await tx.scalars(query.order_by(Appeal.id).limit(MOST))}
    return [*found.values()][:MOST]


def to_conclude(unit: str | None, units: Collection[str], asked: Collection[str]) -> Select[Appeal]:
    """Those that may be about some `units`, and that somebody outside of them has to judge and close, but for those
    that have a handler, or about which those of the units `asked` are to call first. Who heard one may be whom it is
    about: what older code asked of them, nobody else has in their day."""
    calls = exists().where(CallbackTask.appeal_id == Appeal.id, CallbackTask.kind == TaskKind.CALLBACK)
    calls = calls.where(literal_column("callback_tasks.state = 'open'"), CallbackTask.unit_code == any_(_texts(asked)))
    calls = calls.where(or_(CallbackTask.person.is_(None), CallbackTask.person.is_distinct_from(Appeal.first_contact)))
    known = exists().where(StaffMember.staff_no == Appeal.handler)
    there = exists().where(StaffMember.staff_no == Appeal.handler, StaffMember.active)
    nobodys = or_(Appeal.handler.is_(None), and_(known, ~there))
    query = select(Appeal).where(_TO_CONCLUDE, Appeal.unit_code == any_(_texts(units)), Appeal.type.in_(JUDGED))
    query = query.where(nobodys, Appeal.merged_into.is_(None), ~calls, visible(unit))
    return query.options(selectinload(Appeal.clocks)).order_by(Appeal.id).limit(MOST)


async def unaccepted(tx: AsyncSession, mine: Select[Appeal]) -> Sequence[Appeal]:
    """Those that nobody accepted yet."""
    return (await tx.scalars(mine.where(Appeal.accepted_at.is_(None)).order_by(Appeal.id).limit(MOST))).all()


async def loads(
    tx: AsyncSession, units: Collection[str], after: tuple[str, str] | None, most: int, now: datetime, soon: datetime
) -> list[Load]:
    """What everybody has open of the appeals that some units handle, by unit and owner, after one of these."""
    unit, owner = after or (None, None)
    left = sorted(units) if unit is None else sorted(each for each in units if each >= unit)
    rows = await (await driver(tx)).fetch(_LOADS, left, unit, owner, most, now, soon)
    return [Load(*row) for row in rows]
