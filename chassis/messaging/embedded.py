"""The embedded bus: a small log in PostgreSQL, one partition a topic, one active member a group.

Whoever needs more members runs Kafka. Offsets are given under the topic row's lock, so their order is the order of
commits and a reader never passes a record that is still being written.
"""

import asyncio
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from zlib import crc32

import asyncpg
import msgspec

from chassis.db import Database, address
from chassis.messaging.bus import BusUnavailable, Headers, Received, Record, TopicSpec, UnknownTopic, check_size
from chassis.outage import Outage, is_outage

# The first revision bears tables that are there: the earliest states had them before revisions were counted.
_FIRST = """
CREATE TABLE IF NOT EXISTS topics (
    name text PRIMARY KEY,
    next_offset bigint NOT NULL DEFAULT 0,
    compacted_to bigint NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS records (
    topic text NOT NULL REFERENCES topics (name),
    record_offset bigint NOT NULL,
    key text NOT NULL,
    value bytea,
    headers bytea NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, record_offset)
);
CREATE INDEX IF NOT EXISTS records_by_key ON records (topic, key, record_offset);
CREATE INDEX IF NOT EXISTS records_tombstones ON records (topic, written_at) WHERE value IS NULL;
CREATE TABLE IF NOT EXISTS positions (
    group_name text NOT NULL,
    topic text NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (group_name, topic)
);
DO $$ BEGIN EXECUTE format('GRANT DELETE ON records TO %I', current_database() || '_service'); END $$;
"""
# Only ever added to: what stands here has been run.
REVISIONS = (_FIRST,)
_COUNTED = """
CREATE TABLE IF NOT EXISTS revisions (number integer PRIMARY KEY, made_at timestamptz NOT NULL DEFAULT now())
"""

_PUBLISH = """
WITH slot AS (
    UPDATE topics SET next_offset = next_offset + cardinality($2::text[]) WHERE name = $1
    RETURNING next_offset - cardinality($2::text[]) AS base
), written AS (
    INSERT INTO records (topic, record_offset, key, value, headers)
    SELECT $1, slot.base + r.place - 1, r.key, r.value, r.headers
    FROM slot, unnest($2::text[], $3::bytea[], $4::bytea[]) WITH ORDINALITY AS r (key, value, headers, place)
    RETURNING 1
)
SELECT count(*), pg_notify('records', $1) FROM written
"""

_FETCH = """
SELECT record_offset, key, value, headers FROM records
WHERE topic = $1 AND record_offset >= $2 ORDER BY record_offset LIMIT $3
"""

_COMMIT = """
INSERT INTO positions (group_name, topic, next_offset) VALUES ($1, $2, $3)
ON CONFLICT (group_name, topic) DO UPDATE SET next_offset = excluded.next_offset
WHERE positions.next_offset < excluded.next_offset
"""

# By the last record that is still there: behind an end that expired there is nothing to read.
_LAG = """
SELECT greatest(0, 1
    + coalesce((SELECT record_offset FROM records WHERE topic = $2 ORDER BY record_offset DESC LIMIT 1), -1)
    - coalesce((SELECT next_offset FROM positions WHERE group_name = $1 AND topic = $2), 0))
"""

# Each step is bounded; a step that was full is followed by another.
_STEP = 10_000  # records
_EXPIRE = """
WITH oldest AS (SELECT record_offset FROM records WHERE topic = $1 ORDER BY record_offset LIMIT $3), gone AS (
    DELETE FROM records r USING oldest o WHERE r.topic = $1 AND r.record_offset = o.record_offset
    AND r.written_at < now() - make_interval(days => $2) RETURNING 1)
SELECT count(*) FROM gone
"""
# Each record written since the last time makes the earlier ones of its key superfluous.
_COMPACT = """
WITH news AS (
    SELECT r.record_offset, r.key FROM records r JOIN topics t ON t.name = r.topic
    WHERE r.topic = $1 AND r.record_offset >= t.compacted_to ORDER BY r.record_offset LIMIT $2
), gone AS (
    DELETE FROM records r USING news n WHERE r.topic = $1 AND r.key = n.key AND r.record_offset < n.record_offset
), moved AS (
    UPDATE topics SET compacted_to = n.last + 1 FROM (SELECT max(record_offset) AS last FROM news) n
    WHERE name = $1 AND n.last IS NOT NULL
)
SELECT count(*) FROM news
"""
# A tombstone stays long enough for every reader to hear of it.
_BURY = """
WITH gone AS (DELETE FROM records WHERE topic = $1 AND value IS NULL AND written_at < now() - make_interval(days => $2)
    RETURNING 1) SELECT count(*) FROM gone
"""

_TAKE_OVER = 1.0  # seconds between two tries to become a group's active member
_LISTEN = 1.0  # seconds a reader waits for a notification before it looks by itself
# Whatever else is asked of the bus goes by an index, in its order, and is planned once.
_FOR_WHAT_THERE_IS = """
SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL enable_seqscan = on; SET LOCAL enable_bitmapscan = on;
SET LOCAL enable_sort = on
"""


@contextmanager
def _outages() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if is_outage(error) and not isinstance(error, Outage):
            raise BusUnavailable(f"embedded bus: {error!r}") from error
        raise


class EmbeddedBus:
    """The bus port on the database at `database`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._member: asyncpg.Connection | None = None
        self._member_turn = asyncio.Lock()
        self._written: dict[str, asyncio.Event] = {}

    async def start(self) -> None:
        await self.ping()

    async def publish(self, records: Sequence[Record]) -> None:
        check_size(records)
        topics: dict[str, list[Record]] = {}
        for record in records:
            topics.setdefault(record.topic, []).append(record)
        for topic, its in topics.items():
            keys, values = [record.key for record in its], [record.value for record in its]
            headers = [msgspec.msgpack.encode(record.headers) for record in its]
            if not await self.fetchval(_PUBLISH, topic, keys, values, headers):
                raise UnknownTopic(topic)

    async def subscribe(self, group: str, topic: str) -> "EmbeddedSubscription":
        return EmbeddedSubscription(self, group, topic)

    async def ensure(self, topics: Iterable[TopicSpec]) -> None:
        names = sorted(topic.name for topic in topics)
        await self.fetch("INSERT INTO topics (name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING", names)

    async def maintain(self, topics: Iterable[TopicSpec]) -> None:
        for topic in topics:
            if topic.compacted:
                while await self._clear(_COMPACT, topic.name, _STEP) == _STEP:
                    pass
                await self._clear(_BURY, topic.name, topic.retention_days)
            else:
                while await self._clear(_EXPIRE, topic.name, topic.retention_days, _STEP) == _STEP:
                    pass

    async def ping(self) -> None:
        found = await self.fetchval("SELECT max(number) FROM revisions")
        if (found or 0) < len(REVISIONS):  # a newer one was made to bear this version too
            raise BusUnavailable(f"the embedded bus is at revision {found}, this version needs {len(REVISIONS)}")

    async def close(self) -> None:
        if self._member is not None:
            await self._member.close(timeout=5)
            self._member = None
        await self._database.close()

    async def fetch(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """Runs one statement; an outage of the database is an outage of the bus."""
        with _outages():
            async with self._database.connection() as connection:
                rows: list[asyncpg.Record] = await connection.fetch(sql, *values)
                return rows

    async def fetchval(self, sql: str, *values: Any) -> Any:
        """The first value of the first row, None when there is no row."""
        rows = await self.fetch(sql, *values)
        return rows[0][0] if rows else None

    async def _clear(self, sql: str, *values: Any) -> Any:
        """Runs one statement of the housekeeping, which goes through much of a topic, as is best for what there is."""
        with _outages():
            async with self._database.connection() as connection, connection.transaction():
                await connection.execute(_FOR_WHAT_THERE_IS)
                return await connection.fetchval(sql, *values)

    async def as_member(self, sql: str, *values: Any) -> tuple[asyncpg.Connection, Any]:
        """Runs `sql` on the process's own connection, which holds its memberships and hears notifications; a lost one
        is opened anew. Returns that connection and the first value."""
        async with self._member_turn:
            try:
                if self._member is None or self._member.is_closed():
                    self._member = await self._database.dedicated()
                    await self._member.add_listener("records", self._heard)
                return self._member, await self._member.fetchval(sql, *values)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
                if self._member is not None:
                    self._member.terminate()
                raise BusUnavailable(f"embedded bus: {error!r}") from error

    async def wait(self, topic: str, seconds: float) -> None:
        """Waits until something was written to `topic`, at most `seconds`."""
        event = self._written.setdefault(topic, asyncio.Event())
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            return
        finally:
            event.clear()

    def _heard(self, _connection: object, _pid: int, _channel: str, topic: object) -> None:
        self._written.setdefault(str(topic), asyncio.Event()).set()


class EmbeddedSubscription:
    """Reading by the one active member; the others wait for its lock, which dies with its connection."""

    def __init__(self, bus: EmbeddedBus, group: str, topic: str) -> None:
        self._bus, self._group, self._topic = bus, group, topic
        self._held: asyncpg.Connection | None = None
        self._next = 0

    async def fetch(self, limit: int, wait: float) -> list[Received]:
        if not await self._active():
            await asyncio.sleep(min(wait, _TAKE_OVER))
            return []
        rows = await self._bus.fetch(_FETCH, self._topic, self._next, limit)
        if not rows:
            await self._bus.wait(self._topic, min(wait, _LISTEN))
            rows = await self._bus.fetch(_FETCH, self._topic, self._next, limit)
        records = [self._received(row) for row in rows]
        if records:
            self._next = records[-1].offset + 1
        return records

    async def commit(self, records: Sequence[Received]) -> None:
        if records:
            await self._bus.fetch(_COMMIT, self._group, self._topic, records[-1].offset + 1)

    async def lag(self) -> int:
        if self._held is None or self._held.is_closed():
            return 0  # the active member's, not ours
        return int(await self._bus.fetchval(_LAG, self._group, self._topic) or 0)

    async def close(self) -> None:
        held, self._held = self._held, None
        if held is not None and not held.is_closed():
            await self._bus.as_member("SELECT pg_advisory_unlock($1, $2)", *self._lock())

    async def _active(self) -> bool:
        if self._held is not None and not self._held.is_closed():
            return True
        connection, mine = await self._bus.as_member("SELECT pg_try_advisory_lock($1, $2)", *self._lock())
        if not mine:
            return False
        sql = "SELECT next_offset FROM positions WHERE group_name = $1 AND topic = $2"
        self._next = await self._bus.fetchval(sql, self._group, self._topic) or 0
        self._held = connection
        return True

    def _lock(self) -> tuple[int, int]:
        return _signed(crc32(self._group.encode())), _signed(crc32(self._topic.encode()))

    def _received(self, row: asyncpg.Record) -> Received:
        headers = msgspec.msgpack.decode(row["headers"], type=Headers)
        return Received(self._topic, 0, row["record_offset"], row["key"].encode(), row["value"], headers)


def _signed(number: int) -> int:
    return number - (1 << 32) if number >= 1 << 31 else number


async def migrate(url: str) -> None:
    """Brings the bus database at `url` (the migrator's) to the newest revision; safe to repeat."""
    connection = await asyncpg.connect(address(url), timeout=10)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext('bus migration'))")
            await connection.execute(_COUNTED)
            done = await connection.fetchval("SELECT coalesce(max(number), 0) FROM revisions")
            for number, script in enumerate(REVISIONS[done:], done + 1):
                await connection.execute(script)
                await connection.execute("INSERT INTO revisions (number) VALUES ($1)", number)
    finally:
        await connection.close()


if __name__ == "__main__":
    import os

    if sys.argv[1:] != ["migrate"]:
        sys.exit(
            "usage: python -m chassis.messaging.embedded migrate   (BUS_MIGRATION_DATABASE_URL names the database)"
        )
    asyncio.run(migrate(os.environ["BUS_MIGRATION_DATABASE_URL"]))
