"""Open appeals by the hundred thousand, made by the server itself once in a run, and fresh copies of them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

import asyncpg

from appeal_tracker.calendars.loader import cn_statutory
from appeal_tracker.clocks.planning import plan
from appeal_tracker.policies.ladder import Phase
from appeal_tracker.policies.loader import FLOOR, packaged_policies
from bench.children import settings
from bench.events import AT, UNIT
from bench.ground import Ground
from bench.tracker import SERVICE, tracker
from chassis.clock import Clock
from chassis.runtime import Runtime

# The ladder of a consultation, as the product plans it; an appeal stands before one of its steps.
_POLICY, _CALENDAR = packaged_policies()[FLOOR], cn_statutory()
(_LIMIT,) = _POLICY.limits("consultation")
_DEADLINE, LADDER = plan(_LIMIT, AT, _POLICY, _CALENDAR)
_DUE = next(place for place, point in enumerate(LADDER, 1) if point.phase is Phase.DUE)


class Stretch(NamedTuple):
    """So many open appeals whose next steps fire one after the other, `apart`, the first at `at`."""

    appeals: int
    at: datetime
    apart: timedelta = timedelta(0)
    before: Sequence[int] = range(1, len(LADDER) + 1)  # the places on the ladder they stand before, in turn


class Standing(NamedTuple):
    """A set of open appeals, under the name of the database that holds it."""

    name: str
    stretches: Sequence[Stretch]


EARLY = AT - timedelta(hours=1)
LATER = AT + timedelta(days=30)  # when the next steps of those fire that no row waits for
STEADY = AT + timedelta(days=1)
STEADILY = timedelta(milliseconds=1)
AT_ONCE = 50_000  # due at one instant, in a million
FEW = 10_000  # due at an earlier one, in as many or more

MILLION = Standing(
    "standing_1m",
    [
        Stretch(FEW, EARLY),
        Stretch(AT_ONCE, AT),
        Stretch(300_000, STEADY, STEADILY),
        Stretch(640_000, LATER, timedelta(seconds=1)),
    ],
)
HUNDRED_THOUSAND = Standing("standing_100k", [Stretch(FEW, EARLY), Stretch(90_000, LATER, timedelta(seconds=1))])
TEN_THOUSAND = Standing("standing_10k", [Stretch(FEW, EARLY)])
FALLEN_DUE = Standing("standing_due", [Stretch(FEW, EARLY, before=[_DUE]), Stretch(100_000, AT, before=[_DUE])])

# Ids ascend with time, as ours do: what was opened together lies together.
_ITS = """
WITH its AS (
    SELECT lpad(to_hex(n), 31, '0') AS id, n, place,
           $3::timestamptz + (n - $1) * $4::interval - ($6::interval[])[place] AS started_at
    FROM generate_series($1::bigint, $1 + $2::bigint - 1) AS n,
         LATERAL (SELECT ($5::integer[])[1 + (n - $1) % cardinality($5)] AS place) AS stands
)
"""
_APPEALS = f"""
{_ITS}
INSERT INTO appeals (id, appeal_no, visit_id, unit_code, handling_unit_code, first_contact, type, state, round,
                     received_at, recorded_at, confidential, anonymous, policy, updated_at)
SELECT ('a' || id)::uuid, 'VA' || lpad(n::text, 10, '0'), ('b' || id)::uuid, '{UNIT}', '{UNIT}', 'S0001',
       'consultation', 'open', 1, started_at, started_at, false, false, '{_POLICY.label}', started_at
FROM its
"""
_CLOCKS = f"""
{_ITS}
INSERT INTO clocks (id, subject_kind, subject_id, round, milestone, appeal_type, started_at, due_at, policy, calendar,
                    provisional, state, breached_at)
SELECT ('c' || id)::uuid, 'appeal', ('a' || id)::uuid, 1, '{_LIMIT.milestone}', 'consultation', started_at,
       started_at + $7::interval, '{_POLICY.label}', '{_CALENDAR.label}', false,
       CASE WHEN place > {_DUE} THEN 'breached' ELSE 'running' END,
       CASE WHEN place > {_DUE} THEN started_at + $7::interval END
FROM its
"""
_TIMERS = f"""
{_ITS}
INSERT INTO timers (clock_id, step, phase, tell, fire_at, state, fired_at, late)
SELECT ('c' || id)::uuid, step, phase, string_to_array(tell, ','), started_at + reached,
       CASE WHEN rung < place THEN 'fired' ELSE 'pending' END,
       CASE WHEN rung < place THEN started_at + reached END,
       CASE WHEN rung < place THEN false END
FROM its, unnest($7::text[], $8::text[], $9::text[], $6) WITH ORDINALITY AS l (step, phase, tell, reached, rung)
"""
_TIMELINE = f"""
{_ITS}
INSERT INTO timeline (appeal_id, at, recorded_at, kind, data)
SELECT ('a' || id)::uuid, started_at, started_at, 'opened', '{{"round": 1}}' FROM its
"""


async def make(ground: Ground, standing: Standing) -> None:
    """Makes the appeals of a set, unless this run has them already."""
    if standing.name in ground:
        return
    urls = await ground.database(standing.name, of=SERVICE)
    reached = [point.fire_at - AT for point in LADDER]
    ladder = [[p.step for p in LADDER], [str(p.phase) for p in LADDER], [",".join(p.tell) for p in LADDER]]
    owner = await asyncpg.connect(urls.migration)
    try:
        first = 1
        for its in standing.stretches:
            where = (first, its.appeals, its.at, its.apart, list(its.before), reached)
            await owner.execute(_APPEALS, *where)
            await owner.execute(_CLOCKS, *where, _DEADLINE.due_at - AT)
            await owner.execute(_TIMERS, *where, *ladder)
            await owner.execute(_TIMELINE, *where)
            first += its.appeals
        await owner.execute("VACUUM (FREEZE, ANALYZE)")
    finally:
        await owner.close()


@asynccontextmanager
async def fresh(ground: Ground, standing: Standing, clock: Clock, name: str = "fresh") -> AsyncIterator[Runtime]:
    """The tracker on a fresh copy, called `name`, of a set of open appeals."""
    await make(ground, standing)
    urls = await ground.copy(name, of=standing.name)
    environment = await settings(ground, SERVICE, 1, "embedded")
    environment[f"{SERVICE.upper()}_DATABASE_URL"] = urls.service
    async with tracker(environment, clock) as runtime:
        yield runtime
