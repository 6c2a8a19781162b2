"""A steady run tells how many were fired while time ran and how late each was committed, and refuses an early one."""

from datetime import UTC, datetime, timedelta

import pytest

from bench.firing import Running, judged
from bench.rows.held import RATE, SPEED
from bench.standing import LADDER, STEADILY

START = datetime(2026, 10, 9, 2, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_a_timer_is_as_late_as_its_turn_was_committed() -> None:
    timers = [(after(0.1), after(0.2)), (after(0.15), after(0.2)), (after(0.9), after(1.0))]
    its = judged(timers, [after(0.25), after(1.5)], end=after(1), seconds=1, speed=1)
    assert its.lateness == pytest.approx([150, 100, 600])
    assert its.rate == 2  # the third was committed when time was up


def test_lateness_is_the_machines_time() -> None:
    its = judged([(after(1), after(1.5))], [after(2)], end=after(2), seconds=4, speed=0.5)
    assert its.lateness == [2000]
    assert its.rate == 0.25


@pytest.mark.parametrize(("fired_at", "why"), [(after(0.9), "early"), (None, "not fired")])
def test_early_or_lost_is_no_number(fired_at: datetime | None, why: str) -> None:
    with pytest.raises(RuntimeError, match=why):
        judged([(after(1), fired_at)], [after(2)], end=after(2), seconds=1, speed=1)


def test_domain_time_runs_at_its_speed_until_it_is_stopped() -> None:
    clock = Running(START, speed=1000)
    clock.stop()
    stopped = clock.now()
    assert START <= stopped == clock.now()


def test_the_appeals_stand_before_each_step_of_the_floors_ladder() -> None:
    assert [point.step for point in LADDER] == ["0.5", "0.75", "-1wd", "due", "+1wd"]


def test_at_the_speed_of_the_held_row_so_many_fall_due_in_a_second() -> None:
    assert SPEED / STEADILY.total_seconds() == pytest.approx(RATE)
