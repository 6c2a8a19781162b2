"""The local stack as a process of its own, started and stopped the way a person does it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from deploy.local import cluster, processes
from deploy.local.errors import Refused
from deploy.local.settings import KAFKA_CONTROLLER_PORT, ROOT
from tests.support.databases import free_port

COMMAND = (sys.executable, "-m", "deploy.local")
FAKE = (sys.executable, "-m", "tests.support.fake_service", "stack")
LOOPBACK = "127.0.0.1"


def free_port_base() -> int:
    """A PORT_BASE whose ports nobody listens on now."""
    while True:
        base = free_port() - 1
        try:
            for port in range(base + 1, base + KAFKA_CONTROLLER_PORT + 1):
                processes.require_free_port(port, "test")
        except Refused:
            continue
        return base


class LocalStack:
    """`with LocalStack(folder, FAKE) as stack: stack.up()`; whatever still runs at the end is killed."""

    def __init__(
        self,
        state_dir: Path,
        command: Sequence[str] = COMMAND,
        *,
        port_base: int | None = None,
        uid: int | None = None,
        **settings: str,
    ) -> None:
        self.state_dir, self.command, self.uid = state_dir, command, uid
        self.port_base = free_port_base() if port_base is None else port_base
        self.settings = {"STATE_DIR": str(state_dir), "PORT_BASE": str(self.port_base), **settings}
        self.cwd = ROOT
        self.output: list[str] = []
        self.first_output: list[str] = []
        self.first_answers: list[str] = []
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.running:
            self.stop(within=60)
        left = self.processes()
        for pid in left:
            processes.signal_if_alive(pid, signal.SIGKILL)
        if error is None and left:
            raise AssertionError(f"these outlived their stack: {left}")

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def url(self, service: str, path: str = "") -> str:
        """Where a service of this stack is reached."""
        port = self.port_base + ["", "visit_api", "appeal_tracker", "notifier"].index(service)
        return f"http://{LOOPBACK}:{port}{path}"

    def launch(self, **settings: str) -> None:
        """Start it and do not wait."""
        self.output = []
        self._process = subprocess.Popen(
            [*self.command, "up"],
            env=self.environment(settings),
            cwd=self.cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            user=self.uid,
        )

    def up(self, *, within: float = 90, **settings: str) -> float:
        """Start it and wait for `ready`; the seconds that took."""
        began = time.monotonic()
        self.launch(**settings)
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.output.append(line.rstrip("\n"))
            if line.strip() == "ready":
                return time.monotonic() - began
            assert time.monotonic() - began < within, self.output
        raise AssertionError(f"it ended with {self._process.wait()}: {self.output}")

    def hang_up(self) -> None:
        """Close our end of its output."""
        assert self._process is not None
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.stdout = None

    def wait(self, within: float = 30) -> int:
        """Wait for its end; the exit code."""
        assert self._process is not None
        rest, _ = self._process.communicate(timeout=within)
        self.output += (rest or "").splitlines()
        return self._process.returncode

    def stop(self, sent: signal.Signals = signal.SIGTERM, within: float = 30) -> int:
        """Signal the supervisor and wait for its end; the exit code."""
        os.kill(self.pid, sent)
        return self.wait(within)

    def interrupt(self) -> int:
        """Ctrl-C: the terminal signals the whole foreground group."""
        os.killpg(self.pid, signal.SIGINT)
        return self.wait()

    def kill(self) -> None:
        """SIGKILL to all of the foreground group: the supervisor, and make where make started it."""
        os.killpg(self.pid, signal.SIGKILL)
        self.wait()

    def refused(self, **settings: str) -> str:
        """Start it where it must say no; its last words, once nothing of it runs any more."""
        self.launch(**settings)
        assert self.wait(150) == 1, self.output
        assert self.processes() == []
        return "\n".join(line for line in self.output if not re.match(r"(starting|preparing) ", line))

    def run(self, word: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Another word of the command line on the same state."""
        command = [*self.command, word]
        return subprocess.run(
            command,
            env=self.environment(settings),
            cwd=self.cwd,
            capture_output=True,
            text=True,
            check=False,
            user=self.uid,
        )

    def curl(self) -> str:
        """Paste the curl that was printed; its answer."""
        call = self.output[self.output.index("a first call:") + 1]
        return subprocess.run(["/bin/sh", "-c", call], capture_output=True, text=True, check=True).stdout

    def paste(self, command: str) -> str:
        """Paste a command of the READMEs, its port put in place of the default one; its answer."""
        here = command.replace("localhost:8002", self.url("appeal_tracker").removeprefix("http://"))
        assert here != command
        env = {"PYTHON": sys.executable, **self.environment()}
        done = subprocess.run(
            ["/bin/sh", "-c", here], cwd=self.cwd, env=env, user=self.uid, capture_output=True, text=True, check=True
        )
        return done.stdout

    def processes(self) -> list[int]:
        """Every live process that works for this state, known by its environment or by its working directory."""
        named = f"STATE_DIR={self.state_dir}".encode()
        homes = {self.state_dir.resolve(), cluster.elsewhere(self.state_dir)}
        found = []
        for entry in processes.PROC.iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and processes.started_at(int(entry.name)) is not None:
                    works_here = not homes.isdisjoint((entry / "cwd").readlink().parents)
                    if works_here or named in (entry / "environ").read_bytes().split(b"\0"):
                        found.append(int(entry.name))
        return found

    def child(self, name: str) -> int | None:
        """The process of a service, if it runs."""
        return processes.PidFile(self.state_dir / "run" / f"{name}.pid").pid()

    def environment(self, settings: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
        """What its processes are started with."""
        kept = {name: value for name, value in os.environ.items() if name not in ("BUS", "POSTGRES", "PORT_BASE")}
        path = os.pathsep.join([str(ROOT), str(ROOT / "services"), *filter(None, [os.environ.get("PYTHONPATH")])])
        return {**kept, "PYTHONPATH": path, **self.settings, **settings}
