"""Processes of services that begin as those of the local stack do, as forks of one that has loaded what they import.

`start` is `processes.spawn` for `python -m <service> WORD…`, and takes a tenth of its time.
"""

import atexit
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from deploy.local import forking
from deploy.local.services import REAL, STOCK
from deploy.local.settings import ROOT

MODULE = "tests.support.forks"


class Child(forking.Fork):
    """A child of the process that forks; it reaps, we are told."""

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = _told({"ended": self.pid})
        return self.returncode

    def wait(self, timeout: float = 30.0) -> int:
        return super().wait(timeout)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def start(command: Sequence[str], *, log: Path, env: Mapping[str, str]) -> Child:
    """A service as a process that writes to `log`; it ends when we do."""
    _, _, *words = command
    return Child(_told({"start": words, "log": str(log), "env": dict(env)}))


def _told(asked: Mapping[str, Any]) -> Any:
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    print(json.dumps(asked), file=server.stdin, flush=True)
    return json.loads(server.stdout.readline())


@cache
def _server() -> "subprocess.Popen[str]":
    path = os.pathsep.join([str(ROOT), str(ROOT / "services")])
    server = subprocess.Popen(
        [sys.executable, "-m", MODULE],
        env={**os.environ, "PYTHONPATH": path},
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for us
    )
    atexit.register(server.communicate)  # which says that no more is asked
    return server


def _serve() -> None:
    """Start what we are asked to, and tell how it ended."""
    forking.load([*STOCK, *(f"{name}.__main__" for name in REAL.services)])
    children: dict[int, forking.Fork] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        if "ended" in asked:
            told = children[asked["ended"]].poll()
        else:
            with Path(asked["log"]).open("ab") as log:
                command = [sys.executable, "-m", MODULE, *asked["start"]]
                child = forking.fork(command, log=log, env=asked["env"], cwd=ROOT)
            children[told := child.pid] = child
        print(json.dumps(told), flush=True)


def _be(service: str) -> None:
    """Be that service, whose words are the rest of the command line."""
    from chassis import crash

    importlib.reload(crash)  # it was loaded where nobody was to die
    del sys.argv[1], sys.modules[f"{service}.__main__"]
    runpy.run_module(service, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _be(sys.argv[1]) if sys.argv[1:] else _serve()
