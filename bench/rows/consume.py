"""P3: the tracker takes in a backlog of raised appeals, beside reading it and beside storing the same rows, bare."""

from collections.abc import Sequence
from dataclasses import replace

import asyncpg
from aiokafka import AIOKafkaConsumer

from bench.children import settings
from bench.copying import Copy, copies
from bench.ground import Ground
from bench.measure import Side, Stopwatch, interleave, profiled
from bench.outcome import Goal, Outcome
from bench.row import Row, Run
from bench.tracker import BUSES, SERVICE, TOPIC, WRITTEN, BusName, consumer, records, tracker
from chassis.ids import new_id
from chassis.runtime import Runtime

BACKLOG = 200_000  # events, taken in a share a round
PAGE = 5000  # records a bare reader asks for
READ, STORED = "bare read", "bare INSERT of the same rows"
_SELECT = f"SELECT * FROM records WHERE topic = $1 AND record_offset >= $2 ORDER BY record_offset LIMIT {PAGE}"


async def measure(run: Run) -> Sequence[Outcome]:
    """Two lines, one for each bus."""
    return [await _on(run, bus) for bus in BUSES]


ROW = Row("P3", f"the tracker takes in a backlog of {BACKLOG:,} raised appeals", measure)


async def _on(run: Run, bus: BusName) -> Outcome:
    # Besides the rounds a share to warm up, and one to see where the time goes.
    ground, share = run.ground, BACKLOG // (run.rounds + 2)
    await ground.clear_bus(TOPIC.name)
    await ground.database(SERVICE)
    await ground.clear(SERVICE, *WRITTEN)
    environment = await settings(ground, SERVICE, 1, bus)
    async with tracker(environment) as runtime, copies(ground, SERVICE, WRITTEN) as copy:
        run.say(f"{BUSES[bus]}: publishing {BACKLOG:,} events")
        for _ in range(0, BACKLOG, PAGE):
            await runtime.bus.publish(records(PAGE))

        async def read() -> float:
            return await (_getmany(ground, share) if bus == "kafka" else _select(ground, share))

        sides: dict[str, Side] = {
            "ours": lambda: _consume(ground, runtime, share),
            READ: read,
            STORED: lambda: _store(ground, copy),
        }
        series = await interleave(run.say, "events/s", run.rounds, sides)
        limit = [min(pair) for pair in zip(series[READ], series[STORED], strict=True)]
        slower = READ if limit == series[READ] else STORED
        work, note = f"intake of a backlog, {BUSES[bus]}", f"{copy.rows / copy.events:.1f} rows an event"
        outcome = Outcome("P3", work, "events/s", Goal(0.6), series["ours"], slower, limit, [note])
        if outcome.met:
            return outcome
        with profiled() as where:
            await _consume(ground, runtime, share)
        return replace(outcome, where=where[0])


async def _consume(ground: Ground, runtime: Runtime, count: int) -> float:
    its = consumer(runtime)
    await ground.rest()
    watch = Stopwatch()
    while its.position < count:
        await its.run_once()
    seconds = watch.seconds
    await its.close()
    return its.position / seconds


async def _store(ground: Ground, copy: Copy) -> float:
    before, parts = copy.events, await copy.waiting()
    await ground.rest()
    watch = Stopwatch()
    await copy.store(parts)
    return (copy.events - before) / watch.seconds


async def _getmany(ground: Ground, count: int) -> float:
    its = AIOKafkaConsumer(
        TOPIC.name,
        bootstrap_servers=ground.kafka(),
        group_id=f"bench-{new_id()}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    watch, read = Stopwatch(), 0
    await its.start()
    try:
        while read < count:
            read += sum(map(len, (await its.getmany(timeout_ms=1000, max_records=PAGE)).values()))
        return read / watch.seconds
    finally:
        await its.stop()


async def _select(ground: Ground, count: int) -> float:
    connection = await asyncpg.connect((await ground.database("bus")).service)
    watch, read = Stopwatch(), 0
    try:
        while read < count:
            read += len(await connection.fetch(_SELECT, TOPIC.name, read))
        return read / watch.seconds
    finally:
        await connection.close()
