"""`make demo`: the whole life of a complaint, played on a stack of its own in less than two minutes."""

import os
import re
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from chassis.clock import ScaledClock
from deploy.local.clock import Scale
from deploy.local.demo.stage import LEAD, Stage, settings_from
from deploy.local.services import base_environment
from deploy.local.settings import ROOT
from deploy.local.state import State
from tests.support.eventually import eventually
from tests.support.local_stack import LocalStack, free_port_base

TOLD = [
    "answer due 10-19 24:00, the 7th working day (Saturday 10-10 works)",
    "deferred to 10-10 08:0",
    "the warning, and an urging of the night, leave as one message",
    "the promise is broken, the unit's supervisor is told",
    "it goes by the next channel of its route",
    "a system of the company hears of it too, by a signed webhook",
    "the parent unit's supervisor is told",
    "the customer is answered in time",
    "a link that works once; one tap is the answer",
    "called back, satisfaction 4 of 5, the appeal is closed",
    "the visit is archived",
    "nothing is left behind",
]


@pytest.mark.parametrize("bus", ["embedded", pytest.param("kafka", marks=[pytest.mark.kafka, pytest.mark.long])])
def test_a_whole_life_is_played_and_told(bus: str, tmp_path: Path) -> None:
    settings = {"STATE_DIR": str(tmp_path), "PORT_BASE": str(free_port_base()), "BUS": bus}
    told = subprocess.run(
        [sys.executable, "-m", "deploy.local.demo"],
        cwd=ROOT,
        env={**base_environment(), **settings, "HOME": os.environ["HOME"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    places = [told.stdout.find(words) for words in TOLD]
    assert -1 not in places, told.stdout
    assert places == sorted(places), told.stdout
    assert re.search(r"━ (\d+)/\1 scenes", told.stdout), "the bar came to its end"


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGKILL, -9), pytest.param(signal.SIGTERM, 130, marks=pytest.mark.long)]
)
async def test_a_demo_that_is_ended_leaves_no_process_behind(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    with LocalStack(tmp_path / "demo") as stack:
        env = {**base_environment(), **stack.settings, "STATE_DIR": str(tmp_path), "HOME": os.environ["HOME"]}
        command = [sys.executable, "-m", "deploy.local.demo"]
        demo = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
        await eventually(lambda: len(stack.processes()) > 2, within=60)  # the supervisor, and what it starts first
        demo.send_signal(sent)
        assert demo.wait(60) == code
        await eventually(lambda: stack.processes() == [], within=60)
        assert stack.run("reset").returncode == 0


def test_whoever_acts_after_a_jump_finds_that_the_services_know_of_it(tmp_path: Path) -> None:
    start = datetime.fromisoformat("2026-10-09T16:00:00+08:00")
    state = State(tmp_path / "demo")
    state.auth.mkdir(parents=True)
    Scale(start, 1.0, time.time()).write(state.clock)
    stage = Stage(settings_from({"STATE_DIR": str(tmp_path)}))
    service = ScaledClock(state.clock)
    to = start + timedelta(days=3)
    service.now()  # looked just now, and would not look again for a while
    stage.jump(to)
    assert service.now() >= to - LEAD
