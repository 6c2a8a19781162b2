"""Services as forks of the supervisor (Linux): what all of them import is loaded once, and lies in memory once."""

import contextlib
import ctypes
import gc
import importlib
import os
import runpy
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NoReturn

from deploy.local.processes import PROC, tie_to_parent

PR_SET_NAME = 15


def load(modules: Sequence[str]) -> None:
    """Load what the services share. It is never looked through for garbage, which would write on its pages."""
    gc.disable()
    for module in modules:
        importlib.import_module(module)
    gc.freeze()
    gc.enable()


class Fork:
    """A child as `subprocess.Popen` would show it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def send_signal(self, sent: int) -> None:
        if self.poll() is None:  # not reaped, so the number is still its own
            os.kill(self.pid, sent)

    def wait(self, timeout: float) -> int:
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(0.02)
        return code


def fork(command: Sequence[str], *, log: IO[bytes], env: Mapping[str, str], cwd: Path) -> Fork:
    """`processes.spawn` for `python -m MODULE WORD…`, which is what the child then is to everybody who looks at it."""
    parent = os.getpid()
    # Until the child has let go of ours, a signal to it would be taken for one to us.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        if (pid := os.fork()) == 0:
            _run(command, parent, log.fileno(), env, cwd)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return Fork(pid)


def _run(command: Sequence[str], parent: int, log: int, env: Mapping[str, str], cwd: Path) -> NoReturn:
    """Be the command in a process that was forked; ends it."""
    code = 1
    try:
        os.setsid()
        os.umask(0o077)
        os.chdir(cwd)
        tie_to_parent(parent, signal.SIGTERM)
        _let_go_of_files(log)
        _let_go_of_signals()
        os.environ.clear()
        os.environ.update(env)
        _look_like(command)
        _, _, module, *words = command
        sys.argv[1:] = words
        sys.path[:0] = env["PYTHONPATH"].split(os.pathsep)
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ending:
        if isinstance(ending.code, str):
            print(ending.code, file=sys.stderr)
        code = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException:  # noqa: BLE001 - whatever it is, it ends here
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:  # also where the disk is full: whoever came out of here would be a second supervisor
            os._exit(code)


def _let_go_of_files(log: int) -> None:
    """Above all of the lock on the state, which would outlive the supervisor in us."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    for name in os.listdir(PROC / "self/fd"):  # noqa: PTH208 - not all there may be: a container may allow a billion
        if int(name) > 2:
            with contextlib.suppress(OSError):  # the one that listed them is closed already
                os.close(int(name))


def _let_go_of_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _look_like(command: Sequence[str]) -> None:
    """Be shown by `ps` as the command, written over our arguments as far as there is room, by `top` as its module."""
    python, *rest = command
    ctypes.CDLL(None).prctl(PR_SET_NAME, os.fsencode(rest[1]))
    begin, end = map(int, (PROC / "self/stat").read_text().rpartition(") ")[2].split()[45:47])
    line = os.fsencode(" ".join([Path(python).name, *rest]))[: end - begin - 2]
    # The kernel takes them for a line of text where the last byte is none that ends a word.
    ctypes.memmove(begin, line.ljust(end - begin - 1, b"\0") + b"\n", end - begin)
