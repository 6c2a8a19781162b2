"""SQL of the upkeep: appeals in the order in which they change, and what is not there beside them."""

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from asyncpg import Record
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.upkeep.models import Reached
from chassis.db import driver

MOST = 500  # appeals at a time

# It stops before the oldest transaction that is still running, so that one that commits late is met later, not never.
_FOLLOWING = f"""
SELECT id, unit_code, changed_xid, policy, type, state, held_in, merged_into, confidential, anonymous, handler,
       first_contact, received_at
FROM appeals
WHERE (changed_xid, id) > ($1, $2) AND changed_xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
ORDER BY changed_xid, id LIMIT {MOST}
"""  # noqa: S608 - a number
_CAME_TO = """
INSERT INTO upkeep (changed_xid, appeal_id) VALUES ($1, $2)
ON CONFLICT (one) DO UPDATE SET changed_xid = excluded.changed_xid, appeal_id = excluded.appeal_id
WHERE (upkeep.changed_xid, upkeep.appeal_id) < (excluded.changed_xid, excluded.appeal_id)
"""
# One that was called back itself may speak for one that was not.
_UNASKED = """
SELECT id FROM appeals a WHERE id = ANY ($1::uuid[]) AND NOT EXISTS (
    SELECT FROM callback_tasks t
    WHERE t.appeal_id = a.id AND t.kind = 'callback' AND t.round = a.round
        AND (t.state = 'open' OR t.state = 'done' AND 'called_back' NOT IN (a.state, coalesce(a.held_in, ''))))
ORDER BY id
"""
_MISASKED = """
SELECT id FROM appeals a WHERE id = ANY ($1::uuid[]) AND (
    EXISTS (SELECT FROM callback_tasks t WHERE t.appeal_id = a.id AND t.state = 'open')
    OR a.anonymous AND EXISTS (
        SELECT FROM clocks c
        WHERE c.subject_id = a.id AND c.subject_kind = 'appeal' AND c.round = a.round AND c.milestone = 'callback'
            AND c.state IN ('running', 'held')))
ORDER BY id
"""


class Place(NamedTuple):
    """An appeal, and the transaction that last changed it."""

    changed_xid: int = 0
    appeal_id: UUID = UUID(int=0)  # no appeal is called so


async def where(tx: AsyncSession) -> Place:
    """Which appeal was looked at last; before all of them while none was."""
    row = (await tx.execute(select(Reached.changed_xid, Reached.appeal_id))).one_or_none()
    return Place(*row) if row else Place()


async def following(tx: AsyncSession, after: Place) -> Sequence[Record]:
    """Some appeals that changed next."""
    return list(await (await driver(tx)).fetch(_FOLLOWING, *after))


async def came_to(tx: AsyncSession, place: Place) -> None:
    """Keeps how far it came; two that do it at once never go back."""
    await (await driver(tx)).execute(_CAME_TO, *place)


async def unasked(tx: AsyncSession, appeals: Collection[UUID]) -> list[UUID]:
    """Those of some appeals of which no callback was asked for in their round."""
    return [row["id"] for row in await (await driver(tx)).fetch(_UNASKED, [*appeals])]


async def misasked(tx: AsyncSession, appeals: Collection[UUID]) -> list[UUID]:
    """Those of some hidden appeals about which somebody is asked to call, or timed to although they are anonymous."""
    return [row["id"] for row in await (await driver(tx)).fetch(_MISASKED, [*appeals])]
