"""What operations see: traces that lead from the deadline to the message, and the figures of the metrics."""

from prometheus_client import REGISTRY

from tests.conftest import START
from tests.integration.notifier.office import STATION, TRACE, Appeal, Office, unit


def figure(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_what_is_told_carries_the_trace_of_the_deadline(bare: Office):
    appeal = Appeal(START)
    await bare.hear(unit(STATION), appeal.breached("owner", "unit_supervisors"))
    async with bare.notifier.runtime.db.connection() as connection:
        told = await connection.fetch("SELECT type, traceparent FROM outbox ORDER BY type")
    assert [tuple(row) for row in told] == [("notification.dead.v1", TRACE), ("notification.sent.v1", TRACE)]


async def test_the_metrics_count_what_was_sent_given_up_and_is_still_under_way(bare: Office):
    sent, slow = (figure(name, channel="mailbox") for name in ("notifier_sent_total", "notifier_send_seconds_count"))
    dead = figure("notifier_dead_total", reason="nobody_to_tell")
    await bare.hear(unit(STATION), Appeal(START).breached("owner", "unit_supervisors"))
    assert figure("notifier_sent_total", channel="mailbox") == sent + 1
    assert figure("notifier_send_seconds_count", channel="mailbox") == slow + 1
    assert figure("notifier_dead_total", reason="nobody_to_tell") == dead + 1

    bare.clock.set(START.replace(hour=22))
    await bare.hear(Appeal(START).warned())
    bare.planner.config.measure_every = 0.0
    await bare.stack.settle()
    assert figure("notifier_deliveries", state="deferred") == 1
    assert figure("notifier_deliveries", state="dead") == 1
    assert figure("notifier_deliveries", state="queued") == 0
