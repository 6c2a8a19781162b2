"""State and event in one commit; published at least once; taken in once; poison set aside in order."""

import asyncio
from collections.abc import Sequence
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from chassis.messaging import dead_letters, inbox, outbox
from chassis.messaging.bus import BusUnavailable, Record
from chassis.messaging.embedded import EmbeddedBus
from chassis.messaging.housekeeping import Housekeeping
from chassis.runtime import KEEP_INBOX, KEEP_OUTBOX
from tests.integration.messaging.spine import NOW, TOPIC, Spine, raised, started
from tests.support.eventually import eventually


async def taken(spine: Spine, rounds: int = 1) -> None:
    """Lets a consumer take what is on the bus now."""
    consumer = spine.consumer()
    for _ in range(rounds):
        await consumer.run_once()
    await consumer.close()


async def test_what_is_rolled_back_is_never_told(spine: Spine) -> None:
    with pytest.raises(ZeroDivisionError):
        async with spine.db.transaction() as tx:
            await spine.outbox.append(tx, [started()], at=NOW)
            raise ZeroDivisionError
    assert await spine.rows("SELECT 1 FROM outbox") == []


async def test_a_commit_that_fails_tells_nothing_and_raises(spine: Spine) -> None:
    woken: list[bool] = []
    spine.outbox.wake = lambda: woken.append(True)
    with pytest.raises(IntegrityError):
        async with spine.db.transaction() as tx:
            await tx.execute(text("CREATE TEMP TABLE once (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)"))
            await tx.execute(text("INSERT INTO once VALUES (1), (1)"))  # refused by COMMIT, not before
            await spine.outbox.append(tx, [started()], at=NOW)
    assert woken == []
    assert await spine.rows("SELECT 1 FROM outbox") == []


async def test_a_fact_crosses_with_its_envelope(spine: Spine) -> None:
    event = raised()
    (event_id,) = await spine.tell(event)
    relay = spine.relay()
    assert await relay.run_once() is True
    assert await relay.run_once() is False
    await taken(spine)
    (row,) = await spine.rows("SELECT event_id, subject, type FROM effects")
    assert (row["event_id"], row["subject"], row["type"]) == (event_id, str(event.appeal_id), "appeal.raised.v1")
    await relay.close()


async def test_published_twice_has_one_effect(spine: Spine) -> None:
    await spine.tell(*(started() for _ in range(5)))
    relay = spine.relay()
    await relay.run_once()
    async with spine.db.connection() as connection:  # the relay died after publishing, before marking
        await connection.execute("UPDATE outbox SET published_at = NULL")
    await relay.run_once()
    await taken(spine, rounds=2)
    assert len(await spine.effects()) == 5
    await relay.close()


async def test_a_batch_that_was_applied_but_not_committed_has_one_effect(spine: Spine) -> None:
    events = [started() for _ in range(5)]
    await spine.tell(*events)
    relay = spine.relay()
    await relay.run_once()
    dying = spine.consumer()
    dying._subscription = await spine.bus.subscribe("spine", TOPIC)
    records = await dying._subscription.fetch(10, 1)
    await dying._take(records)  # and here it dies
    await dying.close()
    await taken(spine)
    assert await spine.effects() == [str(event.visit_id) for event in events]
    await relay.close()


async def test_only_one_relay_is_active_and_another_takes_over(spine: Spine) -> None:
    first, second = spine.relay(), spine.relay()
    await first.run_once()
    await spine.tell(started())
    await second.run_once()
    assert await spine.rows("SELECT 1 FROM outbox WHERE published_at IS NOT NULL") == []
    assert first._connection is not None
    first._connection.terminate()
    await spine.tell(started())

    async def drained() -> bool:
        await second.run_once()
        return await spine.rows("SELECT 1 FROM outbox WHERE published_at IS NULL") == []

    await eventually(drained, within=5)
    await second.close()


async def test_a_flood_on_one_topic_does_not_delay_another(spine: Spine) -> None:
    from contracts.directory import StaffChanged

    flood = [
        StaffChanged(id=uuid4(), staff_no=f"S{n}", unit_code="1", roles=[], active=True, version=1) for n in range(500)
    ]
    await spine.tell(*flood)
    await spine.tell(raised())
    relay = spine.relay()
    relay._share = 100
    await relay.run_once()
    waiting = await spine.rows("SELECT aggregatetype FROM outbox WHERE published_at IS NULL")
    assert {row["aggregatetype"] for row in waiting} == {"directory.changes"}
    assert len(waiting) == 400
    await relay.close()


async def test_many_rows_are_let_gather_and_few_are_not(spine: Spine) -> None:
    relay = spine.relay()
    relay.config.few, relay.config.gather = 2, 3600.0
    await spine.tell(started(), started())
    async with asyncio.timeout(30):
        assert await relay.run_once()
    await spine.tell(*(started() for _ in range(3)))
    resting = asyncio.create_task(relay.run_once())

    async def published() -> bool:
        return await spine.rows("SELECT 1 FROM outbox WHERE published_at IS NULL") == []

    await eventually(published, within=30)
    done, _ = await asyncio.wait({resting}, timeout=0.2)
    assert not done, "the next round follows at once, with whatever little has come"
    resting.cancel()
    await asyncio.gather(resting, return_exceptions=True)
    await relay.close()


async def test_a_full_round_is_followed_at_once_by_what_was_read_ahead(spine: Spine) -> None:
    relay = spine.relay()
    relay._share, relay.config.few, relay.config.gather = 3, 2, 3600.0
    await spine.tell(*(started() for _ in range(5)))
    async with asyncio.timeout(30):
        assert await relay.run_once()
        assert await relay.run_once()
    assert await spine.rows("SELECT 1 FROM outbox WHERE published_at IS NULL") == []
    await relay.close()


async def test_a_topic_that_cannot_be_written_does_not_stop_the_others(spine: Spine) -> None:
    async with spine.db.connection() as connection:
        await connection.execute(
            """INSERT INTO outbox (id, aggregatetype, aggregateid, type, source, subject, "time", payload)
            VALUES (gen_random_uuid(), 'nobody.made', 'k', 't', '/spine', 's', now(), '{}')"""
        )
    await spine.tell(started())
    relay = spine.relay()
    relay._topics = [TOPIC, "nobody.made"]
    await relay.run_once()
    for _ in range(3):  # and it goes on for the others while the one rests
        await spine.tell(started())
        await relay.run_once()
    (row,) = await spine.rows("SELECT aggregatetype FROM outbox WHERE published_at IS NULL")
    assert row["aggregatetype"] == "nobody.made"
    await relay.close()


class Blip(EmbeddedBus):
    """A bus that fails once, at its n-th publishing."""

    fails_at = 0

    async def publish(self, records: Sequence[Record]) -> None:
        self.fails_at -= 1
        if self.fails_at == 0:
            raise BusUnavailable("a blip")
        await super().publish(records)


@pytest.mark.parametrize("fails_at", [2, 3, 4, 5])
async def test_nothing_read_ahead_overtakes_what_failed(spine: Spine, fails_at: int) -> None:
    visit = uuid4()
    for place in range(8):
        size = 1_200_000 if place == 1 else 10
        async with spine.db.connection() as connection:
            await connection.execute(
                """INSERT INTO outbox (id, aggregatetype, aggregateid, type, source, subject, "time", payload)
                VALUES (gen_random_uuid(), 'visit.events', $1, 't.t.v1', '/spine', $2, now(), $3)""",
                str(visit),
                str(place),
                b"x" * size,
            )
    blip = Blip(spine.bus._database)
    blip.fails_at = fails_at
    relay = spine.relay()
    relay._bus, relay._share, relay.config.part = blip, 4, 4
    relay.config.longest_backoff = 0.0

    async def drained() -> bool:
        try:
            await relay.run_once()
        except BusUnavailable:
            return False
        return await spine.rows("SELECT 1 FROM outbox WHERE published_at IS NULL") == []

    await eventually(drained)
    subscription = await spine.bus.subscribe("watcher", TOPIC)
    order = [int(dict(record.headers)["ce_subject"]) for record in await subscription.fetch(100, 1)]
    first = list(dict.fromkeys(order))
    assert first == [0, 2, 3, 4, 5, 6, 7]
    letters = await spine.bus.subscribe("watcher", f"{TOPIC}.dlq")
    assert len(await letters.fetch(10, 1)) >= 1
    await relay.close()


async def test_an_outage_makes_the_batch_wait_and_parks_nothing(spine: Spine) -> None:
    await spine.tell(started())
    relay = spine.relay()
    await relay.run_once()
    consumer = spine.consumer()
    real = spine.db
    consumer._db = type(real)("postgresql://nobody:x@127.0.0.1:1/none", name="away")
    with pytest.raises(OSError, match=r"."):
        await consumer.run_once()
    await consumer._db.close()
    consumer._db = real
    await consumer.run_once()
    assert len(await spine.effects()) == 1
    assert await spine.rows("SELECT 1 FROM dead_letters") == []
    await consumer.close()
    await relay.close()


async def test_two_consumers_racing_over_one_batch_have_one_effect(spine: Spine) -> None:
    await spine.tell(*(started() for _ in range(50)))
    relay = spine.relay()
    await relay.run_once()
    reader = await spine.bus.subscribe("someone", TOPIC)
    records = await reader.fetch(100, 1)
    await asyncio.gather(*(spine.consumer()._take(records) for _ in range(3)))
    assert len(await spine.effects()) == 50
    await relay.close()


async def test_a_round_in_parts_and_the_one_read_ahead_keep_the_order(spine: Spine) -> None:
    visit = uuid4()
    events = [raised(visit) for _ in range(23)]
    await spine.tell(*events)
    relay = spine.relay()
    relay._share, relay.config.part = 4, 2
    while await relay.run_once():
        assert not set(await waiting(spine)) & set(await on_the_bus(spine)), "what is published is marked in its round"
    assert await on_the_bus(spine) == [str(event.appeal_id) for event in events]
    await relay.close()


async def test_what_follows_a_failed_part_does_not_overtake_it(spine: Spine, monkeypatch: pytest.MonkeyPatch) -> None:
    visit = uuid4()
    events = [raised(visit) for _ in range(12)]
    await spine.tell(*events)
    relay = spine.relay()
    relay._share, relay.config.part = 4, 1
    publish, turns = spine.bus.publish, iter(range(100))

    async def sometimes(records: list[Record]) -> None:
        if next(turns) in (1, 3, 6):
            raise BusUnavailable("the bus is away for a moment")
        await publish(records)

    monkeypatch.setattr(spine.bus, "publish", sometimes)
    while await waiting(spine):
        await relay.run_once()
    assert next(turns) > 7, "the bus was away three times"
    assert await on_the_bus(spine) == [str(event.appeal_id) for event in events]
    await relay.close()


async def test_lanes_keep_the_order_of_each_key_and_a_broken_event_stops_only_its_own(spine: Spine) -> None:
    visits = [uuid4() for _ in range(7)]
    events = [raised(visit) for _ in range(8) for visit in visits]
    broken = events[24]
    spine.broken = {str(broken.appeal_id)}
    await spine.tell(*events)
    relay = spine.relay()
    await relay.run_once()
    consumer = spine.consumer()
    consumer.config.lane = 5
    await consumer.run_once()
    await consumer.close()
    effects = await spine.effects()
    assert sorted(effects) == sorted(str(event.appeal_id) for event in events if event is not broken)
    for visit in visits:
        told = [str(event.appeal_id) for event in events if event.visit_id == visit and event is not broken]
        assert [effect for effect in effects if effect in told] == told
    assert len(await spine.rows("SELECT 1 FROM dead_letters")) == 1
    await relay.close()


async def test_a_closed_consumer_has_stored_its_offset(spine: Spine) -> None:
    await spine.tell(started())
    relay = spine.relay()
    await relay.run_once()
    await taken(spine)
    subscription = await spine.bus.subscribe("spine", TOPIC)
    assert await subscription.fetch(10, 0) == []
    await subscription.close()
    await relay.close()


async def waiting(spine: Spine) -> list[str]:
    """The subjects that are not marked as published."""
    return [row["subject"] for row in await spine.rows("SELECT subject FROM outbox WHERE published_at IS NULL")]


async def on_the_bus(spine: Spine) -> list[str]:
    """The subjects on the topic, in its order."""
    subscription = await spine.bus.subscribe(uuid4().hex, TOPIC)
    records = await subscription.fetch(1000, 0)
    await subscription.close()
    return [dict(record.headers)["ce_subject"].decode() for record in records]


async def test_a_run_of_failing_complaints_ends_and_those_behind_it_are_opened(spine: Spine) -> None:
    bad, good = [raised() for _ in range(40)], [raised() for _ in range(5)]
    spine.broken = {str(event.appeal_id) for event in bad}
    await spine.tell(*bad, *good)
    relay = spine.relay()
    await relay.run_once()
    consumer = spine.consumer()
    consumer.config.pause, consumer.config.stall, consumer.config.longest_backoff = 0.05, 3.0, 0.0
    taking = asyncio.create_task(consumer.run_once())
    while not taking.done():
        assert consumer.healthy()[0], "it moves, record by record"
        await asyncio.sleep(0.05)
    await taking
    assert await spine.effects() == [str(event.appeal_id) for event in good]
    # Read again after a death, they are not tried three times each once more.
    again = spine.consumer()
    again.config.pause = 60.0
    await consumer.close()
    await spine.bus.fetch("UPDATE positions SET next_offset = 0")
    await asyncio.wait_for(again.run_once(), 30)
    assert len(await spine.effects()) == 5
    await again.close()
    await relay.close()


async def test_what_cannot_be_mended_is_dropped_and_its_key_goes_on(spine: Spine) -> None:
    visit = uuid4()
    await spine.publish_raw(str(visit), b"garbage")
    spine.broken = {str(visit)}
    complaint = raised(visit)
    spine.broken.add(str(complaint.appeal_id))
    await spine.tell(started(visit), complaint)
    relay = spine.relay()
    await relay.run_once()
    await taken(spine)
    assert await spine.effects() == []
    spine.broken = set()
    # The complaint behind the garbage commutes: it is opened; what must keep its order waits.
    done, failures = await dead_letters.replay(spine.db, spine.handlers)
    assert (done, len(failures)) == (1, 1)
    assert await spine.effects() == [str(complaint.appeal_id)]
    assert await dead_letters.drop(spine.db, TOPIC, 0, 0)
    assert not await dead_letters.drop(spine.db, TOPIC, 0, 0)
    assert await dead_letters.replay(spine.db, spine.handlers) == (1, [])
    assert (await spine.effects())[-1] == str(visit)
    await relay.close()


async def test_what_a_service_does_not_hear_holds_nothing_up(spine: Spine) -> None:
    visit = uuid4()
    await spine.publish_raw(str(visit), b"{}", "visit.archived.v9")
    await spine.tell(started(visit))
    relay = spine.relay()
    await relay.run_once()
    await taken(spine)
    assert await spine.effects() == [str(visit)]
    await relay.close()


async def test_the_text_of_an_error_does_not_leave(spine: Spine) -> None:
    visit = uuid4()
    spine.broken = {str(visit)}
    await spine.tell(started(visit))
    relay = spine.relay()
    await relay.run_once()
    await taken(spine)
    (row,) = await spine.rows("SELECT reason FROM dead_letters")
    assert row["reason"] == "ValueError"
    await relay.close()


async def test_what_is_kept_is_kept_as_long_as_promised_and_no_longer(spine: Spine) -> None:
    await spine.tell(*(started() for _ in range(3)))
    relay = spine.relay()
    await relay.run_once()
    await taken(spine)
    await spine.tell(started())  # never published: kept, however old
    async with spine.db.connection() as connection:
        await connection.execute(
            "UPDATE inbox i SET seen_at = now() - interval '31 days' FROM outbox o WHERE o.id = event_id AND seq < 3"
        )
        await connection.execute("UPDATE outbox SET written_at = now() - interval '1 year'")
        await connection.execute("UPDATE outbox SET published_at = now() - interval '15 days' WHERE seq <= 2")
        await connection.execute("UPDATE outbox SET refused = 'too large' WHERE seq = 2")
    purges = [(inbox.purge, KEEP_INBOX), (outbox.purge, KEEP_OUTBOX)]
    housekeeping = Housekeeping("spine", spine.db, spine.bus, [], purges)
    assert await housekeeping.run_once() is True
    assert await housekeeping.run_once() is False
    assert len(await spine.rows("SELECT 1 FROM inbox")) == 1
    kept = await spine.rows("SELECT seq FROM outbox ORDER BY seq")
    assert [row["seq"] for row in kept] == [2, 3, 4], "refused and unpublished rows stay for a person and for the relay"
    await relay.close()
