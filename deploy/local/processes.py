"""Child processes that never outlive the stack: started in their own session, told when their parent dies, found again
after a crash by process id *and* start time, so that a stranger who got the same id is never touched."""

import ctypes
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from deploy.local.errors import Refused

LOOPBACK = "127.0.0.1"
PROC = Path("/proc")
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None

Pause = Callable[[float], None]
"""Waits some seconds; the supervisor's raises at once when the stack is to stop."""


@dataclass(frozen=True)
class Account:
    """An unprivileged user that root hands a process to."""

    uid: int
    gid: int


class Child(Protocol):
    """A process we started: what is used of `subprocess.Popen`."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    def poll(self) -> int | None: ...
    def send_signal(self, sent: signal.Signals, /) -> None: ...
    def wait(self, timeout: float) -> int: ...


class Launch(Protocol):
    """A way to start a child."""

    def __call__(self, command: Sequence[str], *, log: IO[bytes], env: Mapping[str, str], cwd: Path) -> Child: ...


def spawn(
    command: Sequence[str | Path],
    *,
    log: IO[bytes],
    env: Mapping[str, str],
    cwd: Path,
    account: Account | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a command that writes to `log`; when this process dies, even by SIGKILL, it gets `death_signal` (Linux).

    To be called from the main thread: the kernel sends the signal when the starting *thread* ends.
    """
    parent = os.getpid()
    with warnings.catch_warnings():
        # Python 3.12 warns of code between fork and exec where there are threads; ours only calls the kernel.
        warnings.simplefilter("ignore", DeprecationWarning)
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
            preexec_fn=lambda: tie_to_parent(parent, death_signal),
            umask=0o077,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )


def tie_to_parent(parent: int, death_signal: signal.Signals) -> None:
    """In a new child: have the kernel send the signal when `parent` dies, and die if it did before this (Linux)."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)


def started_at(pid: int) -> str | None:
    """When a process began, as opaque text; None when there is no such process, or only its zombie is left."""
    if PROC.is_dir():
        try:
            state, *rest = (PROC / str(pid) / "stat").read_text().rpartition(") ")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if state in "ZX" else f"{_boot_id()}/{rest[18]}"
    found = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, began = found.stdout.strip().partition(" ")
    return began.strip() if began and "Z" not in state else None


def _boot_id() -> str:
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


AT_ONCE = ((signal.SIGKILL, 10.0),)


class PidFile:
    """Remembers one process on disk, so that a later run can find what an earlier one left behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, pid: int) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.write_text(json.dumps({"pid": pid, "started_at": started_at(pid)}))

    def pid(self) -> int | None:
        """The remembered process, if that very process still runs."""
        try:
            kept = json.loads(self.path.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        alive = kept["started_at"] is not None and started_at(kept["pid"]) == kept["started_at"]
        return int(kept["pid"]) if alive else None

    def clear(self) -> None:
        self.path.unlink(missing_ok=True)


def stop_child(child: Child, steps: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send each signal in turn to our own child until it is gone, waiting the seconds given with it; reaps it."""
    for sent, seconds in steps:
        if child.poll() is not None:
            return
        child.send_signal(sent)
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            continue


def stop_strangers(pids: Callable[[], Sequence[int]], steps: Sequence[tuple[signal.Signals, float]]) -> None:
    """The same for processes that are no children of ours; `pids` names those still running."""
    for sent, seconds in steps:
        for pid in pids():
            signal_if_alive(pid, sent)
        deadline = time.monotonic() + seconds
        while pids() and time.monotonic() < deadline:
            time.sleep(0.02)


def signal_if_alive(pid: int, sent: signal.Signals) -> None:
    try:
        os.kill(pid, sent)
    except ProcessLookupError:
        return  # it ended between the look and the signal, which is what we want


def require_free_port(port: int, purpose: str) -> None:
    """Refuse a port that somebody else listens on, before anything is started on it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Refused(f"Port {port} ({purpose}) is in use: free it, or choose another PORT_BASE.") from None
            raise Refused(f"Port {port} ({purpose}) cannot be opened: {error.strerror}.") from None


def last_lines(log: Path, count: int = 12) -> str:
    """The end of a log, for the sentence that says why something did not start."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
