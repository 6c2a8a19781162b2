"""Ctrl-C, SIGTERM and SIGHUP as a request to stop that is noticed between two steps, never in the middle of one."""

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from types import FrameType, TracebackType
from typing import Self

from deploy.local.processes import PR_SET_PDEATHSIG, PROC

BUFFER = 4096


class Stopped(Exception):
    """The stack was asked to stop."""


class Signals:
    """`with Signals() as signals`: wait with `signals.pause`, which also ends early when a child has died."""

    def __init__(self) -> None:
        self.asked = False
        self._read, self._write = os.pipe()

    def __enter__(self) -> Self:
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup is respected
                signal.signal(number, self._ask)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only wakes the pause
        _die_with_make()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.close(self._read)
        os.close(self._write)

    def pause(self, seconds: float) -> None:
        """Wait so long, or shorter when a signal came. Raises Stopped when it was one that asks to stop."""
        deadline = time.monotonic() + seconds
        if not self.asked:
            select.select([self._read], [], [], max(0.0, deadline - time.monotonic()))
            with contextlib.suppress(BlockingIOError):
                os.read(self._read, BUFFER)
        if self.asked:
            raise Stopped

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True


def _die_with_make() -> None:
    """Stop when the `make` that started us is killed, which cannot pass the signal on (Linux)."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError):  # a parent that is gone already is no make
        if (PROC / str(os.getppid()) / "comm").read_text().strip() in ("make", "gmake"):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
