"""What the plumbing tells of itself: each metric that an operator is promised moves; each event is a line."""

import json
import logging
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY, generate_latest
from sqlalchemy import text

from chassis.messaging.handlers import Apply, Handler
from chassis.outage import is_outage
from chassis.telemetry import JsonFormatter, trace_id, traced
from tests.integration.messaging.spine import TOPIC, Spine, started


def metric(name: str, topic: str = TOPIC) -> float:
    """What the metric of the spine says now."""
    labels = {"service": "spine", "topic": topic}
    assert name.removesuffix("_total") in generate_latest().decode(), "exposed at /metrics"
    return REGISTRY.get_sample_value(name, labels) or 0.0


def handled_by(spine: Spine, apply: Apply) -> None:
    """Has another function do what the spine does of each event."""
    table = spine.handlers._table
    table.update({event: Handler(apply, handler.commutes) for event, handler in table.items()})


async def relayed(spine: Spine) -> None:
    relay = spine.relay()
    while await relay.run_once():
        pass
    await relay.close()


async def test_the_outbox_shows_what_waits_and_what_leaves(spine: Spine) -> None:
    await spine.tell(*(started() for _ in range(3)))
    async with spine.db.connection() as connection:
        await connection.execute("UPDATE outbox SET written_at = now() - interval '1 minute'")
    before = metric("outbox_relayed_total")
    relay = spine.relay()
    relay.config.measure_every = 0.0
    await relay.run_once()
    assert metric("outbox_depth") == 3
    assert 60 <= metric("outbox_age_seconds") < 90
    assert metric("outbox_relayed_total") - before == 3
    await relay.run_once()
    assert (metric("outbox_depth"), metric("outbox_age_seconds")) == (0, 0)
    await relay.close()


async def test_a_row_that_is_refused_is_counted(spine: Spine) -> None:
    async with spine.db.connection() as connection:
        await connection.execute(
            """INSERT INTO outbox (id, aggregatetype, aggregateid, type, source, subject, "time", payload)
            VALUES (gen_random_uuid(), 'visit.events', 'k', 't.t.v1', '/spine', 's', now(), $1)""",
            b"x" * 1_200_000,
        )
    before = metric("outbox_refused_total")
    await relayed(spine)
    assert metric("outbox_refused_total") - before == 1


async def test_a_consumer_shows_how_far_it_is_behind(spine: Spine) -> None:
    consumer = spine.consumer()
    consumer.config.watch_every = 0.0
    await consumer.run_once()
    assert metric("consumer_lag") == 0
    await spine.tell(*(started() for _ in range(5)))
    await relayed(spine)
    assert consumer._subscription is not None
    await consumer._watch(consumer._subscription)
    assert metric("consumer_lag") == 5
    before = metric("consumer_events_total")
    await consumer.run_once()
    await consumer.close()
    assert metric("consumer_events_total") - before == 5


async def test_what_is_heard_twice_is_counted(spine: Spine) -> None:
    await spine.tell(started(), started())
    await relayed(spine)
    before, events = metric("inbox_duplicates_total"), metric("consumer_events_total")
    for _ in range(2):
        consumer = spine.consumer()
        await consumer.run_once()
        await consumer.close()
        await spine.bus.fetch("UPDATE positions SET next_offset = 0")
    assert metric("inbox_duplicates_total") - before == 2
    assert metric("consumer_events_total") - events == 2


async def test_what_is_parked_is_counted(spine: Spine) -> None:
    visit = uuid4()
    spine.broken = {str(visit)}
    await spine.tell(started(visit), started(visit))
    await relayed(spine)
    before = metric("dead_letters_total")
    consumer = spine.consumer()
    await consumer.run_once()
    await consumer.close()
    assert metric("dead_letters_total") - before == 2


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    """The log as JSON, as it was written: with the trace it was written under."""
    written: list[dict[str, Any]] = []
    formatter = JsonFormatter("spine")

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(json.loads(formatter.format(record)))

    handler, logger = Keep(), logging.getLogger("chassis.messaging.consumer")
    logger.addHandler(handler)
    caplog.set_level(logging.INFO, logger.name)
    yield written
    logger.removeHandler(handler)


async def told_under_traces(spine: Spine, number: int) -> dict[str, str]:
    """The traces of `number` events, each of its own, by event."""
    traces = {}
    for _ in range(number):
        with traced(None) as parent:
            (event,) = await spine.tell(started())
            traces[str(event)] = str(trace_id(parent))
    await relayed(spine)
    return traces


async def test_each_applied_event_is_a_line_under_its_own_trace(spine: Spine, lines: list[dict[str, Any]]) -> None:
    traces = await told_under_traces(spine, 4)
    for _ in range(2):  # what is heard again is not applied, and no line
        consumer = spine.consumer()
        await consumer.run_once()
        await consumer.close()
        await spine.bus.fetch("UPDATE positions SET next_offset = 0")
    found = [line for line in lines if line["message"] == "event applied"]
    assert {line["event"]: line["trace_id"] for line in found} == traces
    assert len(found) == 4
    assert {(line["type"], line["topic"], line["level"]) for line in found} == {("visit.started.v1", TOPIC, "INFO")}


async def test_a_flood_is_one_line(spine: Spine, lines: list[dict[str, Any]]) -> None:
    await spine.tell(*(started() for _ in range(11)))
    await relayed(spine)
    consumer = spine.consumer()
    await consumer.run_once()
    await consumer.close()
    assert [(line["message"], line["events"]) for line in lines] == [("events applied", 11)]


async def test_what_a_batch_does_for_several_traces_belongs_to_none_of_them(spine: Spine) -> None:
    seen: list[str | None] = []
    write_down = spine.handlers._table

    async def look(tx: Any, messages: Any) -> None:
        from chassis.telemetry import current_trace_id

        seen.append(current_trace_id())

    for event, handler in write_down.items():
        write_down[event] = type(handler)(look, handler.commutes)
    for number in (1, 2):
        traces = await told_under_traces(spine, number)
        consumer = spine.consumer()
        await consumer.run_once()
        await consumer.close()
        assert (seen.pop() in traces.values()) is (number == 1)


async def test_a_batch_that_is_too_much_is_taken_apart_and_a_single_event_waits(spine: Spine) -> None:
    slow = {"from": 2}
    write_down = spine._write_down

    async def hurried(tx: Any, messages: Any) -> None:
        await tx.execute(text("SET LOCAL statement_timeout = '100ms'"))
        await tx.execute(text(f"SELECT pg_sleep({5 if len(messages) >= slow['from'] else 0})"))
        await write_down(tx, messages)

    handled_by(spine, hurried)
    events = [started() for _ in range(3)]
    await spine.tell(*events)
    await relayed(spine)
    consumer = spine.consumer()
    await consumer.run_once()
    assert await spine.effects() == [str(event.visit_id) for event in events]

    slow["from"] = 1
    last = started()
    await spine.tell(last)
    await relayed(spine)
    consumer.config.watch_every = 0.0
    for behind in (1, 4):
        with pytest.raises(Exception, match="statement timeout"):
            await consumer.run_once()
        assert metric("consumer_lag") == behind, "that it falls behind is seen while it waits"
        await spine.tell(*(started() for _ in range(3)))
        await relayed(spine)
    assert await spine.rows("SELECT 1 FROM dead_letters") == [], "the database is slow: nobody's own fault"
    slow["from"] = 2
    await consumer.run_once()
    assert (await spine.effects())[3] == str(last.visit_id)
    await consumer.close()


async def test_a_batch_that_takes_too_long_in_all_is_taken_apart(spine: Spine) -> None:
    write_down = spine._write_down

    async def slow(tx: Any, messages: Any) -> None:
        for _ in messages:
            await tx.execute(text("SELECT pg_sleep(0.4)"))
        await write_down(tx, messages)

    handled_by(spine, slow)
    events = [started() for _ in range(3)]
    await spine.tell(*events)
    await relayed(spine)
    consumer = spine.consumer()
    consumer.config.patience = 0.7
    await consumer.run_once()
    await consumer.close()
    assert await spine.effects() == [str(event.visit_id) for event in events]


async def test_a_database_that_is_not_yet_what_the_code_needs_is_waited_for(spine: Spine) -> None:
    write_down, its = spine._write_down, "made_by_the_next_migration"

    async def newer(tx: Any, messages: Any) -> None:
        await tx.execute(text(f"SELECT 1 FROM {its}"))
        await write_down(tx, messages)

    handled_by(spine, newer)
    event = started()
    await spine.tell(event)
    await relayed(spine)
    consumer = spine.consumer()
    with pytest.raises(Exception, match=f'relation "{its}" does not exist') as refusal:
        await consumer.run_once()
    assert is_outage(refusal.value)
    assert await spine.rows("SELECT 1 FROM dead_letters") == [], "it is not the event's fault"
    its = "effects"
    await consumer.run_once()
    assert await spine.effects() == [str(event.visit_id)]
    await consumer.close()
