"""What only Apache Kafka has: shared groups, and tools that read our records."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka
from cloudevents.core.formats.json import JSONFormat

from chassis.ids import new_id
from chassis.messaging.bus import Received, Record, Subscription
from chassis.messaging.kafka import KafkaBus
from contracts.envelope import encode_payload, headers
from contracts.topics import Topic
from deploy.local.kafka import Kafka
from tests.integration.messaging.spine import NOW, raised
from tests.support.eventually import eventually

pytestmark = pytest.mark.kafka


@pytest.fixture
async def bus(kafka: Kafka) -> AsyncIterator[KafkaBus]:
    its = KafkaBus(kafka.bootstrap, replication=1)
    yield its
    await its.close()


async def made(bus: KafkaBus, partitions: int) -> str:
    topic = Topic(f"t.{uuid4().hex}", "tests", compacted=False, retention_days=1, partitions=partitions)
    await bus.ensure([topic])
    return topic.name


async def test_members_share_a_topic_and_take_over_what_one_leaves(bus: KafkaBus) -> None:
    topic = await made(bus, partitions=4)
    members: list[Subscription] = [await bus.subscribe("shared", topic) for _ in range(2)]
    read: dict[int, set[int]] = {0: set(), 1: set()}

    async def turn(who: int) -> None:
        found = await members[who].fetch(1000, 0.3)
        read[who] |= {record.partition for record in found}
        if found:
            await members[who].commit(found)

    async def both_read() -> bool:
        await bus.publish([Record(topic, uuid4().hex, b"1") for _ in range(50)])
        read[0].clear()
        read[1].clear()
        await asyncio.gather(turn(0), turn(1))
        return read[0] | read[1] == {0, 1, 2, 3} and bool(read[0]) and bool(read[1]) and not read[0] & read[1]

    await eventually(both_read, within=40)
    await members[0].close()

    async def one_reads_all() -> bool:
        await bus.publish([Record(topic, uuid4().hex, b"2") for _ in range(50)])
        await turn(1)
        return read[1] == {0, 1, 2, 3}

    await eventually(one_reads_all, within=40)
    await members[1].close()


async def test_kafkas_own_consumer_and_the_cloudevents_sdk_read_what_we_write(bus: KafkaBus, kafka: Kafka) -> None:
    topic = await made(bus, partitions=1)
    event, event_id = raised(), new_id()
    payload = encode_payload(event)
    assert payload
    its = headers(event_id, event.type, "/visit_api", event.subject, NOW)
    await bus.publish([Record(topic, event.key, payload, tuple(its))])

    command = [*kafka.console_consumer(topic), "--max-messages", "1", "--timeout-ms", "20000"]
    shown = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=True)
    assert f"ce_id:{event_id}" in shown.stdout
    assert payload.decode() in shown.stdout

    subscription = await bus.subscribe("sdk", topic)

    async def fetched() -> list[Received]:
        return await subscription.fetch(1, 1)

    (record,) = await eventually(fetched, within=20)
    message = KafkaMessage(headers=dict(record.headers), key=record.key, value=record.value or b"")
    decoded = from_kafka(message, JSONFormat())
    assert decoded.get_id() == str(event_id)
    assert decoded.get_type() == "appeal.raised.v1"
    assert decoded.get_data()["appeal_no"] == event.appeal_no
    await subscription.close()


async def test_a_topic_is_kept_as_it_says(bus: KafkaBus, kafka: Kafka) -> None:
    """What it is compacted to stays, and its tombstones for as long as records of others do."""
    names = {compacted: f"t.{uuid4().hex}" for compacted in (False, True)}
    await bus.ensure([Topic(name, "tests", compacted, 30, 1) for compacted, name in names.items()])
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        for compacted, name in names.items():
            [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
            its = {entry[0]: entry[1] for entry in answer.resources[0][4]}
            days = "delete.retention.ms" if compacted else "retention.ms"
            assert (its["cleanup.policy"], its[days]) == ("compact" if compacted else "delete", "2592000000")
            assert its["min.insync.replicas"] == "1"
    finally:
        await admin.close()


async def test_a_leader_that_nobody_knows_is_not_asked_for_without_a_pause(
    bus: KafkaBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a broker that told of its end before it was gone."""
    topic, tries = await made(bus, partitions=1), 0
    subscription = await bus.subscribe("unhurried", topic)
    await subscription.fetch(1, 0.5)
    client = subscription._consumer._client  # type: ignore[union-attr]

    async def nobody(*_: object, **__: object) -> None:
        nonlocal tries
        tries += 1

    monkeypatch.setattr(client, "_get_conn", nobody)
    (partition,) = client.cluster._partitions[topic].values()
    client.cluster._partitions[topic][0] = partition._replace(leader=-1)
    await subscription.fetch(1, 1.0)
    await asyncio.sleep(1.0)
    assert 0 < tries < 100
    monkeypatch.undo()
    await subscription.close()
