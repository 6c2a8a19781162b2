"""What can be chosen for the local stack, and its scaled clock."""

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis.clock import ScaledClock
from deploy.local import clock
from deploy.local.clock import Scale
from deploy.local.errors import Refused
from deploy.local.settings import ROOT, Settings
from tests.support.local_stack import FAKE, LocalStack


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"BUS": "rabbit"}, "BUS is embedded or kafka, not 'rabbit'."),
        ({"PORT_BASE": "80"}, "PORT_BASE is a number from 1024 to 65526, not '80'."),
        ({"CLOCK_SPEED": "60"}, "CLOCK_SPEED needs CLOCK_START: from which instant should time run faster?"),
        ({"CLOCK_START": "tomorrow"}, "CLOCK_START is a time like 2026-10-09T08:00:00+08:00, not 'tomorrow'."),
        (
            {"CLOCK_START": "2026-10-09T08:00:00"},
            "CLOCK_START 2026-10-09T08:00:00 has no offset: write 2026-10-09T08:00:00+08:00, for example.",
        ),
        (
            {"CLOCK_START": "2026-10-09T08:00:00Z", "CLOCK_SPEED": "-1"},
            "CLOCK_SPEED is a number above 0 and up to 1000000, not '-1'.",
        ),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, str], said: str) -> None:
    with pytest.raises(Refused, match=re.escape(said)):
        Settings.read(settings)


def test_without_a_word_it_is_the_embedded_default() -> None:
    its = Settings.read({"BUS": "", "CLOCK_SPEED": " "})
    assert its == Settings(ROOT / ".state", 8000, "auto", "embedded", None, None)
    assert [its.port(name) for name in ("visit_api", "appeal_tracker", "notifier")] == [8001, 8002, 8003]


def test_a_state_elsewhere_is_named_as_it_is_typed_in_the_clone(tmp_path: Path) -> None:
    assert Settings.read({"STATE_DIR": "second"}).state_dir == ROOT / "second"
    assert Settings.read({"STATE_DIR": str(tmp_path)}).state_dir == tmp_path


def test_a_jump_leads_forwards_and_keeps_the_speed(tmp_path: Path) -> None:
    file = tmp_path / "clock.json"
    Scale(datetime.fromisoformat("2026-10-09T08:00:00+08:00"), 60).write(file)
    assert Scale.read(file).now() == Scale.read(file).now() == Scale.read(file).start
    clock.set_off(file)
    noon = datetime.fromisoformat("2026-10-09T12:00:00+08:00")
    clock.jump(file, noon)
    assert noon <= Scale.read(file).now() < noon + timedelta(hours=1)
    assert ScaledClock(file).now() >= noon
    assert Scale.read(file).speed == 60
    with pytest.raises(ValueError, match="already past"):
        clock.jump(file, noon - timedelta(minutes=1))


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[LocalStack]:
    with LocalStack(tmp_path / "state", FAKE) as its:
        yield its
    assert its.run("reset").returncode == 0


def test_virtual_time_begins_at_the_first_ready_and_is_kept(fresh: LocalStack) -> None:
    asked: Any = {"CLOCK_START": "2026-10-09T08:00:00+08:00", "CLOCK_SPEED": "60"}
    fresh.refused(FAKE_BAD_MIGRATION="bus", **asked)
    file = fresh.state_dir / "clock.json"
    assert Scale.read(file).anchor is None, "nothing was ready yet"
    began = time.time()
    fresh.up(**asked)
    scale = Scale.read(file)
    assert (scale.start.isoformat(), scale.speed) == ("2026-10-09T08:00:00+08:00", 60)
    assert scale.anchor is not None
    assert began < scale.anchor < time.time()
    with urllib.request.urlopen(fresh.url("notifier", "/environment")) as got:
        assert json.load(got)["NOTIFIER_CLOCK_FILE"] == str(file)
    fresh.stop()
    fresh.up()
    assert Scale.read(file) == scale
    fresh.stop()
    assert fresh.refused(CLOCK_START="2027-01-01T00:00:00Z") == (
        "This state lives from 2026-10-09T08:00:00+08:00 at speed 60: "
        "leave CLOCK_START and CLOCK_SPEED out, or `make reset` first."
    )
