"""SQL of the appeals, what was done about them, and their timeline."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, text, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from appeal_tracker.appeals.lifecycle import State
from appeal_tracker.appeals.models import HIDDEN, VISIT, Answer, Appeal, Contact
from appeal_tracker.clocks.timeline import Entry as Entry
from appeal_tracker.clocks.timeline import TimelineEntry
from appeal_tracker.clocks.timeline import note as note
from appeal_tracker.directory.models import Unit
from appeal_tracker.visits.course import Standing
from chassis import scope
from chassis.db import driver
from chassis.messaging.outbox import INSERT, Row
from chassis.web.paging import Listing, Window
from contracts.appeals import AppealRaised

# One statement for any number: the appeals that are not open yet (the same one may be told of twice, by other events),
# the first lines of their timelines, and what is told of them.
_OPEN = f"""
WITH raised AS MATERIALIZED (
    SELECT * FROM unnest(
        $5::uuid[], $6::text[], $7::uuid[], $8::uuid[], $9::text[], $10::text[], $11::text[], $12::timestamptz[],
        $13::timestamptz[], $14::boolean[], $15::boolean[], $16::text[], $17::text[], $18::text[], $19::uuid[],
        $20::bytea[], $21::text[], $22::boolean[], $23::text[], $24::text[], $25::text[], $26::text[], $27::bytea[],
        $28::text[]
    ) WITH ORDINALITY AS r (
        id, appeal_no, visit_id, customer_id, unit_code, raised_by, type, received_at,
        recorded_at, confidential, anonymous, policy, no_clock_reason, entry, event_id,
        payload, traceparent, assumed, calendar, source, source_no, category, content_digest,
        first_contact, place
    )
), opened AS (
    INSERT INTO appeals (id, appeal_no, visit_id, customer_id, unit_code, handling_unit_code, first_contact, type,
                         state, round, received_at, recorded_at, confidential, anonymous, policy, calendar,
                         policy_assumed, no_clock_reason, source, source_no, category, content_digest, updated_at)
    SELECT id, appeal_no, visit_id, customer_id, unit_code, unit_code, first_contact, type,
           'open', 1, received_at, recorded_at, confidential, anonymous, policy, calendar, assumed,
           no_clock_reason, source, source_no, category, content_digest, $1
    FROM raised ON CONFLICT DO NOTHING RETURNING id
), noted AS (
    INSERT INTO timeline (appeal_id, at, recorded_at, kind, actor, data)
    SELECT id, received_at, $1, 'opened', raised_by, entry::jsonb FROM raised JOIN opened USING (id) ORDER BY place
), wanted AS (
    INSERT INTO words_wanted (appeal_id, unit_code, confidential)
    SELECT id, unit_code, confidential OR anonymous FROM raised JOIN opened USING (id) WHERE source_no IS NULL
), told AS (
    {INSERT}
    SELECT event_id, $2, id::text, $3, $4, id::text, $1, payload, traceparent
    FROM raised JOIN opened USING (id) ORDER BY place
)
SELECT id FROM opened
"""  # noqa: S608 - made of constants


_ON_VISITS = """
SELECT visit_id, bool_or(state <> 'closed') AS open, max(closed_at) AS closed_at
FROM appeals WHERE visit_id = ANY ($1::uuid[]) GROUP BY visit_id
"""


_NUMBER = "SELECT 'TA' || to_char(nextval('appeal_numbers'), 'FM0000000000')"

# What people did when they say they did, whenever that was recorded.
_AT_TRUE_TIMES = ("contacted", "answered", "called_back", "milestone_reached", "held", "resumed")


RETURNS = 20  # that are counted: so many stand for more, and what is heard of late moves no longer line than that
# The newest earlier appeal of the same matter, where that is not what an appeal says it repeats. What was raised on one
# visit is no return.
_RETURNED = f"""
SELECT n.id, n.visit_id, n.unit_code, n.round, n.type, e.id AS earlier,
       least(coalesce(e.repeats + 1, 0), {RETURNS}) AS times, n.repeat_of, n.repeats,
       EXISTS (SELECT FROM appeals f WHERE f.repeat_of = n.id) AS followed,
       EXISTS (SELECT FROM appeals f WHERE f.repeat_of = e.id AND f.repeats > e.repeats
                   AND (f.received_at, f.id) > (n.received_at, n.id)) AS overtaken
FROM unnest($1::uuid[], $2::integer[]) AS asked (id, days) JOIN appeals n USING (id) LEFT JOIN LATERAL (
    SELECT a.id, a.repeats FROM appeals a
    WHERE a.customer_id = n.customer_id AND a.type = n.type AND a.category IS NOT DISTINCT FROM n.category
        AND a.id <> n.id AND (a.visit_id IS NULL OR a.visit_id IS DISTINCT FROM n.visit_id)
        AND (a.received_at, a.id) < (n.received_at, n.id)
        AND a.received_at >= n.received_at - make_interval(days => asked.days)
        AND a.outcome IS DISTINCT FROM 'void' AND NOT {HIDDEN}
        AND (n.type <> 'complaint' OR n.category IS NOT NULL) AND NOT n.confidential AND NOT n.anonymous
    ORDER BY a.received_at DESC, a.id DESC LIMIT 1) e ON true
WHERE (n.repeat_of, n.repeats) IS DISTINCT FROM (e.id, least(coalesce(e.repeats + 1, 0), {RETURNS}))
ORDER BY n.received_at, n.id
"""  # noqa: S608 - made of constants
# What is open and may repeat one of some appeals: because it says so, or because it is of those of its matter that came
# next. Several may have come on one visit; those after them repeat these.
_LATER = """
SELECT l.id, l.policy FROM appeals l WHERE l.repeat_of = ANY ($1::uuid[]) AND l.state <> 'closed'
UNION
SELECT l.id, l.policy FROM appeals n CROSS JOIN LATERAL (
    SELECT a.id, a.policy FROM appeals a
    WHERE a.customer_id = n.customer_id AND (a.received_at, a.id) > (n.received_at, n.id) AND a.state <> 'closed'
        AND a.type = n.type AND a.category IS NOT DISTINCT FROM n.category
    ORDER BY a.received_at, a.id LIMIT 10) l
WHERE n.id = ANY ($1::uuid[])
"""
_REPEATS = """
UPDATE appeals SET repeat_of = $2, repeats = $3, updated_at = $4,
    changed_xid = pg_current_xact_id()::text::bigint WHERE id = $1
"""


class Origin(msgspec.Struct, frozen=True):
    """Where an appeal comes from: a visit, or a system with a number of its own for it; who there took it from the
    customer, the category of a complaint, and a digest of all that was told."""

    source: str = VISIT
    source_no: str | None = None
    taken_by: str | None = None
    category: str | None = None
    content_digest: bytes | None = None

    def first_contact(self, raised: AppealRaised) -> str | None:
        """Who heard of it first (000 §8.2.4): who raised it, and of another system's whoever took it there."""
        return raised.raised_by if self.source_no is None else self.taken_by


class Opening(msgspec.Struct, frozen=True):
    """An appeal to be stored: as raised, with the policy it runs by and the calendar it is counted on, `assumed` where
    others may turn out to count; why it has no clocks if it has none, what its timeline begins with, and what is told
    of it."""

    raised: AppealRaised
    origin: Origin
    policy: str
    calendar: str
    assumed: bool
    no_clock_reason: str | None
    entry: dict[str, object]
    told: Row


async def open_new(tx: AsyncSession, openings: Sequence[Opening], now: datetime) -> set[UUID]:
    """Stores and tells the appeals that are not open yet; returns their ids."""
    raised, told = [opening.raised for opening in openings], [opening.told for opening in openings]
    rows = await (await driver(tx)).fetch(
        _OPEN,
        now,
        told[0].topic,
        told[0].type,
        told[0].source,
        [each.appeal_id for each in raised],
        [each.appeal_no for each in raised],
        [each.visit_id for each in raised],
        [each.customer_id for each in raised],
        [each.unit_code for each in raised],
        [each.raised_by for each in raised],
        [each.appeal_type for each in raised],
        [each.received_at for each in raised],
        [each.recorded_at for each in raised],
        [each.confidential for each in raised],
        [each.anonymous for each in raised],
        [opening.policy for opening in openings],
        [opening.no_clock_reason for opening in openings],
        [msgspec.json.encode(opening.entry).decode() for opening in openings],
        [each.id for each in told],
        [each.payload for each in told],
        [each.traceparent for each in told],
        [opening.assumed for opening in openings],
        [opening.calendar for opening in openings],
        [opening.origin.source for opening in openings],
        [opening.origin.source_no for opening in openings],
        [opening.origin.category for opening in openings],
        [opening.origin.content_digest for opening in openings],
        [opening.origin.first_contact(opening.raised) for opening in openings],
    )
    return {row["id"] for row in rows}


def visible(unit: str | None, handling: Any = Appeal.handling_unit_code) -> ColumnElement[bool]:
    """The condition that a caller of `unit` may see an appeal: its raising unit or its handling unit lies there."""
    return true() if unit is None else _lies_in(scope.below(Unit, unit), handling)


def of_unit(code: str | None, handling: Any = Appeal.handling_unit_code) -> ColumnElement[bool]:
    """The same of a unit that is asked for, if any is: a closed one is itself."""
    return true() if code is None else _lies_in(scope.under(Unit, code), handling)


def _lies_in(units: Select[Any], handling: Any) -> ColumnElement[bool]:
    # So said, the second half is answered by an index of the few appeals that another unit handles.
    elsewhere = and_(handling != Appeal.unit_code, handling.in_(units))
    return or_(Appeal.unit_code.in_(units), elsewhere)


async def find(tx: AsyncSession, id: UUID, unit: str | None) -> Appeal | None:
    """An appeal that a caller of `unit` may see, with its clocks."""
    query = select(Appeal).where(Appeal.id == id, visible(unit)).options(selectinload(Appeal.clocks))
    return (await tx.scalars(query)).one_or_none()


async def next_number(tx: AsyncSession) -> str:
    """A human number for an appeal that was raised here; gaps are allowed."""
    return str(await (await driver(tx)).fetchval(_NUMBER))


async def from_source(tx: AsyncSession, source: str, source_no: str) -> Appeal | None:
    """The appeal that a system sent under its number, whoever may see it."""
    query = select(Appeal).where(Appeal.source == source, Appeal.source_no == source_no)
    return (await tx.scalars(query)).one_or_none()


async def lock_leader(tx: AsyncSession, id: UUID, unit: str | None) -> Appeal | None:
    """The appeal that speaks for one that a caller of `unit` may see: itself, or the one it is merged into. Others who
    want to act on it wait."""
    leader = case((Appeal.state == State.CLOSED, Appeal.id), else_=func.coalesce(Appeal.merged_into, Appeal.id))
    seen = select(leader).where(Appeal.id == id, visible(unit)).correlate(None).scalar_subquery()
    return (await tx.scalars(_locked(select(Appeal).where(Appeal.id == seen)))).one_or_none()


async def seen(tx: AsyncSession, ids: Collection[UUID], unit: str | None) -> set[UUID]:
    """Those of some appeals that a caller of `unit` may see."""
    return set(await tx.scalars(select(Appeal.id).where(Appeal.id.in_(ids), visible(unit))))


async def lock(tx: AsyncSession, id: UUID) -> Appeal:
    """An appeal that exists, for an act: others who want to act on it wait."""
    return (await tx.scalars(_locked(select(Appeal).where(Appeal.id == id)))).one()


async def lock_merged(tx: AsyncSession, leaders: Collection[UUID]) -> Sequence[Appeal]:
    """The appeals that are merged into locked ones, locked too."""
    query = select(Appeal).where(Appeal.merged_into.in_(leaders), Appeal.state != State.CLOSED).order_by(Appeal.id)
    return (await tx.scalars(_locked(query))).all()


def _locked(query: Select[Appeal]) -> Select[Appeal]:
    return query.with_for_update(of=Appeal).execution_options(populate_existing=True)


async def on_visits(tx: AsyncSession, visits: Collection[UUID]) -> dict[UUID, Standing]:
    """How the appeals raised on `visits` stand, by visit; one without any is left out."""
    rows = await (await driver(tx)).fetch(_ON_VISITS, [*visits])
    return {row["visit_id"]: Standing(row["open"], row["closed_at"]) for row in rows}


async def first_done(tx: AsyncSession, appeal: UUID) -> datetime | None:
    """When the first was done of what is recorded at its true time."""
    query = (
        select(TimelineEntry.at)
        .where(TimelineEntry.appeal_id == appeal, TimelineEntry.kind.in_(_AT_TRUE_TIMES))
        .order_by(TimelineEntry.at)
        .limit(1)
    )
    return (await tx.scalars(query)).one_or_none()


async def contacts(tx: AsyncSession, appeal: UUID) -> Sequence[Contact]:
    """The recorded contacts and attempts, in the order of their true times."""
    return (await tx.scalars(select(Contact).where(Contact.appeal_id == appeal).order_by(Contact.at, Contact.id))).all()


async def contacts_page(tx: AsyncSession, appeal: UUID, window: Window) -> Listing[Contact]:
    """The same, some of them."""
    return await window.fetch(tx, select(Contact).where(Contact.appeal_id == appeal), Contact, Contact.at, Contact.id)


async def answers(tx: AsyncSession, appeal: UUID) -> Sequence[Answer]:
    """The recorded answers, in the order of their true times."""
    return (await tx.scalars(select(Answer).where(Answer.appeal_id == appeal).order_by(Answer.at, Answer.id))).all()


async def answers_page(tx: AsyncSession, appeal: UUID, window: Window) -> Listing[Answer]:
    """The same, some of them."""
    return await window.fetch(tx, select(Answer).where(Answer.appeal_id == appeal), Answer, Answer.at, Answer.id)


async def returned(tx: AsyncSession, days: Mapping[UUID, int]) -> list[tuple[Any, ...]]:
    """Those of some appeals, each looked at for so many days back, that repeat another one than they say, or none, as
    they came."""
    rows = await (await driver(tx)).fetch(_RETURNED, [*days], [*days.values()])
    return [tuple(row) for row in rows]


async def later(tx: AsyncSession, ids: Collection[UUID]) -> dict[UUID, str]:
    """The open appeals that may repeat one of some, each with its policy."""
    return {row["id"]: row["policy"] for row in await (await driver(tx)).fetch(_LATER, [*ids])}


async def repeats(tx: AsyncSession, id: UUID, earlier: UUID | None, times: int, now: datetime) -> None:
    """Links an appeal that this transaction opened or locked to the one it repeats, or to none."""
    await (await driver(tx)).execute(_REPEATS, id, earlier, times, now)


async def open_of(tx: AsyncSession, owner: str, received_by: datetime, after: UUID | None, most: int) -> Sequence[UUID]:
    """Some open appeals that somebody has of those received by then, in their order."""
    theirs = func.coalesce(Appeal.handler, Appeal.first_contact) == owner
    query = select(Appeal.id).where(text("state <> 'closed'"), theirs, Appeal.received_at <= received_by)
    query = query.where(Appeal.id > after) if after is not None else query
    return (await tx.scalars(query.order_by(Appeal.id).limit(most))).all()
