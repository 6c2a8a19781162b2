"""Open appeals whose deadlines reach into a year without a notice, and the notice that then comes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from appeal_tracker.calendars.festivals import statutory_days
from appeal_tracker.calendars.loader import cn_statutory
from appeal_tracker.clocks.planning import plan
from appeal_tracker.policies.loader import FLOOR, packaged_policies
from bench.children import settings
from bench.events import UNIT
from bench.ground import Ground
from bench.tracker import SERVICE, tracker
from chassis.clock import ManualClock
from chassis.runtime import Runtime

NOW = datetime.fromisoformat("2026-12-31T18:00:00+08:00")
_FIRST = datetime.fromisoformat("2026-12-23T08:00:00+08:00")
_DAYS = 8  # on each of which as many were received, within nine hours
_POLICY, _CALENDAR = packaged_policies()[FLOOR], cn_statutory()
(_LIMIT,) = _POLICY.limits("consultation")

# Ids ascend with time, as ours do: what was opened together lies together.
_ITS = """
WITH its AS (
    SELECT lpad(to_hex(n), 31, '0') AS id, n, $3::timestamptz + (n - $1) * interval '9 hours' / $2::bigint AS started_at
    FROM generate_series($1::bigint, $1 + $2::bigint - 1) AS n)
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
                    provisional, state)
SELECT ('c' || id)::uuid, 'appeal', ('a' || id)::uuid, 1, '{_LIMIT.milestone}', 'consultation', started_at,
       $4::timestamptz, '{_POLICY.label}', '{_CALENDAR.label}', true, 'running'
FROM its
"""
_TIMERS = f"""
{_ITS}
INSERT INTO timers (clock_id, step, phase, tell, fire_at, state)
SELECT ('c' || id)::uuid, step, phase, string_to_array(tell, ','), fire_at,
       CASE WHEN fire_at <= '{NOW.isoformat()}' THEN 'fired' ELSE 'pending' END
FROM its, unnest($4::text[], $5::text[], $6::text[], $7::timestamptz[]) AS l (step, phase, tell, fire_at)
"""
_TIMELINE = f"""
{_ITS}
INSERT INTO timeline (appeal_id, at, recorded_at, kind, data)
SELECT ('a' || id)::uuid, started_at, started_at, 'opened', '{{"round": 1}}' FROM its
"""


def notice() -> dict[str, Any]:
    """2027 as a notice gives it, with two days moved: everything that reaches into it moves, or becomes certain."""
    days = [{"name": day.name, "date": day.date.isoformat(), "isOffDay": True} for day in statutory_days(2027)]
    moved = [{"name": "元旦", "date": "2027-01-04", "isOffDay": True}]
    moved += [{"name": "元旦", "date": "2027-01-16", "isOffDay": False}]
    return {"year": 2027, "papers": ["a notice"], "days": [*days, *moved]}


async def make(ground: Ground, count: int) -> str:
    """The database with so many, made once in a run."""
    name = f"touched_{count}"
    if name in ground:
        return name
    urls = await ground.database(name, of=SERVICE)
    owner = await asyncpg.connect(urls.migration)
    try:
        await owner.execute("INSERT INTO units (id, code, version) VALUES (gen_random_uuid(), $1, 1)", UNIT)
        for number in range(_DAYS):
            start = _FIRST + timedelta(days=number)
            deadline, ladder = plan(_LIMIT, start, _POLICY, _CALENDAR)
            where = (1 + number * (count // _DAYS), count // _DAYS, start)
            steps = [[p.step for p in ladder], [str(p.phase) for p in ladder], [",".join(p.tell) for p in ladder]]
            await owner.execute(_APPEALS, *where)
            await owner.execute(_CLOCKS, *where, deadline.due_at)
            await owner.execute(_TIMERS, *where, *steps, [point.fire_at for point in ladder])
            await owner.execute(_TIMELINE, *where)
        await owner.execute("VACUUM (FREEZE, ANALYZE)")
    finally:
        await owner.close()
    return name


@asynccontextmanager
async def touched(ground: Ground, count: int, name: str = "touched") -> AsyncIterator[Runtime]:
    """The tracker on a fresh copy, called `name`, of so many."""
    urls = await ground.copy(name, of=await make(ground, count))
    environment = await settings(ground, SERVICE, 1, "embedded")
    environment[f"{SERVICE.upper()}_DATABASE_URL"] = urls.service
    async with tracker(environment, ManualClock(NOW)) as runtime:
        yield runtime
