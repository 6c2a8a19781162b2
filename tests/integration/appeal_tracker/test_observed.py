"""What the tracker tells of itself to whoever operates it."""

from prometheus_client import REGISTRY, generate_latest

from tests.integration.appeal_tracker.desk import Desk, instant


def metric(name: str, **labels: str) -> float:
    """What a metric says now."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_a_timer_shows_that_it_fired_and_how_late(desk: Desk) -> None:
    before = {name: metric(f"timer_lateness_seconds_{name}") for name in ("count", "sum")}
    fired = metric("timers_fired_total", phase="before")
    await desk.raised()
    await desk.at("10-09T21:30")  # half of the 24 hours: on time
    assert metric("timer_lateness_seconds_count") - before["count"] == 1
    assert metric("timer_lateness_seconds_sum") == before["sum"]
    assert metric("timers_fired_total", phase="before") - fired == 1

    await desk.raised(received_at=desk.clock.now())
    await desk.at("10-10T09:35")  # five minutes after the first one's breach, and after half of the second's
    assert metric("timer_lateness_seconds_sum") - before["sum"] >= 300
    assert "timer_lateness_seconds_bucket" in generate_latest().decode()


_FIRED = """
SELECT count(*), sum(extract(epoch FROM fired_at - fire_at))::float FROM timers JOIN clocks ON clocks.id = clock_id
WHERE timers.state = 'fired' AND subject_kind <> 'canary'
"""


async def test_each_timer_is_seen_once_as_late_as_it_fired_also_where_an_act_was_quicker_than_the_loop(
    desk: Desk,
) -> None:
    """After downtime whoever acts on an appeal may come before the loop, and records the breach in its place."""
    before = [metric(f"timer_lateness_seconds_{name}") for name in ("count", "sum")]
    due = metric("timers_fired_total", phase="due")
    case = await desk.raised()
    desk.clock.set(instant("10-12T09:30"))  # two days after the contact was due, and nobody has looked since
    await desk.contact(case, "10-12T09:00")
    assert metric("timers_fired_total", phase="due") - due == 1
    assert metric("timer_lateness_seconds_sum") - before[1] == 2 * 86_400
    await desk.stack.settle()
    (row,) = await desk.rows(_FIRED)
    assert row[0] > 1
    assert [metric(f"timer_lateness_seconds_{name}") for name in ("count", "sum")] == [
        count + more for count, more in zip(before, row, strict=True)
    ]


async def test_an_appeal_of_a_type_not_known_here_is_counted(desk: Desk) -> None:
    opened, unknown = metric("appeals_opened_total"), metric("appeals_of_unknown_type_total")
    await desk.raised()
    await desk.raised(appeal_type="praise")
    assert metric("appeals_opened_total") - opened == 2
    assert metric("appeals_of_unknown_type_total") - unknown == 1
