"""What every rule stands on: ids that sort by when they were made, and time that goes as it is scaled."""

from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from chassis import clock
from chassis.clock import ManualClock, RealClock, ScaledClock, clock_from
from chassis.ids import new_id
from deploy.local.clock import Scale

NOW = datetime.fromisoformat("2026-10-09T08:00:00+08:00")


def test_an_id_is_a_uuid7_that_nobody_else_has() -> None:
    ids = [new_id() for _ in range(1000)]
    assert {its.version for its in ids} == {7}
    made = [its.int >> 80 for its in ids]  # milliseconds
    assert (made, len(set(ids))) == (sorted(made), 1000)


def test_scaled_time_goes_at_its_speed_and_never_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, real = tmp_path / "clock.json", SimpleNamespace(epoch=1_000_000.0)
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: real.epoch, monotonic=lambda: real.epoch))
    Scale(NOW, 60, None).write(file)
    its = clock_from(file)
    assert isinstance(its, ScaledClock)
    real.epoch += 5
    assert (its.now(), its.speed) == (NOW, 60), "it stands until it is set off"
    Scale(NOW, 60, real.epoch).write(file)
    real.epoch += 10
    assert its.now() == NOW + timedelta(minutes=10)
    Scale(NOW - timedelta(days=1), 1, real.epoch).write(file)
    real.epoch += 1
    assert its.now() == NOW + timedelta(minutes=10)


def test_time_is_aware_and_real_unless_it_is_scaled() -> None:
    real = clock_from(None)
    assert isinstance(real, RealClock)
    assert real.now().utcoffset() == timedelta(0)
    with pytest.raises(ValueError, match="aware"):
        ManualClock(NOW.replace(tzinfo=None))
