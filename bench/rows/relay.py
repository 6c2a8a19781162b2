"""P2: the relay drains an outbox, beside the bare writes that no relay can do without."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Protocol

import asyncpg
import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

from bench.events import AT, raised
from bench.ground import PLUMBING, Ground
from bench.measure import Stopwatch, interleave, profiled
from bench.outcome import Goal, Outcome
from bench.row import Row, Run
from chassis.db import Database
from chassis.messaging.bus import Bus, Record
from chassis.messaging.embedded import EmbeddedBus
from chassis.messaging.outbox import Outbox
from chassis.messaging.relay import Relay
from contracts.envelope import headers
from contracts.topics import TOPICS

BACKLOG = 50_000  # rows waiting
CHUNK = 10_000  # rows in a bare INSERT
TOPIC = TOPICS["visit.events"]
MARK = "UPDATE outbox SET published_at = now() WHERE seq = ANY ($1::bigint[])"
INSERT = """
INSERT INTO records (topic, record_offset, key, value, headers)
SELECT $1, $2 + r.place, r.key, r.value, r.headers
FROM unnest($3::text[], $4::bytea[], $5::bytea[]) WITH ORDINALITY AS r (key, value, headers, place)
"""


class Bare(Protocol):
    """A bus without us: what its fastest client writes, acknowledged as durably."""

    name: str

    def prepare(self, records: Sequence[Record]) -> Any:
        """Everything that can be had before the clock starts."""
        ...

    async def write(self, prepared: Any) -> None: ...


async def measure(run: Run) -> Sequence[Outcome]:
    """Two lines, one for each bus."""
    async with _embedded(run.ground) as (bus, bare):
        embedded = await _compare(run, "relay, embedded log", bus, bare, Goal(0.5))
    async with _kafka(run.ground) as (bus, bare):
        return [embedded, await _compare(run, "relay, Kafka", bus, bare, Goal(0.7))]


ROW = Row("P2", f"the relay drains {BACKLOG:,} outbox rows", measure)


async def _compare(run: Run, work: str, bus: Bus, bare: Bare, goal: Goal) -> Outcome:
    urls = await run.ground.database(PLUMBING)
    db = Database(urls.service, pool_size=4, name="bench")
    connection = await asyncpg.connect(urls.service)

    async def ours() -> float:
        await _fill(run.ground, db)
        seconds = await _drain(db, bus)
        await _check(connection)
        return BACKLOG / seconds

    async def limit() -> float:
        await _fill(run.ground, db)
        rows = await connection.fetch("SELECT * FROM outbox ORDER BY seq")
        seqs, prepared = [row["seq"] for row in rows], bare.prepare([_record(row) for row in rows])
        watch = Stopwatch()
        await bare.write(prepared)
        await connection.execute(MARK, seqs)
        seconds = watch.seconds
        await _check(connection)
        return BACKLOG / seconds

    try:
        run.say(work)
        series = await interleave(run.say, "rows/s", run.rounds, {"ours": ours, bare.name: limit})
        outcome = Outcome("P2", work, "rows/s", goal, series["ours"], bare.name, series[bare.name])
        if outcome.met:
            return outcome
        await _fill(run.ground, db)
        with profiled() as where:
            await _drain(db, bus)
        return replace(outcome, where=where[0])
    finally:
        await connection.close()
        await db.close()


async def _drain(db: Database, bus: Bus) -> float:
    relay = Relay("bench", db, bus, [TOPIC.name])
    watch = Stopwatch()
    while await relay.run_once():
        pass
    seconds = watch.seconds
    await relay.close()
    return seconds


async def _fill(ground: Ground, db: Database) -> None:
    await ground.clear("bus", "records")
    await ground.clear(PLUMBING, "outbox")
    outbox = Outbox("/visit_api")
    for _ in range(0, BACKLOG, 5000):
        async with db.transaction() as tx:
            await outbox.append(tx, [raised() for _ in range(5000)], at=AT)
    await ground.rest()


def _record(row: asyncpg.Record) -> Record:
    its = headers(row["id"], row["type"], row["source"], row["subject"], row["time"], row["traceparent"])
    return Record(row["aggregatetype"], row["aggregateid"], row["payload"], tuple(its))


async def _check(connection: asyncpg.Connection) -> None:
    left = await connection.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NULL")
    assert left == 0, f"{left} rows were left"


class _BareTable:
    name = "bare INSERT + UPDATE"

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    def prepare(self, records: Sequence[Record]) -> Any:
        columns = [(record.key, record.value, msgspec.msgpack.encode(record.headers)) for record in records]
        return [tuple(zip(*columns[start : start + CHUNK], strict=True)) for start in range(0, len(columns), CHUNK)]

    async def write(self, prepared: Any) -> None:
        for number, (keys, values, its) in enumerate(prepared):
            await self._connection.execute(INSERT, TOPIC.name, number * CHUNK, keys, values, its)


class _BareProducer:
    name = "bare send + UPDATE"

    def __init__(self, producer: AIOKafkaProducer, partitions: int) -> None:
        self._producer, self._partitions = producer, partitions

    def prepare(self, records: Sequence[Record]) -> Any:
        prepared: dict[int, list[dict[str, Any]]] = {}
        for record in records:
            key = record.key.encode()
            row = {"timestamp": None, "key": key, "value": record.value, "headers": list(record.headers)}
            prepared.setdefault((murmur2(key) & 0x7FFFFFFF) % self._partitions, []).append(row)
        return prepared

    async def write(self, prepared: Any) -> None:
        await asyncio.gather(*(self._send(partition, rows) for partition, rows in prepared.items()))

    async def _send(self, partition: int, rows: Sequence[dict[str, Any]]) -> None:
        batch, sent = self._producer.create_batch(), []
        for row in rows:
            if batch.append(**row) is None:
                sent.append(await self._producer.send_batch(batch, TOPIC.name, partition=partition))
                batch = self._producer.create_batch()
                batch.append(**row)
        sent.append(await self._producer.send_batch(batch, TOPIC.name, partition=partition))
        await asyncio.gather(*sent)


@asynccontextmanager
async def _embedded(ground: Ground) -> AsyncIterator[tuple[Bus, Bare]]:
    urls = await ground.database("bus")
    bus = EmbeddedBus(Database(urls.service, pool_size=6, name="bench bus", by_index=True))
    await bus.ensure([TOPIC])
    connection = await asyncpg.connect(urls.service)
    try:
        yield bus, _BareTable(connection)
    finally:
        await connection.close()
        await bus.close()


@asynccontextmanager
async def _kafka(ground: Ground) -> AsyncIterator[tuple[Bus, Bare]]:
    bus = ground.kafka_bus()
    await bus.ensure([TOPIC])
    # As durable as ours: acknowledged by all, never written twice.
    producer = AIOKafkaProducer(
        bootstrap_servers=ground.kafka(), acks="all", enable_idempotence=True, max_batch_size=256 * 1024
    )
    await producer.start()
    try:
        yield bus, _BareProducer(producer, len(await producer.partitions_for(TOPIC.name)))
    finally:
        await producer.stop()
        await bus.close()
