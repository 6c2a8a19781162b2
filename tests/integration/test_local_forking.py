"""A service that was forked is a process like one that was started: nothing of the supervisor's is left in it."""

import json
import subprocess
import sys

import pytest

from deploy.local.settings import ROOT


@pytest.mark.skipif(sys.platform != "linux", reason="services are forks on Linux only")
def test_nothing_of_the_supervisor_is_left_in_a_fork() -> None:
    command = [sys.executable, "-m", "tests.support.forked"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(ROOT)})
    said = json.loads(done.stdout)
    exits, waits = said["told"]
    assert said["codes"] == [3, -15, 1]
    assert said["threads"] == 1, "of what is forked, other threads are not there, nor is what they were about to do"
    assert said["alone"], "a fork that cannot even say what is wrong ends, and does not come back as a supervisor"
    assert said["mine"] == [], "a signal to a service is not taken for one to its supervisor"
    for word, told in (("exits", exits), ("waits", waits)):
        assert told["argv"] == [word]
        assert told["shown"] == f"python -m tests.support.forked {word}"[: len(told["shown"])]
        assert len(told["shown"]) > len("python -m tests")
        assert told["leads"]
        assert told["term"]
        assert {name: value for name, value in told["environment"].items() if name != "LC_CTYPE"} == {
            "PYTHONPATH": str(ROOT),
            "GIVEN": word,
        }
        assert told["files"] == [0, 1, 2]
    assert len({*exits["ids"], *waits["ids"]}) == 6
