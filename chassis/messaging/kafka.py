"""The bus port on Apache Kafka; the only module that knows aiokafka."""

import asyncio
import logging
from collections.abc import Iterable, Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError, TopicAlreadyExistsError, for_code

from chassis.messaging.bus import BusUnavailable, Received, Record, TopicSpec, UnknownTopic, check_size

log = logging.getLogger(__name__)

_ACKNOWLEDGE = 20.0  # seconds for a whole publish; then a new producer, since an idempotent one may be dead (#1017)
_COMMIT = 10.0  # seconds; aiokafka's commit retries for ever by itself
_DAY_MS = 86_400_000


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
                for topic in {record.topic for record in records}:
                    if not await producer.client.topic_exists(topic):
                        raise UnknownTopic(topic)
                pending = [
                    await producer.send(
                        record.topic, record.value, key=record.key.encode(), headers=list(record.headers)
                    )
                    for record in records
                ]
                await asyncio.gather(*pending)
        except UnknownTopic:
            raise
        except (KafkaError, OSError) as error:
            await self._forget(producer)
            raise BusUnavailable(f"kafka: {error!r}") from error

    async def subscribe(self, group: str, topic: str) -> "KafkaSubscription":
        consumer = AIOKafkaConsumer(
            topic,
            bootstrap_servers=self._servers,
            group_id=group,
            client_id=self._client_id,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=10_000,
            heartbeat_interval_ms=3_000,
            rebalance_timeout_ms=60_000,
            metadata_max_age_ms=5_000,
            max_partition_fetch_bytes=4 * 1024 * 1024,
        )
        return KafkaSubscription(consumer, topic)

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
                    linger_ms=5,
                    max_batch_size=256 * 1024,
                    max_request_size=1_048_576,
                    request_timeout_ms=10_000,
                    metadata_max_age_ms=5_000,
                )
                try:
                    await producer.start()
                except (KafkaError, OSError) as error:
                    await producer.stop()
                    raise BusUnavailable(f"kafka: {error!r}") from error
                self._producer = producer
            return self._producer

    async def _forget(self, producer: AIOKafkaProducer) -> None:
        if self._producer is producer:
            self._producer = None
        try:
            await asyncio.wait_for(producer.stop(), 5)
        except (KafkaError, OSError) as error:
            log.warning("a producer did not close cleanly", extra={"error": repr(error)})

    def _new(self, topic: TopicSpec) -> NewTopic:
        retention = (
            {"cleanup.policy": "compact"} if topic.compacted else {"retention.ms": str(topic.retention_days * _DAY_MS)}
        )
        return NewTopic(
            name=topic.name,
            num_partitions=topic.partitions,
            replication_factor=self._replication,
            topic_configs={**retention, "min.insync.replicas": str(max(1, self._replication - 1))},
        )


class KafkaSubscription:
    """One member of a consumer group; partitions move between members as the broker says."""

    def __init__(self, consumer: AIOKafkaConsumer, topic: str) -> None:
        self._consumer = consumer
        self._topic = topic
        self._running = False

    async def fetch(self, limit: int, wait: float) -> list[Received]:
        try:
            if not self._running:
                await self._consumer.start()
                self._running = True
            parts = await self._consumer.getmany(timeout_ms=int(wait * 1000), max_records=limit)
        except (KafkaError, OSError) as error:
            raise BusUnavailable(f"kafka: {error!r}") from error
        return [
            Received(r.topic, r.partition, r.offset, r.key or b"", r.value, tuple(r.headers))
            for records in parts.values()
            for r in records
        ]

    async def commit(self, records: Sequence[Received]) -> None:
        ends = {TopicPartition(r.topic, r.partition): r.offset + 1 for r in records}
        try:
            await asyncio.wait_for(self._consumer.commit(ends), _COMMIT)
        except (CommitFailedError, IllegalStateError) as error:
            # The partition went to another member: it reads these again, and its inbox knows them.
            log.info("commit lost to a rebalance", extra={"topic": self._topic, "error": repr(error)})
        except (KafkaError, OSError) as error:
            raise BusUnavailable(f"kafka: {error!r}") from error

    async def lag(self) -> int:
        behind = 0
        for partition in self._consumer.assignment():
            end = self._consumer.highwater(partition)
            if end is not None:
                behind += max(0, end - await self._consumer.position(partition))
        return behind

    async def close(self) -> None:
        self._running = False
        await self._consumer.stop()


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
