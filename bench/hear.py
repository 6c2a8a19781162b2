"""`python -m bench.hear tracker|echo embedded|kafka`: a hearer in its own process, for a row about latency.

It says `ready` once it has heard everything there was. When its standard input ends it hears the rest, and writes as
JSON, by event id, when it had heard each and when it had committed it, in monotonic seconds.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence

import asyncpg
import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer
from sqlalchemy.ext.asyncio import AsyncSession

from bench.tracker import SERVICE, TOPIC, consumer, handlers, tracker
from chassis.db import after_commit
from chassis.messaging.handlers import Handler, Handlers
from contracts.appeals import AppealRaised
from contracts.envelope import Message

Stamps = dict[str, tuple[float, float]]

WAIT = 0.5  # seconds for a first record
_NEXT = """
SELECT record_offset, headers FROM records WHERE topic = $1 AND record_offset >= $2 ORDER BY record_offset LIMIT 500
"""


async def _tracker(stamps: Stamps) -> AsyncIterator[int]:
    async with tracker(os.environ) as runtime:
        table = dict(handlers(runtime))
        opening = table[AppealRaised]

        async def heard(tx: AsyncSession, messages: Sequence[Message]) -> None:
            at = time.monotonic()

            def committed() -> None:
                now = time.monotonic()
                stamps.update({str(message.id): (at, now) for message in messages})

            await opening.apply(tx, messages)
            after_commit(tx, committed)

        table[AppealRaised] = Handler(heard, commutes=opening.commutes)
        its, position = consumer(runtime, Handlers(table)), 0
        its.config.wait = WAIT
        while True:
            await its.run_once()
            yield its.position - position
            position = its.position


async def _echo_embedded(stamps: Stamps) -> AsyncIterator[int]:
    """What a reader cannot do without: it is told of records, reads them, commits one row for each in one statement."""
    bus, database = await _connect("BUS_DATABASE_URL"), await asyncpg.connect(os.environ["ECHO_DATABASE_URL"])
    told, place = asyncio.Event(), 0
    await bus.add_listener("records", lambda *_: told.set())
    while True:
        told.clear()
        rows = await bus.fetch(_NEXT, TOPIC.name, place)
        if not rows:
            try:
                await asyncio.wait_for(told.wait(), WAIT)
            except TimeoutError:
                yield 0
            continue
        place = rows[-1]["record_offset"] + 1
        headers = [msgspec.msgpack.decode(row["headers"], type=tuple[tuple[str, bytes], ...]) for row in rows]
        await _commit(database, headers, stamps)
        yield len(rows)


async def _echo_kafka(stamps: Stamps) -> AsyncIterator[int]:
    database = await asyncpg.connect(os.environ["ECHO_DATABASE_URL"])
    reader = AIOKafkaConsumer(
        TOPIC.name,
        bootstrap_servers=os.environ[f"{SERVICE.upper()}_KAFKA_BOOTSTRAP_SERVERS"],
        group_id="echo",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await reader.start()
    while True:
        found = [record for its in (await reader.getmany(timeout_ms=int(WAIT * 1000))).values() for record in its]
        if found:
            await _commit(database, [record.headers for record in found], stamps)
        yield len(found)


async def _commit(database: asyncpg.Connection, headers: Sequence[Sequence[tuple[str, bytes]]], stamps: Stamps) -> None:
    at = time.monotonic()
    ids = [dict(its)["ce_id"].decode() for its in headers]
    await database.execute("INSERT INTO inbox SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING", ids)
    now = time.monotonic()
    stamps.update(dict.fromkeys(ids, (at, now)))


async def _connect(name: str) -> asyncpg.Connection:
    return await asyncpg.connect(os.environ[f"{SERVICE.upper()}_{name}"])


async def _run(who: str, bus: str) -> None:
    stamps: Stamps = {}
    hear = {"tracker": _tracker, "echo": _echo_kafka if bus == "kafka" else _echo_embedded}[who](stamps)
    ending = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    ready = False
    async for count in hear:
        if not count and ending.done():
            break
        if not count and not ready:
            ready = True
            stamps.clear()
            print("ready", flush=True)
    sys.stdout.buffer.write(msgspec.json.encode(stamps))
    sys.stdout.flush()
    os._exit(0)  # the connections of a bare reader are nobody's to close


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(*sys.argv[1:]))
