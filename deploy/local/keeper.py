"""Keeps one service's process running."""

import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploy.local import files, processes
from deploy.local.errors import Refused
from deploy.local.processes import LOOPBACK, Child, Launch, PidFile
from deploy.local.settings import ROOT

RESTART_AFTER = 0.5  # seconds
TRIES = 3  # of a service that has never been ready
STEPS = ((signal.SIGTERM, 20.0), (signal.SIGKILL, 10.0))


class Keeper:
    """One service: started, started again whenever it dies, stopped.

    Once it has been ready it is started again for ever; before that, `TRIES` times.
    """

    def __init__(
        self,
        name: str,
        port: int,
        command: Sequence[str],
        env: Mapping[str, str],
        log: Path,
        pid: Path,
        launch: Launch = processes.spawn,
    ) -> None:
        self.name, self.port, self.log = name, port, log
        self._launch = launch
        self._command, self._env = command, env
        self._pid = PidFile(pid)
        self._child: Child | None = None
        self._starts = 0
        self._start_again_at: float | None = None
        self._was_ready = False

    def start(self) -> None:
        with files.open_log(self.log) as log:
            self._child = self._launch(self._command, log=log, env=self._env, cwd=ROOT)
        self._starts += 1
        self._start_again_at = None
        self._pid.write(self._child.pid)  # last: it runs and is tended, also where a full disk does not let us note it

    def tend(self, say: Callable[[str], None]) -> None:
        """Start the service again if it died. Raises Refused when it has never been ready and keeps dying."""
        if self._child is None or (code := self._child.poll()) is None:
            return
        now = time.monotonic()
        if self._start_again_at is None:
            ended = _how_it_ended(code)
            if not self._was_ready and self._starts >= TRIES:
                raise Refused(
                    f"{self.name} {ended} {TRIES} times without ever being ready; the end of {self.log}:\n"
                    f"{processes.last_lines(self.log)}"
                )
            say(f"{self.name} {ended}; starting it again")
            self._start_again_at = now + RESTART_AFTER
        elif now >= self._start_again_at:
            self.start()

    def ready(self) -> str | None:
        """None when the service answers that it is ready, else what it answers.

        Spoken by hand: the HTTP client of the library brings TLS and mail with it, 5 MB that stay.
        """
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=2) as connection:
                connection.sendall(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")
                said = b"".join(iter(lambda: connection.recv(4096), b"")).decode(errors="replace")
        except OSError as error:
            return str(error)
        head, _, body = said.partition("\r\n\r\n")
        _, status, *_ = [*head.split(None, 2), "nothing"]
        if status != "200":
            return f"{status} {body}".strip()
        self._was_ready = True
        return None

    def ask_to_stop(self) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Stop and wait until it is gone; safe to call twice."""
        if self._child is not None:
            processes.stop_child(self._child, STEPS)
            self._child = None
            self._pid.clear()


def _how_it_ended(code: int) -> str:
    return f"was killed ({signal.Signals(-code).name})" if code < 0 else f"ended with exit code {code}"
