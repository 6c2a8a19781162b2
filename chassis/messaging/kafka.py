"""The bus port on Apache Kafka; the only module that knows aiokafka."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)

from chassis.messaging.bus import BusUnavailable, Received, Record, TopicSpec, UnknownTopic, check_size
from chassis.messaging.murmur2 import murmur2

log = logging.getLogger(__name__)

_ACKNOWLEDGE = 20.0  # seconds for a whole publish; then a new producer, since an idempotent one may be dead (#1017)
_COMMIT = 10.0  # seconds; aiokafka's commit retries for ever by itself
_METADATA = 3.0  # seconds to learn of a topic
_RETRY = 0.1  # seconds before metadata are asked for again
_START = 15.0  # seconds for a client to find the cluster
_DAY_MS = 86_400_000


class _Client(Protocol):
    async def start(self) -> None: ...
    async def stop(self) -> None: ...


class KafkaBus:
    """One producer, and a consumer for each subscription."""

    def __init__(self, bootstrap_servers: str, *, replication: int = 3, client_id: str = "customer-visit") -> None:
        self._servers = bootstrap_servers
        self._replication = replication
        self._client_id = client_id
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def start(self) -> None:
        await self._started()

    async def publish(self, records: Sequence[Record]) -> None:
        check_size(records)
        producer = await self._started()
        try:
            async with asyncio.timeout(_ACKNOWLEDGE):
                partitions = {topic: await self._partitions(producer, topic) for topic in {r.topic for r in records}}
                placed = _placed(producer, records, partitions)
                await asyncio.gather(*(_send(producer, *place, batches) for place, batches in placed.items()))
        except (KafkaError, OSError) as error:
            await self._forget(producer)
            raise BusUnavailable(f"kafka: {error!r}") from error

    async def _partitions(self, producer: AIOKafkaProducer, topic: str) -> int:
        try:
            async with asyncio.timeout(_METADATA):
                return len(await producer.partitions_for(topic))
        except (TimeoutError, UnknownTopicOrPartitionError) as error:
            raise UnknownTopic(topic) from error

    async def subscribe(self, group: str, topic: str) -> "KafkaSubscription":
        return KafkaSubscription(self._servers, self._client_id, group, topic)

    async def ensure(self, topics: Iterable[TopicSpec]) -> None:
        async with _Admin(self._servers) as admin:
            for topic in topics:
                try:
                    answer = await admin.create_topics([self._new(topic)])
                except TopicAlreadyExistsError:
                    continue
                for _, code, *reason in answer.topic_errors:
                    if code and not issubclass(for_code(code), TopicAlreadyExistsError):
                        raise BusUnavailable(f"kafka: cannot make topic {topic.name}: {reason or for_code(code)}")

    async def maintain(self, topics: Iterable[TopicSpec]) -> None:
        """Kafka retains and compacts by itself."""

    async def ping(self) -> None:
        producer = await self._started()
        try:
            async with asyncio.timeout(5):
                await producer.client.fetch_all_metadata()
        except (KafkaError, OSError) as error:
            raise BusUnavailable(f"kafka: {error!r}") from error

    async def close(self) -> None:
        if self._producer is not None:
            await self._forget(self._producer)

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._servers,
                    client_id=self._client_id,
                    acks="all",
                    enable_idempotence=True,
                    max_batch_size=256 * 1024,
                    max_request_size=1_048_576,
                    request_timeout_ms=10_000,
                    metadata_max_age_ms=5_000,
                )
                await _start(producer)
                self._producer = producer
            return self._producer

    async def _forget(self, producer: AIOKafkaProducer) -> None:
        if self._producer is producer:
            self._producer = None
        await _stop(producer)

    def _new(self, topic: TopicSpec) -> NewTopic:
        kept = str(topic.retention_days * _DAY_MS)
        # Of a compacted topic, tombstones: whoever was away for a day would otherwise never hear of a removal.
        retention = (
            {"cleanup.policy": "compact", "delete.retention.ms": kept} if topic.compacted else {"retention.ms": kept}
        )
        return NewTopic(
            name=topic.name,
            num_partitions=topic.partitions,
            replication_factor=self._replication,
            topic_configs={**retention, "min.insync.replicas": str(max(1, self._replication - 1))},
        )


class KafkaSubscription:
    """One member of a consumer group; partitions move between members as the broker says."""

    def __init__(self, servers: str, client_id: str, group: str, topic: str) -> None:
        self._servers, self._client_id, self._group, self._topic = servers, client_id, group, topic
        self._consumer: AIOKafkaConsumer | None = None

    async def fetch(self, limit: int, wait: float) -> list[Received]:
        consumer = await self._started()
        try:
            parts = await consumer.getmany(timeout_ms=int(wait * 1000), max_records=limit)
        except (KafkaError, OSError) as error:
            # A consumer that failed may stay deaf (#1154): the next fetch makes a new one, from the committed place.
            await self.close()
            raise BusUnavailable(f"kafka: {error!r}") from error
        return [
            Received(r.topic, r.partition, r.offset, r.key or b"", r.value, tuple(r.headers))
            for records in parts.values()
            for r in records
        ]

    async def commit(self, records: Sequence[Received]) -> None:
        if self._consumer is None:
            return
        ends = {TopicPartition(r.topic, r.partition): r.offset + 1 for r in records}
        try:
            await asyncio.wait_for(self._consumer.commit(ends), _COMMIT)
        except (CommitFailedError, IllegalStateError) as error:
            # The partition went to another member: it reads these again, and its inbox knows them.
            log.info("commit lost to a rebalance", extra={"topic": self._topic, "error": repr(error)})
        except (KafkaError, OSError) as error:
            raise BusUnavailable(f"kafka: {error!r}") from error

    async def lag(self) -> int:
        """Asked of the broker, not of the last fetch: a deaf fetcher moves neither its position nor its high water."""
        consumer = self._consumer
        if consumer is None or not (assigned := consumer.assignment()):
            return 0
        try:
            async with asyncio.timeout(_COMMIT):
                ends = await consumer.end_offsets(list(assigned))
                return sum([max(0, end - await consumer.position(place)) for place, end in ends.items()])
        except IllegalStateError:
            return 0  # a rebalance took the partitions away meanwhile
        except (KafkaError, OSError) as error:
            raise BusUnavailable(f"kafka: {error!r}") from error

    async def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await _stop(consumer)

    async def _started(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._servers,
                group_id=self._group,
                client_id=self._client_id,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                session_timeout_ms=10_000,
                heartbeat_interval_ms=3_000,
                rebalance_timeout_ms=60_000,
                metadata_max_age_ms=5_000,
                max_partition_fetch_bytes=4 * 1024 * 1024,
            )
            await _start(consumer)
            consumer.subscribe([self._topic])  # not before the start, which would wait for the topic to be made
            self._consumer = consumer
        return self._consumer


async def _start(client: _Client) -> None:
    _unhurry(client.client if isinstance(client, AIOKafkaProducer) else client._client)  # type: ignore[attr-defined]
    try:
        async with asyncio.timeout(_START):
            await client.start()
    except (KafkaError, OSError) as error:
        await _stop(client)
        raise BusUnavailable(f"kafka: {error!r}") from error


def _unhurry(client: AIOKafkaClient) -> None:
    """While a partition has no leader and no broker answers, aiokafka asks for metadata again without a pause, as long
    as the outage lasts: thousands of times a second. Each try that fails takes a moment here."""
    update = client._metadata_update

    async def unhurried(*asked: Any) -> bool:
        done: bool = await update(*asked)
        if not done:
            await asyncio.sleep(_RETRY)
        return done

    client._metadata_update = unhurried


async def _stop(client: _Client) -> None:
    try:
        async with asyncio.timeout(5):
            await client.stop()
    except (KafkaError, OSError) as error:
        log.warning("a client did not close cleanly", extra={"error": repr(error)})
        if isinstance(client, AIOKafkaProducer):
            await _abandon(client)


async def _abandon(producer: AIOKafkaProducer) -> None:
    """Ends a producer that still tries to write, where the broker is away for ever: what was given up is published
    again by the next one, and must not be written later by this one, behind what is newer."""
    await producer._sender.close()
    await producer.client.close()


def _placed(
    producer: AIOKafkaProducer, records: Iterable[Record], partitions: Mapping[str, int]
) -> dict[tuple[str, int], list[Any]]:
    """The records by topic and partition, in their order, in as few batches as hold them: one call a batch, not one a
    record (5 k/s against 76 k/s)."""
    placed: dict[tuple[str, int], list[Any]] = {}
    for record in records:
        key = record.key.encode()
        place = (record.topic, murmur2(key) % partitions[record.topic])
        batches = placed.get(place)
        if batches is None:
            batches = placed[place] = [producer.create_batch()]
        row = {"timestamp": None, "key": key, "value": record.value, "headers": list(record.headers)}
        if batches[-1].append(**row) is None:
            batches.append(producer.create_batch())
            batches[-1].append(**row)
    return placed


async def _send(producer: AIOKafkaProducer, topic: str, partition: int, batches: Iterable[Any]) -> None:
    """Sends the batches one after the other and returns when all are acknowledged."""
    pending = []
    for batch in batches:
        batch.close()  # it is full as far as we are concerned: an open one lingers for more
        pending.append(await producer.send_batch(batch, topic, partition=partition))
    await asyncio.gather(*pending)


class _Admin:
    """An admin client for the length of a block."""

    def __init__(self, servers: str) -> None:
        self._client = AIOKafkaAdminClient(bootstrap_servers=servers)

    async def __aenter__(self) -> AIOKafkaAdminClient:
        try:
            await self._client.start()
        except (KafkaError, OSError) as error:
            await self._client.close()
            raise BusUnavailable(f"kafka: {error!r}") from error
        return self._client

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()
