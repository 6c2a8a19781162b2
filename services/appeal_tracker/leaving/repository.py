"""SQL of the hand-overs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals.models import HIDDEN
from appeal_tracker.leaving.models import HandOver
from chassis.db import driver

_KEEP = """
INSERT INTO hand_overs (id, unit_code, staff_no, to_staff_no, by, at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
"""
_CAME_TO = """
UPDATE hand_overs SET after = greatest(after, $2), done = done OR $3 WHERE id = $1
"""
# Those that nobody handed on yet, by the first time that the work of whoever heard them was handed over since.
_OWED = """
SELECT DISTINCT ON (heard.id) heard.id, h.id AS hand_over_id
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS heard (id, person, at)
JOIN hand_overs h ON h.staff_no = heard.person AND h.at >= heard.at
WHERE NOT EXISTS (
    SELECT FROM timeline t WHERE t.appeal_id = heard.id AND t.kind IN ('dispatched', 'transferred', 'returned'))
ORDER BY heard.id, h.at
"""
# What somebody who is gone by now, and whose work was handed over, was given all the same, or is to call: the tracker
# had not heard of their leaving by then. The newest hand-over says who has their work, unless they handed it on. An
# appeal that these may not be given (`taking_over`) is passed by: they are gone too, or it is hidden and they inside
# (`insiders`): the raising unit, or what it merged into, is theirs or up the line from theirs.
_LEFT_BEHIND = f"""
WITH RECURSIVE given (id, staff_no, taker, at) AS (
    SELECT * FROM (
        SELECT DISTINCT ON (h.staff_no) h.id, h.staff_no, h.to_staff_no, h.at FROM hand_overs h
        WHERE h.done AND (SELECT NOT bool_or(s.active) FROM staff s WHERE s.staff_no = h.staff_no)
        ORDER BY h.staff_no, h.at DESC, h.id DESC) AS newest
    UNION ALL
    SELECT given.id, given.staff_no, next.to_staff_no, next.at FROM given CROSS JOIN LATERAL (
        SELECT o.to_staff_no, o.at FROM hand_overs o WHERE o.staff_no = given.taker AND o.at > given.at
        ORDER BY o.at, o.id LIMIT 1) AS next
), work AS (
    SELECT last.id, last.staff_no, taker.unit_code, coalesce(taker.active, true) AS there
    FROM (SELECT DISTINCT ON (id) * FROM given ORDER BY id, at DESC) AS last LEFT JOIN LATERAL (
        SELECT s.unit_code, s.active FROM staff s WHERE s.staff_no = last.taker ORDER BY s.active DESC LIMIT 1
    ) AS taker ON true
)
SELECT its.appeal_id, w.id
FROM work w CROSS JOIN LATERAL (
    SELECT t.appeal_id FROM callback_tasks t WHERE t.person = w.staff_no AND t.state = 'open'
    UNION
    SELECT a.id FROM appeals a
    WHERE coalesce(a.handler, a.first_contact) = w.staff_no AND a.handler IS NOT NULL AND a.state <> 'closed'
        AND w.there AND NOT ({HIDDEN} AND (w.unit_code IS NULL OR w.unit_code = a.unit_code OR coalesce(
            (SELECT max(u.merged_into) FROM units u WHERE u.code = a.unit_code), a.unit_code) IN (
            WITH RECURSIVE line (code) AS (
                SELECT w.unit_code
                UNION SELECT u.parent_code FROM line JOIN units u ON u.code = line.code WHERE u.parent_code IS NOT NULL)
            SELECT code FROM line)))
) AS its
WHERE its.appeal_id > $1
ORDER BY its.appeal_id, w.id LIMIT $2
"""  # noqa: S608 - made of constants


class Heard(NamedTuple):
    """Who heard an appeal first, and when."""

    by: str
    at: datetime


async def keep(tx: AsyncSession, its: HandOver) -> None:
    """Stores a hand-over; one that is there stays as it is."""
    values = (its.id, its.unit_code, its.staff_no, its.to_staff_no, its.by, its.at)
    await (await driver(tx)).execute(_KEEP, *values)


async def find(tx: AsyncSession, id: UUID) -> HandOver:
    """A hand-over that there is."""
    return (await tx.scalars(select(HandOver).where(HandOver.id == id))).one()


async def undone(tx: AsyncSession) -> HandOver | None:
    """The oldest hand-over of which not every appeal was looked at."""
    query = select(HandOver).where(HandOver.done.is_(False)).order_by(HandOver.at, HandOver.id).limit(1)
    return (await tx.scalars(query)).one_or_none()


async def next_of(tx: AsyncSession, staff_no: str, after: datetime) -> HandOver | None:
    """The next time that somebody's work was handed over."""
    query = select(HandOver).where(HandOver.staff_no == staff_no, HandOver.at > after)
    return (await tx.scalars(query.order_by(HandOver.at, HandOver.id).limit(1))).one_or_none()


async def came_to(tx: AsyncSession, id: UUID, after: UUID | None, *, done: bool) -> None:
    """Keeps how far it came; two that do it at once never go back."""
    await (await driver(tx)).execute(_CAME_TO, id, after, done)


async def left_behind(tx: AsyncSession, after: UUID, most: int) -> Sequence[tuple[UUID, UUID]]:
    """Some appeals after one that somebody who is gone was given, or about which they are to call, in their order, each
    with the hand-over of their work."""
    return [tuple(row) for row in await (await driver(tx)).fetch(_LEFT_BEHIND, after, most)]


async def owed(tx: AsyncSession, heard: Mapping[UUID, Heard]) -> Sequence[tuple[UUID, UUID]]:
    """Those of some appeals, as they were heard, that should have gone along with a hand-over, and with which."""
    values = ([*heard], [each.by for each in heard.values()], [each.at for each in heard.values()])
    return [tuple(row) for row in await (await driver(tx)).fetch(_OWED, *values)]
