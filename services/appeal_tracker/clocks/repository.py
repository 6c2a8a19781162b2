"""SQL of the clocks, and of the timers that are set with them; what becomes of those is with the ladders."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.clocks import timeline
from appeal_tracker.clocks.models import Clock, RecordedHold
from appeal_tracker.clocks.planning import NewClock
from appeal_tracker.clocks.replanning import Plan
from appeal_tracker.clocks.states import ClockState
from chassis.db import driver
from chassis.web.paging import Listing, Window

# One statement for any number of clocks. An array of arrays cannot be unnested by rows: audiences travel joined.
_INSERT = """
WITH started AS (
    INSERT INTO clocks (id, subject_kind, subject_id, round, milestone, appeal_type, started_at, due_at, policy,
                        calendar, provisional, late_arrival, state)
    SELECT c.*, 'running'
    FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::integer[], $5::text[], $6::text[], $7::timestamptz[],
                $8::timestamptz[], $9::text[], $10::text[], $11::boolean[], $12::boolean[]) AS c)
INSERT INTO timers (clock_id, step, phase, tell, fire_at, state, set_at)
SELECT t.clock_id, t.step, t.phase, string_to_array(t.tell, ','), t.fire_at, 'pending',
       CASE WHEN t.fire_at < $18 THEN $18::timestamptz END
FROM unnest($13::uuid[], $14::text[], $15::text[], $16::text[], $17::timestamptz[])
     AS t (clock_id, step, phase, tell, fire_at)
"""

# What fired stays fired. What is not planned any more never fires, and may be planned again by a later change. Many
# clocks share their plan but for their start: it travels once, and each clock names its own. The timers of a clock are
# looked up once. FULL JOIN: whatever the planner believes of arrays that it does not see, this is never done by loops.
_REWRITE = """
WITH its AS MATERIALIZED (
    SELECT c.id, c.started_at, c.marked, p.*
    FROM unnest($1::uuid[], $2::timestamptz[], $3::integer[], $17::boolean[]) AS c (id, started_at, plan, marked)
         JOIN unnest($4::integer[], $5::timestamptz[], $6::boolean[], $7::text[], $8::text[], $9::text[], $10::uuid[])
              AS p (plan, due_at, provisional, policy, calendar, state, promised_by) USING (plan)
), planned AS MATERIALIZED (
    SELECT its.id AS clock_id, t.step, t.phase, string_to_array(t.tell, ',') AS tell, t.fire_at, t.state
    FROM its JOIN unnest($11::integer[], $12::text[], $13::text[], $14::text[], $15::timestamptz[], $16::text[])
                  AS t (plan, step, phase, tell, fire_at, state) USING (plan)
), compared AS MATERIALIZED (
    SELECT coalesce(p.clock_id, t.clock_id) AS clock_id, coalesce(p.step, t.step) AS step,
           coalesce(p.phase, t.phase) AS phase, coalesce(p.tell, t.tell) AS tell,
           coalesce(p.fire_at, t.fire_at) AS fire_at, coalesce(p.state, 'cancelled') AS state, t.state AS was,
           CASE WHEN p.clock_id IS NULL THEN t.state <> 'cancelled' ELSE
               (t.phase, t.tell, t.fire_at, t.state) IS DISTINCT FROM (p.phase, p.tell, p.fire_at, p.state)
           END AS differs
    FROM planned p FULL JOIN (SELECT t.* FROM its JOIN timers t ON t.clock_id = its.id) AS t
         ON t.clock_id = p.clock_id AND t.step = p.step
), rewritten AS (
    UPDATE clocks SET started_at = its.started_at, due_at = its.due_at, provisional = its.provisional,
                      policy = its.policy, calendar = its.calendar, state = its.state, promised_by = its.promised_by,
                      changed_at = CASE WHEN its.marked THEN $18::timestamptz ELSE clocks.changed_at END,
                      changed_xid = CASE WHEN its.marked THEN (SELECT pg_current_xact_id()::text::bigint)
                                         ELSE clocks.changed_xid END
    FROM its WHERE clocks.id = its.id
), moved AS (
    UPDATE timers t SET phase = c.phase, tell = c.tell, fire_at = c.fire_at, state = c.state,
                        set_at = CASE WHEN (t.fire_at, t.state) = (c.fire_at, c.state) THEN t.set_at
                                      WHEN c.fire_at < $18 THEN $18 END
    FROM compared c WHERE c.was <> 'fired' AND c.differs AND t.clock_id = c.clock_id AND t.step = c.step
)
INSERT INTO timers (clock_id, step, phase, tell, fire_at, state, set_at)
SELECT clock_id, step, phase, tell, fire_at, state, CASE WHEN fire_at < $18 THEN $18 END
FROM compared WHERE was IS NULL
"""

# What is breached alone is found too, and binds nobody but itself.
_BROKEN = """
SELECT id, due_at FROM clocks WHERE id = ANY ($1::uuid[]) AND state = 'breached'
UNION SELECT follows, due_at FROM clocks WHERE follows = ANY ($1::uuid[]) AND state = 'breached'
"""

_FOLLOW = """
UPDATE clocks SET follows = n.follows FROM unnest($1::uuid[], $2::uuid[]) AS n (id, follows) WHERE clocks.id = n.id
"""


async def insert(tx: AsyncSession, clocks: Sequence[NewClock], now: datetime) -> None:
    """Stores clocks and their timers, set `now`, in one round trip however many."""
    if not clocks:
        return
    timers = [(clock.id, timer) for clock in clocks for timer in clock.timers]
    await (await driver(tx)).execute(
        _INSERT,
        [clock.id for clock in clocks],
        [clock.subject.kind for clock in clocks],
        [clock.subject.id for clock in clocks],
        [clock.subject.round for clock in clocks],
        [clock.milestone for clock in clocks],
        [clock.subject.appeal_type for clock in clocks],
        [clock.started_at for clock in clocks],
        [clock.due_at for clock in clocks],
        [clock.policy for clock in clocks],
        [clock.calendar for clock in clocks],
        [clock.provisional for clock in clocks],
        [clock.late_arrival for clock in clocks],
        [clock for clock, _ in timers],
        [timer.step for _, timer in timers],
        [timer.phase for _, timer in timers],
        [",".join(timer.tell) for _, timer in timers],
        [timer.fire_at for _, timer in timers],
        now,
    )


async def follow(tx: AsyncSession, following: Mapping[UUID, UUID | None]) -> None:
    """Has locked clocks follow others, or none any more."""
    if following:
        await (await driver(tx)).execute(_FOLLOW, [*following], [*following.values()])


async def rewrite(
    tx: AsyncSession, plans: Sequence[tuple[UUID, Plan]], now: datetime, mark: Collection[UUID] = ()
) -> None:
    """Writes locked clocks and their timers as planned `now`, in one round trip however many; those to `mark` as
    changed by that."""
    if not plans:
        return
    numbers: dict[tuple[object, ...], int] = {}
    each = [numbers.setdefault(_shared(plan), len(numbers)) for _, plan in plans]
    by_number = {number: plan for number, (_, plan) in zip(each, plans, strict=True)}
    shared = [by_number[number] for number in range(len(numbers))]
    timers = [(number, timer) for number, plan in enumerate(shared) for timer in plan.timers]
    await (await driver(tx)).execute(
        _REWRITE,
        [clock for clock, _ in plans],
        [plan.started_at for _, plan in plans],
        each,
        list(range(len(shared))),
        [plan.due_at for plan in shared],
        [plan.provisional for plan in shared],
        [plan.policy for plan in shared],
        [plan.calendar for plan in shared],
        [plan.state for plan in shared],
        [plan.promised_by for plan in shared],
        [number for number, _ in timers],
        [timer.point.step for _, timer in timers],
        [timer.point.phase for _, timer in timers],
        [",".join(timer.point.tell) for _, timer in timers],
        [timer.point.fire_at for _, timer in timers],
        [timer.state for _, timer in timers],
        [clock in mark for clock, _ in plans],
        now,
    )


def _shared(plan: Plan) -> tuple[object, ...]:
    """What plans have in common, but for the start; those that were computed as one have one ladder."""
    its = (plan.due_at, plan.provisional, plan.policy, plan.calendar, plan.state, plan.promised_by)
    return (*its, id(plan.timers))


async def of_subjects(
    tx: AsyncSession, kind: str, subjects: Collection[UUID], *, lock: bool = False
) -> Sequence[Clock]:
    """The clocks of `subjects`, each subject's in the order they fall due; `lock` waits for a timer that is firing.

    Whoever locks several clocks locks them in the order of their ids, so that no two wait for each other.
    """
    query = select(Clock).where(Clock.subject_id.in_(subjects), Clock.subject_kind == kind)
    if lock:
        query = query.order_by(Clock.id).with_for_update().execution_options(populate_existing=True)
    return sorted(await tx.scalars(query), key=lambda clock: (clock.subject_id, clock.round, clock.due_at, clock.id))


async def held(tx: AsyncSession, ids: Collection[UUID]) -> Sequence[Clock]:
    """The clocks called `ids`, locked, in the order of those."""
    query = select(Clock).where(Clock.id == any_(literal([*ids], ARRAY(Uuid)))).order_by(Clock.id)
    return (await tx.scalars(query.with_for_update().execution_options(populate_existing=True))).all()


async def page(tx: AsyncSession, kind: str, subject: UUID, window: Window) -> Listing[Clock]:
    """Some clocks of a subject, in the order they fall due. Whatever changes one is noted in the timeline: a feed gives
    them all once that has grown."""
    query = select(Clock).where(Clock.subject_id == subject, Clock.subject_kind == kind)
    if not window.is_feed:
        return await window.fetch(tx, query, Clock, Clock.round, Clock.due_at, Clock.id)
    grown = await timeline.page(tx, subject, replace(window, limit=None))
    its = await tx.scalars(query.order_by(Clock.round, Clock.due_at, Clock.id)) if grown.items else ()
    return Listing([*its], grown.next)


async def find(tx: AsyncSession, id: UUID) -> Clock | None:
    """The clock called `id`."""
    return await tx.get(Clock, id)


async def group(tx: AsyncSession, clocks: Collection[UUID], *, lock: bool = True) -> Sequence[Clock]:
    """The open clocks among `clocks`, with all that follow them or that they follow, locked unless told otherwise."""
    leaders = select(func.coalesce(Clock.follows, Clock.id)).where(Clock.id == any_(literal([*clocks], ARRAY(Uuid))))
    # One set of ids, and no OR: so said, each of them is found by an index.
    members = leaders.union(select(Clock.id).where(Clock.follows.in_(leaders)))
    query = select(Clock).where(Clock.id.in_(members), Clock.state.in_((ClockState.RUNNING, ClockState.HELD)))
    query = query.order_by(Clock.id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await tx.scalars(query)).all()


async def with_promisers(tx: AsyncSession, clocks: Collection[UUID]) -> Sequence[Clock]:
    """The clocks called `clocks`, with those whose promises they kept."""
    its = Clock.id == any_(literal([*clocks], ARRAY(Uuid)))
    members = select(Clock.id).where(its).union(select(Clock.promised_by).where(its))
    return (await tx.scalars(select(Clock).where(Clock.id.in_(members)).order_by(Clock.id))).all()


async def broken(tx: AsyncSession, leaders: Collection[UUID]) -> set[tuple[UUID, datetime]]:
    """The promises that were broken among clocks merged under `leaders`: under which, and when it was due."""
    return {tuple(row) for row in await (await driver(tx)).fetch(_BROKEN, list(leaders))}


async def holds(tx: AsyncSession, subjects: Collection[UUID]) -> Sequence[RecordedHold]:
    """The holds of `subjects`, as they began."""
    # One parameter, however many they are.
    query = select(RecordedHold).where(RecordedHold.subject_id == any_(literal(list(subjects), ARRAY(Uuid))))
    return (await tx.scalars(query.order_by(RecordedHold.since, RecordedHold.id))).all()
