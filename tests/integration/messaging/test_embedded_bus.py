"""What only the embedded bus has to do by itself: one active member, retention, compaction."""

import asyncio
from datetime import timedelta

import pytest

from chassis.db import Database
from chassis.messaging import embedded
from chassis.messaging.bus import BusUnavailable, Record
from chassis.messaging.embedded import EmbeddedBus
from contracts.topics import Topic
from tests.integration.messaging.spine import Spine
from tests.support.eventually import eventually

TOPIC = Topic("t.embedded", "tests", compacted=False, retention_days=7, partitions=1)
COMPACTED = TOPIC._replace(name="t.compacted", compacted=True)


async def aged(bus: EmbeddedBus, age: timedelta) -> None:
    await bus.fetch("UPDATE records SET written_at = written_at - $1::interval", age)


async def kept(bus: EmbeddedBus, topic: Topic) -> list[tuple[str, bytes | None]]:
    rows = await bus.fetch("SELECT key, value FROM records WHERE topic = $1 ORDER BY record_offset", topic.name)
    return [(row["key"], row["value"]) for row in rows]


async def test_records_past_their_retention_go_and_reading_goes_on_behind_them(spine: Spine) -> None:
    bus = spine.bus
    await bus.ensure([TOPIC])
    await bus.publish([Record(TOPIC.name, "k", b"old")])
    await aged(bus, timedelta(days=8))
    await bus.publish([Record(TOPIC.name, "k", b"new")])
    await bus.maintain([TOPIC])
    assert await kept(bus, TOPIC) == [("k", b"new")]
    subscription = await bus.subscribe("g", TOPIC.name)
    (record,) = await subscription.fetch(10, 1)
    assert (record.value, record.offset) == (b"new", 1)


async def test_compaction_keeps_one_record_a_key_and_tombstones_for_a_while(spine: Spine) -> None:
    bus = spine.bus
    await bus.ensure([COMPACTED])
    await bus.publish([Record(COMPACTED.name, key, b"%d" % n) for n in range(3) for key in "ab"])
    await bus.publish([Record(COMPACTED.name, "a", None)])
    await bus.maintain([COMPACTED])
    assert await kept(bus, COMPACTED) == [("b", b"2"), ("a", None)]
    await aged(bus, timedelta(days=8))
    await bus.maintain([COMPACTED])
    assert await kept(bus, COMPACTED) == [("b", b"2")]


async def test_one_member_reads_and_the_next_takes_over_within_five_seconds(spine: Spine) -> None:
    bus = spine.bus
    other = EmbeddedBus(Database(bus._database._url, pool_size=2, name="other"))
    await bus.ensure([TOPIC])
    await bus.publish([Record(TOPIC.name, "k", b"1")])
    active, waiting = await bus.subscribe("g", TOPIC.name), await other.subscribe("g", TOPIC.name)
    assert len(await active.fetch(10, 1)) == 1
    assert await waiting.fetch(10, 0.01) == []
    assert bus._member is not None
    bus._member.terminate()

    async def took_over() -> bool:
        return len(await waiting.fetch(10, 1)) == 1

    await eventually(took_over, within=5)
    await other.close()


async def test_many_writers_give_each_record_one_place_in_the_order_of_commits(spine: Spine) -> None:
    bus = spine.bus
    await bus.ensure([TOPIC])
    await asyncio.gather(*(bus.publish([Record(TOPIC.name, "k", b"%d" % n)] * 3) for n in range(20)))
    rows = await bus.fetch("SELECT record_offset, value FROM records WHERE topic = $1 ORDER BY 1", TOPIC.name)
    assert [row["record_offset"] for row in rows] == list(range(60))
    assert all(len({row["value"] for row in rows[place : place + 3]}) == 1 for place in range(0, 60, 3))


async def test_an_end_that_expired_is_no_lag_and_a_waiting_member_has_none(spine: Spine) -> None:
    bus = spine.bus
    await bus.ensure([TOPIC])
    await bus.publish([Record(TOPIC.name, "k", b"1"), Record(TOPIC.name, "k", b"2")])
    subscription = await bus.subscribe("g", TOPIC.name)
    assert await subscription.lag() == 0
    await subscription.fetch(1, 0.1)
    assert await subscription.lag() == 2
    await aged(bus, timedelta(days=8))
    await bus.maintain([TOPIC])
    assert await subscription.lag() == 0


async def test_a_bus_that_is_not_yet_what_the_code_needs_cannot_be_used(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await spine.bus.ping()
    monkeypatch.setattr(embedded, "REVISIONS", [*embedded.REVISIONS, "SELECT 1"])
    with pytest.raises(BusUnavailable, match="the embedded bus is at revision 1, this version needs 2"):
        await spine.bus.ping()
