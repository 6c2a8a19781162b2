"""P5: timers fired with a million open appeals, beside the same writes as bare SQL; and many due at one instant."""

from collections.abc import Sequence
from dataclasses import replace

import asyncpg

from bench.events import AT
from bench.firing import Written, drain, fallen_due, written
from bench.measure import Stopwatch, interleave, profiled
from bench.outcome import Goal, Outcome
from bench.row import Row, Run
from bench.standing import AT_ONCE, LADDER, MILLION
from chassis.runtime import Runtime

BATCH = 5000  # timers in a bare statement: past that it gets no faster
BARE = "the same writes, bare"
_PAYLOAD = 'SELECT payload FROM outbox WHERE "time" = $1 ORDER BY seq DESC LIMIT 1'
_DATA = "SELECT data::text FROM timeline WHERE recorded_at = $1 ORDER BY seq DESC LIMIT 1"

# What firing leaves behind, in one statement, without asking what any of it says.
_BARE = """
WITH due AS MATERIALIZED (
    SELECT t.clock_id, t.step, t.phase, c.subject_id
    FROM timers t JOIN clocks c ON c.id = t.clock_id
    WHERE t.state = 'pending' AND t.fire_at <= $1 ORDER BY t.fire_at LIMIT $2
), fired AS (
    UPDATE timers SET state = 'fired', fired_at = $1, late = false
    FROM due WHERE timers.clock_id = due.clock_id AND timers.step = due.step
), breached AS (
    UPDATE clocks SET state = 'breached', breached_at = $1, changed_at = $1,
                      changed_xid = pg_current_xact_id()::text::bigint
    FROM due WHERE id = due.clock_id AND due.phase = 'due'
), noted AS (
    INSERT INTO timeline (appeal_id, at, recorded_at, kind, data)
    SELECT subject_id, $1, $1, 'deadline_warned', $3 FROM due
)
INSERT INTO outbox (id, aggregatetype, aggregateid, type, source, subject, "time", payload)
SELECT gen_random_uuid(), 'appeal.events', subject_id::text, 'deadline.warned.v1', '/appeal_tracker', subject_id::text,
       $1, $4
FROM due
"""


async def measure(run: Run) -> Sequence[Outcome]:
    """Two lines: the rate beside its limit, and how long it takes until what fell due at one instant is gone."""
    its = _Firing(run)
    series = await interleave(run.say, "timers/s", run.rounds, {"ours": its.ours, BARE: its.bare})
    rate = Outcome("P5", "timers fired, 1 M open", "timers/s", Goal(0.6), series["ours"], BARE, series[BARE])
    seconds = [AT_ONCE / ours for ours in series["ours"]]
    at_once = Outcome("P5", f"{AT_ONCE:,} due at one instant", "s", Goal(10, at_least=False), seconds)
    if rate.met and at_once.met:
        return [rate, at_once]
    async with fallen_due(run.ground, MILLION) as runtime:
        with profiled() as where:
            await drain(runtime)
    return [replace(rate, where=where[0]), replace(at_once, where=where[0])]


ROW = Row("P5", "timers fired with 1 M open appeals: claim, re-check, state, outbox", measure)


class _Firing:
    """The two sides: each fires the same timers, in a fresh copy of the same appeals."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._data, self._payload = "{}", b"{}"  # of what ours wrote last: the bare side writes as many bytes

    async def ours(self) -> float:
        async with fallen_due(self._run.ground, MILLION) as runtime:
            seconds = await drain(runtime)
            await _check(runtime)
            async with runtime.db.connection() as connection:
                self._data = await connection.fetchval(_DATA, AT)
                self._payload = await connection.fetchval(_PAYLOAD, AT)
        return AT_ONCE / seconds

    async def bare(self) -> float:
        async with fallen_due(self._run.ground, MILLION) as runtime, runtime.db.connection() as connection:
            seconds = await self._write(connection)
            await _check(runtime)
        return AT_ONCE / seconds

    async def _write(self, connection: asyncpg.Connection) -> float:
        statement = await connection.prepare(_BARE)
        watch = Stopwatch()
        for _ in range(0, AT_ONCE, BATCH):
            await statement.fetch(AT, BATCH, self._data, self._payload)
        return watch.seconds


async def _check(runtime: Runtime) -> None:
    breaches = AT_ONCE // len(LADDER)
    expected = Written(AT_ONCE, breaches, breaches, AT_ONCE, AT_ONCE)
    if (its := await written(runtime, AT)) != expected:
        raise RuntimeError(f"written was {its}, and not {expected}")
