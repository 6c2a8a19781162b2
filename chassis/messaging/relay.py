"""The relay: publishes what the outbox holds, and is the only one who publishes."""

import asyncio
import logging
import time
from collections.abc import Sequence
from itertools import groupby

import asyncpg
import msgspec
from prometheus_client import Counter, Gauge

from chassis import crash
from chassis.db import Database, is_outage
from chassis.messaging.bus import Bus, Headers, Record, RecordTooLarge
from chassis.worker import Worker
from contracts.envelope import dead_letter, headers

log = logging.getLogger(__name__)

# In turn: each topic gets its own share of every round, so a flood on one never stands before another.
# What is in flight ($3) is left out by name, never by "after the last one": a lower number may be committed later.
# The order, and a topic that is one of an array, are those of the index of what waits alone: where all seemed to wait
# when statistics were last made, the primary key would do for seq, and all that was published be passed each time.
_READ = """
SELECT o.* FROM unnest($1::text[]) AS t (topic), LATERAL (
    SELECT seq, id, aggregatetype, aggregateid, type, source, subject, "time", payload, traceparent, extra_headers
    FROM outbox WHERE aggregatetype = ANY (ARRAY[t.topic]) AND published_at IS NULL AND seq <> ALL ($3::bigint[])
    ORDER BY aggregatetype, seq LIMIT $2) AS o
"""
_MARK = "UPDATE outbox SET published_at = now() WHERE seq = ANY ($1::bigint[])"
_REFUSE = "UPDATE outbox SET published_at = now(), refused = $2 WHERE seq = $1"
_LEAD = "SELECT pg_try_advisory_lock(hashtext('outbox relay'))"
_DEPTH = """
SELECT t.topic, count(o.seq), coalesce(extract(epoch FROM now() - min(o.written_at)), 0)::float
FROM unnest($1::text[]) AS t (topic) LEFT JOIN outbox o ON o.aggregatetype = t.topic AND o.published_at IS NULL
GROUP BY t.topic
"""

_depth = Gauge("outbox_depth", "Rows waiting to be published", ["service", "topic"])
_age = Gauge("outbox_age_seconds", "Age of the oldest row waiting to be published", ["service", "topic"])
_relayed = Counter("outbox_relayed", "Rows published", ["service", "topic"])
_refused = Counter("outbox_refused", "Rows no bus would carry, kept and marked", ["service", "topic"])


class Relay(Worker):
    """Reads each topic's oldest rows, publishes them, marks them; one relay of a service is active at a time.

    A row is marked only after its acknowledgement: what dies in between is published again, with the same event id.
    While one part of a round is being published, the database marks the part before it; with the last part, it reads
    the next round. Where many rows come, but not as many as a round takes, they are let gather: a round costs as much,
    however few it takes.
    """

    class Config(Worker.Config):
        idle = 0.05
        follower_idle = 1.0  # seconds between two tries to become the active one
        measure_every = 5.0  # seconds between two readings of depth and age
        part = 1000  # rows of a topic published at once
        few = 20  # rows of a round that somebody's act may have told by itself
        gather = 0.02  # seconds until the next round, after one of more, unless that was read ahead

    config: Config

    def __init__(self, service: str, db: Database, bus: Bus, topics: Sequence[str], share: int = 4000) -> None:
        super().__init__(f"{service}.relay")
        self._service, self._db, self._bus = service, db, bus
        self._topics, self._share = list(topics), share  # rows of each topic in a round
        self._connection: asyncpg.Connection | None = None
        self._ahead: list[asyncpg.Record] = []  # the next round, if it was read already
        self._resting: dict[str, tuple[float, float]] = {}  # topics that failed: until when, and the pause after that
        self._measured = float("-inf")

    async def run_once(self) -> bool:
        connection = await self._lead()
        if connection is None:
            await asyncio.sleep(self.config.follower_idle)
            return True
        try:
            return await self._round(connection)
        except BaseException:
            # Its state is unknown now. The next round has a new one, and starts from what the database says.
            connection.terminate()
            raise

    async def _round(self, connection: asyncpg.Connection) -> bool:
        await self._measure(connection)
        rows, self._ahead = self._ahead or await self._read(connection, []), []
        if not rows:
            return False
        crash.point("relay.read")
        self._ahead = await self._relay(connection, rows)
        if len(rows) > self.config.few and not self._ahead:
            await asyncio.sleep(self.config.gather)
        return not self._resting

    async def _relay(self, connection: asyncpg.Connection, rows: list[asyncpg.Record]) -> list[asyncpg.Record]:
        """One round; returns the next one, where it could be read ahead."""
        waiting = [list(its) for _, its in groupby(rows, key=lambda row: row["aggregatetype"])]
        more = any(len(its) == self._share for its in waiting)
        ahead: list[asyncpg.Record] = []
        acknowledged: list[int] = []
        failed = False
        while waiting:
            parts = [its[: self.config.part] for its in waiting]
            waiting = [its[self.config.part :] for its in waiting]
            last = more and not any(waiting)
            database, *outcomes = await asyncio.gather(
                self._keep_up(connection, acknowledged, rows if last else []),
                *(self._publish(its) for its in parts),
                return_exceptions=True,
            )
            crash.point("relay.published")
            if isinstance(database, BaseException):
                raise database
            ahead, acknowledged = database, []
            for place, (its, outcome) in enumerate(zip(parts, outcomes, strict=True)):
                if outcome is None:
                    acknowledged += [row["seq"] for row in its]
                    self._resting.pop(its[0]["aggregatetype"], None)
                elif isinstance(outcome, RecordTooLarge):
                    await self._set_aside(connection, its)
                else:
                    failed, waiting[place] = True, []
                    self._rest(its[0]["aggregatetype"], outcome)
            waiting = [its for its in waiting if its]
        await self._keep_up(connection, acknowledged, [])
        return [] if failed else ahead  # what was read ahead must not overtake what failed

    def _rest(self, topic: str, error: BaseException) -> None:
        """Leaves a topic that cannot be written alone for a while, longer each time; the others go on."""
        if not is_outage(error):
            raise error
        _, pause = self._resting.get(topic, (0.0, 0.05))
        self._resting[topic] = (time.monotonic() + pause, min(pause * 2, self.config.longest_backoff))
        if pause > self.config.longest_backoff / 2:
            log.warning("a topic cannot be written", extra={"topic": topic, "error": repr(error)})

    async def _read(self, connection: asyncpg.Connection, in_flight: list[int]) -> list[asyncpg.Record]:
        now = time.monotonic()
        topics = [topic for topic in self._topics if self._resting.get(topic, (now, 0.0))[0] <= now]
        rows: list[asyncpg.Record] = await connection.fetch(_READ, topics, self._share, in_flight)
        return rows

    async def _keep_up(
        self, connection: asyncpg.Connection, acknowledged: list[int], in_flight: list[asyncpg.Record]
    ) -> list[asyncpg.Record]:
        """The database's part: marks what was published, and reads on behind what is being published last."""
        if acknowledged:
            await connection.execute(_MARK, acknowledged)
        return await self._read(connection, [row["seq"] for row in in_flight]) if in_flight else []

    async def close(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            await self._connection.close(timeout=5)

    async def _lead(self) -> asyncpg.Connection | None:
        if self._connection is None or self._connection.is_closed():
            self._connection, self._ahead = None, []  # another one may have led in between
            connection = await self._db.dedicated()
            if not await connection.fetchval(_LEAD):
                await connection.close(timeout=5)
                return None
            self._connection = connection
        return self._connection

    async def _publish(self, rows: list[asyncpg.Record]) -> None:
        # A turn of the loop first: the database is asked before the encoding takes the processor.
        await asyncio.sleep(0)
        await self._bus.publish([_record(row) for row in rows])
        _relayed.labels(self._service, rows[0]["aggregatetype"]).inc(len(rows))

    async def _set_aside(self, connection: asyncpg.Connection, rows: list[asyncpg.Record]) -> None:
        # A row that no bus carries must not hold up those behind it; it stays in the outbox, marked, for a person.
        for row in rows:
            size = (record := _record(row)).size()
            try:
                await self._bus.publish([record])
            except RecordTooLarge as error:
                # Told first: what dies in between tells it again.
                await self._bus.publish([_oversize_notice(row, size)])
                await connection.execute(_REFUSE, row["seq"], str(error))
                _refused.labels(self._service, row["aggregatetype"]).inc()
            else:
                await connection.execute(_MARK, [row["seq"]])

    async def _measure(self, connection: asyncpg.Connection) -> None:
        if time.monotonic() - self._measured < self.config.measure_every:
            return
        self._measured = time.monotonic()
        for topic, depth, age in await connection.fetch(_DEPTH, self._topics):
            _depth.labels(self._service, topic).set(depth)
            _age.labels(self._service, topic).set(age)


def _record(row: asyncpg.Record) -> Record:
    _, id_, topic, key, type_, source, subject, time_, payload, traceparent, extra = row  # by place: half the cost
    if extra is not None:
        return Record(topic, key, payload, msgspec.msgpack.decode(extra, type=Headers))
    return Record(topic, key, payload, tuple(headers(id_, type_, source, subject, time_, traceparent)))


def _oversize_notice(row: asyncpg.Record, size: int) -> Record:
    reason = f"record of {size} bytes is too large for the bus; it stays in the outbox of {row['source']}"
    # Whatever made the row too large, its notice is not.
    key, type_, subject = (row[name][:200] for name in ("aggregateid", "type", "subject"))
    its = headers(row["id"], type_, row["source"], subject, row["time"], row["traceparent"])
    why = (("dlq_group", b"relay"), ("dlq_reason", reason.encode()))
    return Record(dead_letter(row["aggregatetype"]), key, b"", (*its, *why))
