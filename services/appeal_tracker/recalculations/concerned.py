"""Finds what a job is about: SQL of the clocks and appeals that are open.

Nothing here waits for a lock: what an act or a firing timer holds is left, and found again by the next turn. States of
clocks stand in the text, so that the indexes of open clocks are used.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals.models import TOLD_VISIT
from appeal_tracker.clocks.acceptance import Attempt
from appeal_tracker.recalculations.subjects import Deeds, Milestone, OnWhat, OpenAppeal, OpenClock, Place
from appeal_tracker.recalculations.touching import Kin, Stretch
from chassis.db import driver

_KINS = """
SELECT policy, calendar, subject_kind, appeal_type, milestone, min(started_at), max(started_at)
FROM (SELECT * FROM clocks WHERE state = 'running' UNION ALL SELECT * FROM clocks WHERE state = 'held') AS c
GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
"""

# Those that started in a stretch of their kin; and whatever was once held, or is merged, whose way may be longer than a
# kin's: another's ladder is climbed along it. OFFSET 0: who leads is found by the index of what follows, one by one,
# and not by reading all clocks for each batch.
_TOUCHED = """
WHERE (EXISTS (SELECT FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
                                  $7::timestamptz[]) AS s (policy, calendar, kind, type, milestone, since, until)
               WHERE s.policy = c.policy AND s.calendar = c.calendar AND s.kind = c.subject_kind
                 AND s.milestone = c.milestone AND s.type IS NOT DISTINCT FROM c.appeal_type
                 AND c.started_at >= s.since AND c.started_at < s.until)
       OR (EXISTS (SELECT FROM unnest($8::text[], $9::timestamptz[]) AS l (calendar, until)
                   WHERE l.calendar = c.calendar AND c.started_at < l.until)
           AND (c.follows IS NOT NULL OR EXISTS (SELECT FROM clocks f WHERE f.follows = c.id OFFSET 0)
                OR EXISTS (SELECT FROM holds h WHERE h.subject_id = c.subject_id))))
"""
_COUNT_TOUCHED = f"""
SELECT count(*), min(c.id::text COLLATE "C")::uuid
FROM (SELECT * FROM clocks WHERE state = 'running' UNION ALL SELECT * FROM clocks WHERE state = 'held') AS c
{_TOUCHED}
"""  # noqa: S608 - made of constants
_NEXT_TOUCHED = f"""
SELECT c.id FROM clocks c {_TOUCHED} AND c.state IN ('running', 'held') AND c.id > $10 ORDER BY c.id LIMIT $11
"""  # noqa: S608 - made of constants

_COUNT_APPEALS = """
SELECT count(*), min(a.id::text COLLATE "C")::uuid FROM appeals a
WHERE a.state <> 'closed' AND ($1::text[] IS NULL OR a.policy = ANY ($1)) AND (NOT $2 OR a.policy_assumed)
  AND ($3::text[] IS NULL OR a.unit_code = ANY ($3))
"""
_NEXT_APPEALS = """
SELECT a.id FROM appeals a
WHERE a.state <> 'closed' AND ($1::text[] IS NULL OR a.policy = ANY ($1)) AND (NOT $2 OR a.policy_assumed)
  AND ($3::text[] IS NULL OR a.unit_code = ANY ($3)) AND a.id > $4 ORDER BY a.id LIMIT $5
"""

# Of clocks, all that are merged with them.
_MERGED = """
WITH leaders AS (
    SELECT follows AS id FROM clocks WHERE id = ANY ($1::uuid[]) AND follows IS NOT NULL
    UNION SELECT f.follows FROM clocks f WHERE f.follows = ANY ($1::uuid[]))
SELECT c.id FROM clocks c JOIN leaders ON leaders.id = c.id WHERE c.state IN ('running', 'held')
UNION SELECT c.id FROM clocks c JOIN leaders ON leaders.id = c.follows WHERE c.state IN ('running', 'held')
"""

_PLACES = "SELECT id, subject_id, coalesce(follows, id) FROM clocks WHERE id = ANY ($1::uuid[])"

_CLOCK = """c.id, c.subject_kind, c.subject_id, c.round, c.milestone, c.appeal_type, c.started_at, c.due_at, c.policy,
       c.calendar, c.provisional, c.state, c.follows, c.promised_by,
       c.follows IS NOT NULL OR EXISTS (SELECT FROM clocks f WHERE f.follows = c.id),
       EXISTS (SELECT FROM holds h WHERE h.subject_id = c.subject_id)"""
_ON_APPEALS = f"""
SELECT {_CLOCK}, a.state = 'closed' OR c.round < a.round, a.appeal_no, {TOLD_VISIT}, a.unit_code,
       a.handling_unit_code, coalesce(a.handler, a.first_contact), a.first_contact
FROM clocks c JOIN appeals a ON a.id = c.subject_id
WHERE c.id = ANY ($1::uuid[]) AND c.subject_kind = 'appeal' AND c.state IN ('running', 'held') ORDER BY c.id
"""  # noqa: S608 - made of constants
_ON_VISITS = f"""
SELECT {_CLOCK}, false, NULL, v.id, v.unit_code, v.unit_code, v.visitors[1], NULL
FROM clocks c JOIN visits v ON v.id = c.subject_id
WHERE c.id = ANY ($1::uuid[]) AND c.subject_kind = 'visit' AND c.state IN ('running', 'held') ORDER BY c.id
"""  # noqa: S608 - made of constants
_LOCK_ON_APPEALS = f"{_ON_APPEALS} FOR NO KEY UPDATE OF a, c SKIP LOCKED"
_LOCK_ON_VISITS = f"{_ON_VISITS} FOR NO KEY UPDATE OF v, c SKIP LOCKED"

_APPEALS = f"""
SELECT id, appeal_no, {TOLD_VISIT} AS visit_id, unit_code, handling_unit_code, coalesce(handler, first_contact),
       first_contact, type, coalesce(held_in, state), round, received_at, reopened_at, policy, calendar, policy_assumed,
       anonymous
FROM appeals a WHERE id = ANY ($1::uuid[]) AND state <> 'closed' ORDER BY id
"""  # noqa: S608 - made of constants
_LOCK_APPEALS = f"{_APPEALS} FOR NO KEY UPDATE SKIP LOCKED"
_MILESTONES = """
SELECT c.id, c.subject_id, c.milestone, c.state, c.calendar FROM clocks c JOIN appeals a ON a.id = c.subject_id
WHERE c.subject_id = ANY ($1::uuid[]) AND c.subject_kind = 'appeal' AND c.round = a.round
"""
# Of appeals, all that are open and merged with them; those among them too, unless they are alone.
_FAMILIES = """
WITH leaders AS (
    SELECT merged_into AS id FROM appeals WHERE id = ANY ($1::uuid[]) AND state <> 'closed' AND merged_into IS NOT NULL
    UNION SELECT merged_into FROM appeals WHERE merged_into = ANY ($1::uuid[]) AND state <> 'closed')
SELECT a.id, l.id FROM appeals a JOIN leaders l ON l.id = a.id WHERE a.state <> 'closed'
UNION SELECT a.id, l.id FROM appeals a JOIN leaders l ON l.id = a.merged_into WHERE a.state <> 'closed'
"""
# What was done about each appeal in its present round, or in one that counts for it; contacts that stop nothing are
# left out, and so are callbacks while the customer does not count as called back.
_DEEDS = """
SELECT a.id, ARRAY(SELECT (c.at, c.result) FROM contacts c
                   WHERE c.appeal_id = a.id AND c.round >= coalesce(a.facts_round, a.round) AND c.counts ORDER BY c.at),
       (SELECT min(n.at) FROM answers n WHERE n.appeal_id = a.id AND n.round >= coalesce(a.facts_round, a.round)),
       ARRAY(SELECT (b.at, b.result) FROM callbacks b
             WHERE b.appeal_id = a.id AND b.round >= coalesce(a.facts_round, a.round)
                 AND coalesce(a.held_in, a.state) = 'called_back' ORDER BY b.at)
FROM appeals a WHERE a.id = ANY ($1::uuid[])
"""


class Touched(msgspec.Struct, frozen=True):
    """What a changed calendar touches: `stretches`, and of what was once held or is merged, all that started on a
    version before the last day on which that differs has ended (`held`)."""

    stretches: Sequence[Stretch]
    held: Sequence[tuple[str, datetime]]

    def __bool__(self) -> bool:
        return bool(self.stretches or self.held)

    def values(self) -> tuple[list[Any], ...]:
        kins = [stretch.kin for stretch in self.stretches]
        return (
            *([kin[place] for kin in kins] for place in range(len(Kin._fields))),
            [stretch.since for stretch in self.stretches],
            [stretch.until for stretch in self.stretches],
            [calendar for calendar, _ in self.held],
            [until for _, until in self.held],
        )


class Scope(NamedTuple):
    """Which open appeals: those under one of these policies, those whose line upward was not known, those of units."""

    policies: list[str] | None = None
    assumed: bool = False
    units: list[str] | None = None


async def kins(tx: AsyncSession) -> list[tuple[Kin, datetime, datetime]]:
    """The kins of the open clocks, with the first and the last start of each."""
    return [(Kin(*row[:5]), row[5], row[6]) for row in await (await driver(tx)).fetch(_KINS)]


async def count_touched(tx: AsyncSession, touched: Touched) -> tuple[int, UUID | None]:
    """How many open clocks are touched, and the first of them."""
    row = await (await driver(tx)).fetchrow(_COUNT_TOUCHED, *touched.values())
    return row[0], row[1]


async def next_touched(tx: AsyncSession, touched: Touched, after: UUID, most: int) -> list[UUID]:
    """The next open clocks that are touched, in the order of their ids."""
    return [row[0] for row in await (await driver(tx)).fetch(_NEXT_TOUCHED, *touched.values(), after, most)]


async def count_appeals(tx: AsyncSession, scope: Scope) -> tuple[int, UUID | None]:
    """How many open appeals are in scope, and the first of them."""
    row = await (await driver(tx)).fetchrow(_COUNT_APPEALS, *scope)
    return row[0], row[1]


async def next_appeals(tx: AsyncSession, scope: Scope, after: UUID, most: int) -> list[UUID]:
    """The next open appeals in scope, in the order of their ids."""
    return [row[0] for row in await (await driver(tx)).fetch(_NEXT_APPEALS, *scope, after, most)]


async def merged_with(tx: AsyncSession, clocks: Collection[UUID]) -> list[UUID]:
    """The open clocks that are merged with some of `clocks`, those among them too."""
    return [row[0] for row in await (await driver(tx)).fetch(_MERGED, list(clocks))]


async def places(tx: AsyncSession, clocks: Collection[UUID]) -> dict[UUID, Place]:
    """Where clocks belong."""
    return {row[0]: Place(row[1], row[2]) for row in await (await driver(tx)).fetch(_PLACES, list(clocks))}


async def open_clocks(tx: AsyncSession, ids: Collection[UUID], *, lock: bool) -> list[OpenClock]:
    """The clocks that are open; `lock` holds them with what they run on, and leaves out what others hold."""
    its = await driver(tx)
    rows = await its.fetch(_LOCK_ON_APPEALS if lock else _ON_APPEALS, list(ids))
    if len(rows) < len(ids):
        rows += await its.fetch(_LOCK_ON_VISITS if lock else _ON_VISITS, list(ids))
    return [OpenClock(OnWhat(row[2], *row[17:]), *row[:17]) for row in rows]


async def open_appeals(tx: AsyncSession, ids: Collection[UUID], *, lock: bool) -> list[OpenAppeal]:
    """The appeals that are open; `lock` holds them, and leaves out what others hold."""
    rows = await (await driver(tx)).fetch(_LOCK_APPEALS if lock else _APPEALS, list(ids))
    return [OpenAppeal(OnWhat(*row[:7]), *row[7:]) for row in rows]


async def families(tx: AsyncSession, appeals: Collection[UUID]) -> dict[UUID, UUID]:
    """The open appeals that are merged with some of `appeals`, those among them too, each with its leader; the leader
    is its own."""
    return {row[0]: row[1] for row in await (await driver(tx)).fetch(_FAMILIES, list(appeals))}


async def milestones(tx: AsyncSession, appeals: Collection[UUID]) -> dict[UUID, list[Milestone]]:
    """The clocks of each appeal's present round."""
    found: dict[UUID, list[Milestone]] = {appeal: [] for appeal in appeals}
    for row in await (await driver(tx)).fetch(_MILESTONES, list(appeals)):
        found[row["subject_id"]].append(Milestone(*row))
    return found


async def deeds(tx: AsyncSession, appeals: Collection[UUID]) -> dict[UUID, Deeds]:
    """What was done about each appeal in its present round."""
    rows = await (await driver(tx)).fetch(_DEEDS, list(appeals))
    return {row[0]: Deeds(attempts_of(row[1]), row[2], attempts_of(row[3])) for row in rows}


def attempts_of(rows: Sequence[tuple[datetime, str]]) -> list[Attempt]:
    """Attempts as they are read: when, and with what result."""
    return [Attempt(*row) for row in rows]
