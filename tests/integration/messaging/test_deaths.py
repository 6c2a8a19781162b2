"""Death in the middle of setting something aside, or of taking it back: nothing is lost, nothing counts twice."""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from uuid import uuid4

import pytest

from chassis import crash
from chassis.messaging import dead_letters
from chassis.messaging.bus import Record
from chassis.messaging.embedded import EmbeddedBus
from tests.integration.messaging.spine import TOPIC, Spine, raised, started

DLQ = f"{TOPIC}.dlq"
OVERSIZE = """
INSERT INTO outbox (id, aggregatetype, aggregateid, type, source, subject, "time", payload)
SELECT gen_random_uuid(), 'visit.events', 'k', 't.t.v1', '/spine', 's', now(), convert_to(repeat('x', 1200000), 'UTF8')
"""


class Death(BaseException):
    """The end of a process, as far as one test's process can have it."""


DieAt = Callable[[str, int], None]
_doomed = ContextVar("_doomed", default=False)


@pytest.fixture
def die_at(monkeypatch: pytest.MonkeyPatch) -> DieAt:
    """Dies at the n-th passage of a point from now on; once. What another test left at work passes it uncounted."""

    def arrange(name: str, nth: int) -> None:
        passages = iter(range(1, 1_000_000))

        def point(passed: str) -> None:
            if passed == name and _doomed.get() and next(passages) == nth:
                raise Death

        _doomed.set(True)
        monkeypatch.setattr(crash, "point", point)

    return arrange


async def on(spine: Spine, topic: str) -> list[str]:
    """The event ids on a topic."""
    subscription = await spine.bus.subscribe(uuid4().hex, topic)
    found = await subscription.fetch(100, 0)
    await subscription.close()
    return [dict(record.headers)["ce_id"].decode() for record in found]


async def dies(spine: Spine) -> None:
    """A consumer takes what there is, and dies of it."""
    consumer = spine.consumer()
    with pytest.raises(Death):
        await consumer.run_once()
    await consumer.close()


async def takes(spine: Spine) -> None:
    """The next one takes what there is."""
    consumer = spine.consumer()
    await consumer.run_once()
    await consumer.close()


async def relays(spine: Spine) -> None:
    relay = spine.relay()
    while await relay.run_once():
        pass
    await relay.close()


# Passages after the batch has failed: looked whether it was parked, parked, parked what is behind it.
@pytest.mark.parametrize("nth", [1, 2, 3, 4])
async def test_whoever_dies_while_parking_leaves_one_dead_letter_each(spine: Spine, die_at: DieAt, nth: int) -> None:
    visit, other = uuid4(), uuid4()
    spine.broken = {str(visit)}
    await spine.tell(started(visit), started(visit), started(other))
    await relays(spine)
    die_at("db.committed", nth)
    await dies(spine)
    await takes(spine)
    async with spine.db.transaction() as tx:
        parked = await dead_letters.listed(tx)
    assert [(row["record_offset"], row["key"].decode()) for row in parked] == [(0, str(visit)), (1, str(visit))]
    assert await spine.effects() == [str(other)]
    await relays(spine)
    assert len(await on(spine, DLQ)) == 2, "each is told once"


class Dying(EmbeddedBus):
    """A bus whose client dies when it has told of a dead letter."""

    async def publish(self, records: Sequence[Record]) -> None:
        await super().publish(records)
        if any(record.topic == DLQ for record in records):
            raise Death


async def test_whoever_dies_while_refusing_a_row_refuses_it_once(spine: Spine) -> None:
    async with spine.db.connection() as connection:
        await connection.execute(OVERSIZE)
    event = started()
    await spine.tell(event)
    relay = spine.relay()
    relay._bus = Dying(spine.bus._database)
    with pytest.raises(Death):
        await relay.run_once()
    await relay.close()
    assert await spine.rows("SELECT 1 FROM outbox WHERE refused IS NOT NULL") == [], "told, and not yet marked"
    await relays(spine)
    (row,) = await spine.rows("SELECT id FROM outbox WHERE refused IS NOT NULL")
    assert await spine.rows("SELECT 1 FROM outbox WHERE published_at IS NULL") == []
    assert set(await on(spine, DLQ)) == {str(row["id"])}, "twice perhaps, but as one and the same"
    await takes(spine)
    assert await spine.effects() == [str(event.visit_id)]


# Each replayed event is looked for, handled and settled in one commit; a death after it, or the one before.
@pytest.mark.parametrize("nth", [1, 2, 3, 4])
async def test_whoever_dies_while_replaying_has_replayed_each_once(spine: Spine, die_at: DieAt, nth: int) -> None:
    visit = uuid4()
    complaint = raised(visit)
    spine.broken = {str(visit), str(complaint.appeal_id)}
    await spine.tell(started(visit), complaint, started(visit))
    await relays(spine)
    await takes(spine)
    spine.broken = set()
    die_at("db.committed", nth)
    with pytest.raises(Death):
        await dead_letters.replay(spine.db, spine.handlers)
    done, failures = await dead_letters.replay(spine.db, spine.handlers)
    assert (done, failures) == (3 - (nth - 1), [])
    assert await spine.effects() == [str(visit), str(complaint.appeal_id), str(visit)]
    assert len(await spine.rows("SELECT 1 FROM dead_letters WHERE settled_how = 'replayed'")) == 3


async def test_whoever_dies_while_an_event_is_handled_again_has_not_handled_it(spine: Spine) -> None:
    visit = uuid4()
    spine.broken = {str(visit)}
    await spine.tell(started(visit), started(visit))
    await relays(spine)
    await takes(spine)
    spine.broken = set()
    handle, handled = spine.handlers.apply, iter(range(10))

    async def once(*given: object) -> object:
        result = await handle(*given)  # type: ignore[arg-type]
        if next(handled) == 1:
            raise Death
        return result

    spine.handlers.apply = once  # type: ignore[method-assign, assignment]
    with pytest.raises(Death):
        await dead_letters.replay(spine.db, spine.handlers)
    assert await spine.effects() == [str(visit)]
    assert await dead_letters.replay(spine.db, spine.handlers) == (1, [])
    assert await spine.effects() == [str(visit)] * 2
