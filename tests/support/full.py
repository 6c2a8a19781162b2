"""A disk on which no room is left."""

import errno
import io
from pathlib import Path
from typing import Any

import pytest


class _Full(io.BufferedWriter):
    def write(self, data: Any) -> int:
        super().write(bytes(data[:10]))
        raise OSError(errno.ENOSPC, "No space left on device")


def fill(monkeypatch: pytest.MonkeyPatch, quota: bool = False) -> None:
    """Has whatever new file is written break off after a few bytes, or when it is to be on disk."""
    opened = Path.open

    def open_(self: Path, mode: str = "r", *its: Any, **more: Any) -> Any:
        return _Full(io.FileIO(self, "xb")) if mode == "xb" else opened(self, mode, *its, **more)

    def fsync(descriptor: int) -> None:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    if quota:
        monkeypatch.setattr("os.fsync", fsync)
    else:
        monkeypatch.setattr(Path, "open", open_)
