"""What is on the bus, read past our own adapters: from the embedded log's table, or by a bare Kafka consumer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient

from contracts.envelope import Message, decode
from contracts.topics import TOPICS, dead_letter
from tests.support.eventually import eventually


@dataclass(frozen=True)
class OnBus:
    """One record, in its place; repeated if it was published again after a death."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    @property
    def id(self) -> UUID:
        return UUID(dict(self.headers)["ce_id"].decode())

    @property
    def message(self) -> Message:
        return decode(self.headers, self.value)


class EmbeddedReader:
    """Reads the bus database at `dsn`."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    async def read(self, topic: str) -> list[OnBus]:
        """Every record there is, in the order of the log."""
        sql = "SELECT record_offset, key, value, headers FROM records WHERE topic = $1 ORDER BY record_offset"
        headers = msgspec.msgpack.Decoder(tuple[tuple[str, bytes], ...])
        return [
            OnBus(topic, 0, row["record_offset"], row["key"], row["value"], headers.decode(row["headers"]))
            for row in await self._fetch(sql, topic)
        ]

    async def lag(self, group: str, topic: str) -> int:
        """Records behind the end."""
        sql = """SELECT t.next_offset - coalesce(p.next_offset, 0) FROM topics t
                 LEFT JOIN positions p ON p.topic = t.name AND p.group_name = $1 WHERE t.name = $2"""
        return int((await self._fetch(sql, group, topic))[0][0])

    async def _fetch(self, sql: str, *values: str) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self._dsn)
        try:
            found: list[asyncpg.Record] = await connection.fetch(sql, *values)
            return found
        finally:
            await connection.close()


class KafkaReader:
    """Reads the broker at `servers`, in no group."""

    def __init__(self, servers: str) -> None:
        self._servers = servers

    async def read(self, topic: str) -> list[OnBus]:
        """Every record there is, partition by partition, each in its order."""
        found: list[OnBus] = []
        async with self._consumer(topic) as consumer:
            ends = await consumer.end_offsets(consumer.assignment())
            while any([await consumer.position(place) < end for place, end in ends.items()]):
                for place, records in (await consumer.getmany(timeout_ms=500)).items():
                    found += [
                        OnBus(topic, place.partition, r.offset, (r.key or b"").decode(), r.value, tuple(r.headers))
                        for r in records
                    ]
        return sorted(found, key=lambda record: (record.partition, record.offset))

    async def lag(self, group: str, topic: str) -> int:
        """Records behind the end, of all partitions."""
        async with self._consumer(topic) as consumer:
            ends = await consumer.end_offsets(consumer.assignment())
        admin = AIOKafkaAdminClient(bootstrap_servers=self._servers)
        await admin.start()
        try:
            done = await admin.list_consumer_group_offsets(group)
        finally:
            await admin.close()
        return sum(end - max(0, done[place].offset if place in done else 0) for place, end in ends.items())

    @asynccontextmanager
    async def _consumer(self, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(topic, bootstrap_servers=self._servers, auto_offset_reset="earliest")
        await consumer.start()
        try:
            yield consumer
        finally:
            await consumer.stop()


Reader = EmbeddedReader | KafkaReader


async def clear(servers: str) -> None:
    """Deletes our topics, and with them what their groups had read: for us the broker is as good as new."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        ours = {*TOPICS, *map(dead_letter, TOPICS)}

        async def gone() -> bool:
            if left := ours & set(await admin.list_topics()):
                await admin.delete_topics(sorted(left))
            return not left

        await eventually(gone, within=20)
    finally:
        await admin.close()
