"""What the tracker tells of itself to whoever operates it."""

from prometheus_client import REGISTRY, generate_latest

from tests.integration.appeal_tracker.desk import Desk


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


async def test_an_appeal_of_a_type_not_known_here_is_counted(desk: Desk) -> None:
    opened, unknown = metric("appeals_opened_total"), metric("appeals_of_unknown_type_total")
    await desk.raised()
    await desk.raised(appeal_type="praise")
    assert metric("appeals_opened_total") - opened == 2
    assert metric("appeals_of_unknown_type_total") - unknown == 1
