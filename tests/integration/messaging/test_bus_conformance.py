"""What every adapter of the bus port must do, on the real thing."""

import asyncio
from uuid import uuid4

import pytest

from chassis.messaging.bus import (
    MAX_RECORD_BYTES,
    Bus,
    BusUnavailable,
    Received,
    Record,
    RecordTooLarge,
    Subscription,
    UnknownTopic,
)
from contracts.topics import Topic
from tests.integration.messaging.conftest import Away, MakeBus, MakeTopic
from tests.support.eventually import eventually


def records(topic: str, count: int, *, key: str = "k", start: int = 0) -> list[Record]:
    return [Record(topic, key, b"%d" % n, (("ce_id", b"%d" % n),)) for n in range(start, start + count)]


async def read(subscription: Subscription, count: int, within: float = 20.0) -> list[Received]:
    """The next `count` records; fails when they do not come."""
    found: list[Received] = []

    async def enough() -> bool:
        found.extend(await subscription.fetch(count - len(found), 0.5))
        return len(found) >= count

    await eventually(enough, within=within)
    return found


def values(found: list[Received]) -> list[int]:
    return [int(record.value or b"-1") for record in found]


async def test_order_is_kept_per_key(bus: Bus, make_topic: MakeTopic) -> None:
    topic = await make_topic(partitions=3)
    sent = [record for n in range(200) for record in records(topic, 1, key=f"k{n % 7}", start=n)]
    for place in range(0, len(sent), 50):
        await bus.publish(sent[place : place + 50])
    subscription = await bus.subscribe("g", topic)
    found = await read(subscription, 200)
    for key in {record.key for record in found}:
        own = values([record for record in found if record.key == key])
        assert own == sorted(own)
    assert sorted(values(found)) == list(range(200))
    await subscription.close()


async def test_what_is_read_is_what_was_written(bus: Bus, make_topic: MakeTopic) -> None:
    topic = await make_topic()
    await bus.publish(
        [
            Record(topic, "键", "走访 é".encode(), (("ce_type", b"a.b.v1"), ("raw", b"\xff\x00"))),
            Record(topic, "gone", None, (("ce_type", b"x"),)),
        ]
    )
    subscription = await bus.subscribe("g", topic)
    first, tombstone = await read(subscription, 2)
    assert (first.key, first.value) == ("键".encode(), "走访 é".encode())
    assert dict(first.headers) == {"ce_type": b"a.b.v1", "raw": b"\xff\x00"}
    assert tombstone.value is None
    await subscription.close()


async def test_committed_records_are_not_read_again_and_others_are(make_bus: MakeBus, make_topic: MakeTopic) -> None:
    topic = await make_topic()
    first = await make_bus()
    await first.publish(records(topic, 10))
    reader = await first.subscribe("g", topic)
    await reader.commit((await read(reader, 10))[:4])
    await reader.close()
    again = await (await make_bus()).subscribe("g", topic)
    assert values(await read(again, 6)) == [4, 5, 6, 7, 8, 9]
    await again.close()


async def test_a_dead_member_is_replaced_and_nothing_is_lost(make_bus: MakeBus, make_topic: MakeTopic) -> None:
    topic = await make_topic()
    dying = await make_bus()
    await dying.publish(records(topic, 5))
    reader = await dying.subscribe("g", topic)
    await read(reader, 5)  # read, never committed
    follower = await (await make_bus()).subscribe("g", topic)
    if hasattr(dying, "_member"):
        dying._member.terminate()  # the process is gone: no goodbye
    else:
        await reader.close()
    assert values(await read(follower, 5)) == [0, 1, 2, 3, 4]
    await follower.close()


async def test_groups_read_independently(bus: Bus, make_topic: MakeTopic) -> None:
    topic = await make_topic()
    await bus.publish(records(topic, 3))
    for group in ("a", "b"):
        subscription = await bus.subscribe(group, topic)
        found = await read(subscription, 3)
        await subscription.commit(found)
        assert values(found) == [0, 1, 2]
        await subscription.close()


async def test_a_fetch_waits_for_the_first_record_and_no_longer(bus: Bus, make_topic: MakeTopic) -> None:
    topic = await make_topic()
    subscription = await bus.subscribe("g", topic)
    assert await subscription.fetch(10, 0.2) == []
    waiting = asyncio.create_task(read(subscription, 1))
    await bus.publish(records(topic, 1))
    assert values(await waiting) == [0]
    await subscription.close()


async def test_a_record_over_the_limit_is_refused_before_anything_is_written(bus: Bus, make_topic: MakeTopic) -> None:
    topic = await make_topic()
    too_large = Record(topic, "k", b"x" * MAX_RECORD_BYTES)
    with pytest.raises(RecordTooLarge):
        await bus.publish([*records(topic, 1), too_large])
    largest = Record(topic, "k", b"x" * (MAX_RECORD_BYTES - 1))
    await bus.publish([largest])
    subscription = await bus.subscribe("g", topic)
    assert [len(record.value or b"") for record in await read(subscription, 1)] == [MAX_RECORD_BYTES - 1]
    await subscription.close()


async def test_an_unknown_topic_is_an_outage_until_it_is_made(bus: Bus) -> None:
    topic = Topic(f"t.{uuid4().hex}", "tests", compacted=False, retention_days=1, partitions=1)
    with pytest.raises(UnknownTopic):
        await bus.publish(records(topic.name, 1))
    subscription = await bus.subscribe("g", topic.name)
    assert await subscription.fetch(1, 0.2) == []
    await bus.ensure([topic])
    await bus.publish(records(topic.name, 1))
    assert values(await read(subscription, 1)) == [0]
    await subscription.close()


async def test_ensuring_a_topic_twice_keeps_its_records(bus: Bus, make_topic: MakeTopic) -> None:
    topic = await make_topic()
    await bus.publish(records(topic, 1))
    await asyncio.gather(*(bus.ensure([Topic(topic, "tests", False, 1, 1)]) for _ in range(3)))
    subscription = await bus.subscribe("g", topic)
    assert values(await read(subscription, 1)) == [0]
    await subscription.close()


async def test_lag_counts_what_is_not_done(bus: Bus, make_topic: MakeTopic) -> None:
    topic = await make_topic()
    subscription = await bus.subscribe("g", topic)
    await bus.publish(records(topic, 5))
    found = await read(subscription, 2)
    await subscription.commit(found)
    await eventually(lambda: subscription.lag(), within=10)
    assert await subscription.lag() == 3
    await subscription.close()


async def test_a_compacted_topic_keeps_the_last_of_each_key(make_bus: MakeBus, make_topic: MakeTopic) -> None:
    """Kafka compacts closed segments in its own time; that both keep the last value of every key holds at any time."""
    topic = await make_topic(compacted=True)
    bus = await make_bus()
    for n in range(3):
        await bus.publish([Record(topic, key, b"%d" % n) for key in ("a", "b")])
    await bus.publish([Record(topic, "a", None)])
    await bus.maintain([Topic(topic, "tests", compacted=True, retention_days=1, partitions=1)])
    subscription = await bus.subscribe("late", topic)
    last: dict[bytes, bytes | None] = {}

    async def caught_up() -> bool:
        last.update({record.key: record.value for record in await subscription.fetch(100, 0.2)})
        return last == {b"a": None, b"b": b"2"}

    await eventually(caught_up)
    await subscription.close()


async def test_a_bus_that_goes_away_and_comes_back_has_lost_nothing(
    bus: Bus, make_topic: MakeTopic, away: Away
) -> None:
    """Whoever used it goes on with the same client, in order and from where it was."""
    topic = await make_topic()
    subscription = await bus.subscribe("g", topic)
    await bus.publish(records(topic, 2))
    await subscription.commit(await read(subscription, 2))
    await bus.publish(records(topic, 1, start=2))
    async with away():
        with pytest.raises(BusUnavailable):
            await bus.publish(records(topic, 1, start=3))
    seen: list[Received] = []

    async def published() -> bool:
        try:
            await bus.publish(records(topic, 1, start=4))
        except BusUnavailable:
            return False
        return True

    async def goes_on() -> bool:
        try:
            seen.extend(await subscription.fetch(10, 0.5))
        except BusUnavailable:
            return False
        return bool(seen) and values(seen)[-1] == 4

    await eventually(published, within=40)
    await eventually(goes_on, within=40)
    # What was not acknowledged may have been written; what was read and not committed may be read again.
    assert [value for value in dict.fromkeys(values(seen)) if value != 3] == [2, 4]
    await subscription.commit(seen)
    await subscription.close()
    again = await bus.subscribe("g", topic)
    await bus.publish(records(topic, 1, start=5))
    assert values(await read(again, 1)) == [5], "the place is kept"
    await again.close()
