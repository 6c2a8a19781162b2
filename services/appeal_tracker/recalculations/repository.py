"""SQL of the recalculations: what is concerned, as it stands, and how far a job has come.

Nothing here waits for a lock: what an act or a firing timer holds is left, and found again by the next turn. States of
clocks stand in the text, so that the indexes of open clocks are used.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Select, exists, literal_column, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import repository as appeals
from appeal_tracker.appeals.models import Appeal
from appeal_tracker.clocks.timeline import Entry, TimelineEntry
from appeal_tracker.directory.models import Unit
from appeal_tracker.recalculations.models import JobState, Recalculation
from appeal_tracker.recalculations.touching import Kin, Stretch
from appeal_tracker.visits.models import Visit
from chassis import scope
from chassis.db import driver
from chassis.messaging.outbox import INSERT, Row

_KINS = """
SELECT policy, calendar, subject_kind, appeal_type, milestone, min(started_at), max(started_at)
FROM (SELECT * FROM clocks WHERE state = 'running' UNION ALL SELECT * FROM clocks WHERE state = 'held') AS c
GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
"""

# Those that started in a stretch of their kin; and whatever was once held, whose way may be longer than a kin's.
_TOUCHED = """
WHERE (EXISTS (SELECT FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
                                  $7::timestamptz[]) AS s (policy, calendar, kind, type, milestone, since, until)
               WHERE s.policy = c.policy AND s.calendar = c.calendar AND s.kind = c.subject_kind
                 AND s.milestone = c.milestone AND s.type IS NOT DISTINCT FROM c.appeal_type
                 AND c.started_at >= s.since AND c.started_at < s.until)
       OR (EXISTS (SELECT FROM unnest($8::text[], $9::timestamptz[]) AS l (calendar, until)
                   WHERE l.calendar = c.calendar AND c.started_at < l.until)
           AND EXISTS (SELECT FROM holds h WHERE h.subject_id = c.subject_id)))
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
SELECT {_CLOCK}, a.appeal_no, a.visit_id, a.unit_code, a.handling_unit_code, coalesce(a.handler, a.first_contact),
       a.first_contact
FROM clocks c JOIN appeals a ON a.id = c.subject_id
WHERE c.id = ANY ($1::uuid[]) AND c.subject_kind = 'appeal' AND c.state IN ('running', 'held') ORDER BY c.id
"""  # noqa: S608 - made of constants
_ON_VISITS = f"""
SELECT {_CLOCK}, NULL, v.id, v.unit_code, v.unit_code, v.visitors[1], NULL
FROM clocks c JOIN visits v ON v.id = c.subject_id
WHERE c.id = ANY ($1::uuid[]) AND c.subject_kind = 'visit' AND c.state IN ('running', 'held') ORDER BY c.id
"""  # noqa: S608 - made of constants
_LOCK_ON_APPEALS = f"{_ON_APPEALS} FOR NO KEY UPDATE OF a, c SKIP LOCKED"
_LOCK_ON_VISITS = f"{_ON_VISITS} FOR NO KEY UPDATE OF v, c SKIP LOCKED"

_APPEALS = """
SELECT id, appeal_no, visit_id, unit_code, handling_unit_code, coalesce(handler, first_contact), first_contact, type,
       state, round, received_at, reopened_at, policy, policy_assumed
FROM appeals WHERE id = ANY ($1::uuid[]) AND state <> 'closed' ORDER BY id
"""
_LOCK_APPEALS = f"{_APPEALS} FOR NO KEY UPDATE SKIP LOCKED"
_MILESTONES = """
SELECT c.id, c.subject_id, c.milestone, c.state, c.calendar FROM clocks c JOIN appeals a ON a.id = c.subject_id
WHERE c.subject_id = ANY ($1::uuid[]) AND c.subject_kind = 'appeal' AND c.round = a.round
"""
# When it was done, of each appeal that was contacted, answered or called back in its present round.
_DEEDS = """
SELECT a.id, (SELECT min(c.at) FROM contacts c
              WHERE c.appeal_id = a.id AND c.round = a.round AND c.counts AND c.result = ANY ($2::text[])),
       (SELECT min(n.at) FROM answers n WHERE n.appeal_id = a.id AND n.round = a.round),
       (SELECT min(b.at) FROM callbacks b WHERE b.appeal_id = a.id AND b.round = a.round)
FROM appeals a WHERE a.id = ANY ($1::uuid[])
"""

# What moved, in one statement: the lines of the timelines, what is told of them, and the mark on the appeals.
_TELL = f"""
WITH moved AS MATERIALIZED (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bytea[])
                  WITH ORDINALITY AS m (subject_id, entry, event_id, payload, place)
), noted AS (
    INSERT INTO timeline (appeal_id, at, recorded_at, kind, actor, data)
    SELECT subject_id, $5, $5, $6, $7, entry::jsonb FROM moved ORDER BY place
), touched AS (
    UPDATE appeals SET updated_at = $5, changed_xid = pg_current_xact_id()::text::bigint
    WHERE $11 AND id = ANY ($1::uuid[])
)
{INSERT}
SELECT event_id, $8, subject_id::text, $9, $10, subject_id::text, $5, payload, NULL FROM moved ORDER BY place
"""  # noqa: S608 - made of constants

_RELABEL = """
UPDATE appeals a SET policy = n.policy, policy_assumed = n.assumed, no_clock_reason = n.reason, updated_at = $5,
                     changed_xid = pg_current_xact_id()::text::bigint
FROM unnest($1::uuid[], $2::text[], $3::boolean[], $4::text[]) AS n (id, policy, assumed, reason) WHERE a.id = n.id
"""

_WAITING = """
SELECT count(*) FROM (SELECT FROM outbox WHERE aggregatetype = $1 AND published_at IS NULL LIMIT $2) AS waiting
"""
# Whoever began before this instant may still read what was published before it, and write by that.
_BEGAN_BEFORE = """
SELECT EXISTS (SELECT FROM pg_stat_activity
               WHERE datname = current_database() AND backend_type = 'client backend' AND xact_start <= $1
                 AND pid <> pg_backend_pid())
"""
_ASSUMED_BELOW = """
WITH RECURSIVE tree AS (
    SELECT unnest($1::text[]) AS code UNION SELECT u.code FROM units u JOIN tree ON u.parent_code = tree.code)
SELECT EXISTS (SELECT FROM appeals
               WHERE policy_assumed AND state <> 'closed' AND unit_code IN (SELECT code FROM tree))
"""
_PROGRESS = """
UPDATE recalculations SET done = done + $2, moved = moved + $3, breaching = breaching + $4,
    total = greatest(total, done + $2), changed_xid = pg_current_xact_id()::text::bigint
WHERE id = $1
"""


class OnWhat(msgspec.Struct, frozen=True):
    """What a clock runs on, as far as it is told of; see `telling.Concerned`."""

    id: UUID
    appeal_no: str | None
    visit_id: UUID | None
    unit_code: str
    handling_unit_code: str
    owner: str | None
    first_contact: str | None


class OpenClock(msgspec.Struct):
    """An open clock as it stands, without what only the ORM needs; see `clocks.recalculation.Running`. `was_held`: what
    it runs on, at any time."""

    on: OnWhat
    id: UUID
    subject_kind: str
    subject_id: UUID
    round: int
    milestone: str
    appeal_type: str | None
    started_at: datetime
    due_at: datetime
    policy: str
    calendar: str
    provisional: bool
    state: str
    follows: UUID | None
    promised_by: UUID | None
    is_merged: bool
    was_held: bool


class OpenAppeal(NamedTuple):
    """An appeal as it stands."""

    on: OnWhat
    type: str
    state: str
    round: int
    received_at: datetime
    reopened_at: datetime | None
    policy: str
    assumed: bool

    @property
    def id(self) -> UUID:
        return self.on.id


class Place(NamedTuple):
    """Where a clock belongs: what it runs on, and the clock that speaks for those merged with it."""

    subject_id: UUID
    leader: UUID


class Milestone(NamedTuple):
    """A clock of an appeal's present round, whatever became of it."""

    id: UUID
    subject_id: UUID
    milestone: str
    state: str
    calendar: str


class Deeds(NamedTuple):
    """When it was done what stops a clock or starts one; None for what was not done."""

    contacted_at: datetime | None
    answered_at: datetime | None
    called_back_at: datetime | None


class Touched(msgspec.Struct, frozen=True):
    """What a changed calendar touches: `stretches`, and of what was once held, all that started on a version before the
    last day on which that differs (`held`)."""

    stretches: Sequence[Stretch]
    held: Sequence[tuple[str, datetime]]

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
    return [OpenClock(OnWhat(row[2], *row[16:]), *row[:16]) for row in rows]


async def open_appeals(tx: AsyncSession, ids: Collection[UUID], *, lock: bool) -> list[OpenAppeal]:
    """The appeals that are open; `lock` holds them, and leaves out what others hold."""
    rows = await (await driver(tx)).fetch(_LOCK_APPEALS if lock else _APPEALS, list(ids))
    return [OpenAppeal(OnWhat(*row[:7]), *row[7:]) for row in rows]


async def milestones(tx: AsyncSession, appeals: Collection[UUID]) -> dict[UUID, list[Milestone]]:
    """The clocks of each appeal's present round."""
    found: dict[UUID, list[Milestone]] = {appeal: [] for appeal in appeals}
    for row in await (await driver(tx)).fetch(_MILESTONES, list(appeals)):
        found[row["subject_id"]].append(Milestone(*row))
    return found


async def deeds(tx: AsyncSession, appeals: Collection[UUID], accepted: Collection[str]) -> dict[UUID, Deeds]:
    """What was done about each appeal; a contact is one with an `accepted` result."""
    return {row[0]: Deeds(*row[1:]) for row in await (await driver(tx)).fetch(_DEEDS, list(appeals), list(accepted))}


async def tell(tx: AsyncSession, entries: Sequence[Entry], told: Sequence[Row], *, touch: bool) -> None:
    """Writes entries of one kind, by one actor, at one time, to the timelines of their subjects, and what is told of
    each; `touch` marks the appeals among them as changed."""
    if not entries:
        return
    await (await driver(tx)).execute(
        _TELL,
        [entry.appeal_id for entry in entries],
        [msgspec.json.encode(entry.data).decode() for entry in entries],
        [row.id for row in told],
        [row.payload for row in told],
        entries[0].at,
        entries[0].kind,
        entries[0].actor,
        told[0].topic,
        told[0].type,
        told[0].source,
        touch,
    )


async def relabel(tx: AsyncSession, appeals: Sequence[tuple[UUID, str, bool, str | None]], now: datetime) -> None:
    """Writes by which policy appeals run, whether that is assumed, and why they have no clock if they have none."""
    ids, policies, assumed, reasons = (list(column) for column in zip(*appeals, strict=True))
    await (await driver(tx)).execute(_RELABEL, ids, policies, assumed, reasons, now)


async def units_below(tx: AsyncSession, unit: str) -> list[str]:
    """`unit` and all below it."""
    return list(await tx.scalars(scope.below(Unit, unit)))


async def waiting(tx: AsyncSession, topic: str, most: int) -> int:
    """How many rows wait to be published on a topic, counted up to `most`."""
    return int(await (await driver(tx)).fetchval(_WAITING, topic, most))


async def now(tx: AsyncSession) -> datetime:
    """The database's own time."""
    instant: datetime = await (await driver(tx)).fetchval("SELECT clock_timestamp()")
    return instant


async def is_anyone_older(tx: AsyncSession, than: datetime) -> bool:
    """Whether a transaction that began at this instant of the database's time or before is still running."""
    return bool(await (await driver(tx)).fetchval(_BEGAN_BEFORE, than))


async def oldest(tx: AsyncSession) -> Recalculation | None:
    """The unfinished job that was asked for first."""
    unfinished = text("state IN ('queued', 'running')")
    return (await tx.scalars(select(Recalculation).where(unfinished).order_by(Recalculation.id).limit(1))).one_or_none()


async def progress(tx: AsyncSession, id: UUID, done: int, moved: int, breaching: int) -> None:
    """Adds to what a job has done."""
    await (await driver(tx)).execute(_PROGRESS, id, done, moved, breaching)


async def write(tx: AsyncSession, id: UUID, **values: object) -> None:
    """Writes how a job stands."""
    await tx.execute(update(Recalculation).where(Recalculation.id == id).values(**values))


async def find(tx: AsyncSession, id: UUID) -> Recalculation | None:
    """The job called `id`."""
    return await tx.get(Recalculation, id)


def listed() -> Select[Any]:
    """Every job."""
    return select(Recalculation)


async def hold_waiting(tx: AsyncSession) -> bool:
    """Whether a job for appeals whose line upward was not known waits to begin; if so, it does until the transaction
    ends."""
    query = select(Recalculation.id).where(Recalculation.assumed, Recalculation.state == JobState.QUEUED)
    return (await tx.scalar(query.limit(1).with_for_update())) is not None


async def are_assumed_below(tx: AsyncSession, units: Collection[str]) -> bool:
    """Whether open appeals of `units`, or of units below them, run by a policy that is assumed."""
    return bool(await (await driver(tx)).fetchval(_ASSUMED_BELOW, list(units)))


def moved_by(job: UUID, unit: str | None) -> Select[Any]:
    """What the timelines keep of a job, of what a caller of `unit` may see."""
    # Said as the index says it: a parameter in the place of the name would not find it.
    its = literal_column("timeline.data ->> 'recalculation_id'") == str(job)
    query = select(TimelineEntry).where(its)
    if unit is None:
        return query
    on_appeal = exists().where(Appeal.id == TimelineEntry.appeal_id, appeals.visible(unit))
    on_visit = exists().where(Visit.id == TimelineEntry.appeal_id, scope.within(Unit, unit, Visit.unit_code))
    return query.where(or_(on_appeal, on_visit))


async def numbers(tx: AsyncSession, ids: Collection[UUID]) -> dict[UUID, str]:
    """The numbers by which people know the appeals among `ids`."""
    rows = await tx.execute(select(Appeal.id, Appeal.appeal_no).where(Appeal.id.in_(ids)))
    return {row.id: row.appeal_no for row in rows}
