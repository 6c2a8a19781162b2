"""P10: a calendar year is published, and every open appeal that reaches into it moves; beside the same writes, bare."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from math import inf
from statistics import median
from uuid import UUID

import asyncpg
import msgspec

from appeal_tracker.recalculations import service
from appeal_tracker.recalculations.worker import Recalculating
from bench.events import UNIT
from bench.ground import Ground
from bench.measure import Side, Stopwatch, interleave, profiled, quantile
from bench.outcome import Goal, Outcome
from bench.row import Row, Run
from bench.touched import notice, touched
from bench.tracker import consumer, records
from chassis.runtime import Runtime
from chassis.web.tokens import Principal
from contracts.topics import TOPICS

SOME, MILLION = 100_000, 1_000_000
BATCH = 2000
EVENTS, APART = 100, 0.05  # heard before it, and then until it is done, so many seconds one after the other
APPEAL_EVENTS = TOPICS["appeal.events"]
BARE = "the same writes as bare SQL"
ADMIN = Principal(sub="S0009", unit=UNIT, roles=frozenset({"admin"}))

_IDS = "SELECT id, subject_id FROM clocks ORDER BY id"
_WRITES = (
    """
UPDATE clocks SET due_at = due_at + interval '1 day', provisional = false, calendar = 'cn-statutory@2',
                  changed_at = now(), changed_xid = pg_current_xact_id()::text::bigint
WHERE id = ANY ($1::uuid[])
""",
    """
UPDATE timers SET fire_at = fire_at + interval '1 day' WHERE clock_id = ANY ($1::uuid[]) AND state = 'pending'
""",
    """
INSERT INTO timeline (appeal_id, at, recorded_at, kind, data)
SELECT id, now(), now(), 'deadline_recalculated',
       jsonb_build_object('recalculation_id', $2::text, 'is', repeat('x', 400))
FROM unnest($1::uuid[]) AS id
""",
    """
INSERT INTO outbox (id, aggregatetype, aggregateid, type, source, subject, time, payload)
SELECT gen_random_uuid(), 'appeal.events', id, 'deadline.recalculated.v1', '/appeal_tracker', id, now(),
       convert_to(repeat('x', 500), 'UTF8')
FROM unnest($1::uuid[]) AS id
""",
)
_ON_CLOCKS = 2  # so many of these writes name clocks, the others appeals


class _Raised(msgspec.Struct):
    appeal_id: UUID


async def measure(run: Run) -> Sequence[Outcome]:
    """Three lines: the rate beside its limit; a million, and how others fare meanwhile."""
    return [await _rate(run), *await _million(run)]


ROW = Row("P10", f"recalculating {MILLION:,} open appeals", measure)


async def _rate(run: Run) -> Outcome:
    sides: dict[str, Side] = {"ours": lambda: _ours(run.ground, SOME), BARE: lambda: _bare(run.ground, SOME)}
    series = await interleave(run.say, "appeals/s", run.rounds, sides)
    work = f"{SOME:,} open appeals moved by a new calendar version"
    outcome = Outcome("P10", work, "appeals/s", Goal(0.5), series["ours"], BARE, series[BARE])
    if outcome.met:
        return outcome
    async with touched(run.ground, SOME) as runtime:
        await _publish(runtime)
        with profiled() as where:
            await _recalculate(runtime)
    return replace(outcome, where=where[0])


async def _ours(ground: Ground, count: int) -> float:
    async with touched(ground, count) as runtime:
        await _publish(runtime)
        await ground.rest()
        seconds = await _recalculate(runtime)
        async with runtime.db.connection() as connection:
            moved = await connection.fetchval("SELECT count(*) FROM clocks WHERE calendar = 'cn-statutory@2'")
        if moved != count:
            raise RuntimeError(f"{moved} of {count} clocks are under the new version")
        return count / seconds


async def _million(run: Run) -> Sequence[Outcome]:
    """Events are heard before the job and meanwhile, until it is done, in the process that recalculates and relays."""
    await run.ground.clear_bus(APPEAL_EVENTS.name)
    async with touched(run.ground, MILLION) as runtime:
        await runtime.bus.ensure([APPEAL_EVENTS])
        workers = [consumer(runtime), *runtime.relay([APPEAL_EVENTS]), Recalculating(runtime)]
        for worker in workers:
            worker.start()
        try:
            quiet = [await _heard(runtime) for _ in range(EVENTS)]
            await run.ground.rest()
            watch, busy = Stopwatch(), list[float]()
            await _publish(runtime)
            while not await _is_done(runtime):
                busy.append(await _heard(runtime))
                if len(busy) % EVENTS == 0:
                    run.say(f"{watch.seconds:.0f} s, event → clocks in {median(busy[-EVENTS:]):.1f} ms")
            seconds = watch.seconds
        finally:
            for worker in workers:
                await worker.stop()
    note = f"p95 {quantile(busy, 0.95):.0f} ms, {quantile(quiet, 0.95):.0f} before it; {len(busy):,} events"
    took = Outcome("P10", f"{MILLION:,} of them, while events are heard", "s", Goal(120, at_least=False), [seconds])
    work, goal = "event → clocks meanwhile, in one process", Goal(2, at_least=False)
    return [took, Outcome("P10", work, "ms", goal, [median(busy)], "before it", [median(quiet)], [note])]


async def _is_done(runtime: Runtime) -> bool:
    async with runtime.db.connection() as connection:
        return bool(await connection.fetchval("SELECT count(*) FROM recalculations WHERE state = 'done'"))


async def _heard(runtime: Runtime) -> float:
    """Milliseconds from publishing an event until its clocks are committed."""
    (record,) = records(1)
    appeal = msgspec.json.decode(record.value or b"", type=_Raised).appeal_id
    await asyncio.sleep(APART)
    watch = Stopwatch()
    await runtime.bus.publish([record])
    while True:
        async with runtime.db.connection() as connection:
            if await connection.fetchval("SELECT count(*) FROM clocks WHERE subject_id = $1", appeal):
                return watch.seconds * 1000
        await asyncio.sleep(0.001)


async def _publish(runtime: Runtime) -> None:
    async with runtime.db.transaction() as tx:
        await service.publish_calendar(
            tx, ADMIN, "cn-statutory", notice(), runtime.clock.now(), dry_run=False, after=None, most=1
        )


async def _recalculate(runtime: Runtime) -> float:
    worker = Recalculating(runtime)
    worker.config.counted_every = inf  # nobody relays here: what waits is never as much where somebody does
    watch = Stopwatch()
    while await worker.run_once():
        pass
    await worker.close()
    return watch.seconds


async def _bare(ground: Ground, count: int) -> float:
    async with touched(ground, count) as runtime:
        connection = await asyncpg.connect((await ground.database("touched")).service)
        try:
            rows = await connection.fetch(_IDS)
            statements = [await connection.prepare(write) for write in _WRITES]
            await ground.rest()
            watch = Stopwatch()
            for place in range(0, len(rows), BATCH):
                part = rows[place : place + BATCH]
                async with connection.transaction():
                    for number, statement in enumerate(statements):
                        ids: list[UUID] = [row["id" if number < _ON_CLOCKS else "subject_id"] for row in part]
                        its = (ids, "job") if "$2" in statement.get_query() else (ids,)
                        await statement.fetch(*its)
            return count / watch.seconds
        finally:
            await connection.close()
            del runtime
