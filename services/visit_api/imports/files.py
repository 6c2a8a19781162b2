"""Where a file waits until it is read: a folder beside the attachments, each file by the id of its import."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

from chassis.runtime import Runtime
from visit_api.settings import Settings

HEAD = 1 << 18  # bytes by which a file is told
_CHUNK = 1 << 20  # bytes written at once
_OLD = 86_400  # seconds after which a file that belongs to no import is left over


class Received(NamedTuple):
    """A file as it has come, whole and on disk."""

    path: Path
    size: int
    sha256: str
    head: bytes


def folder_of(runtime: Runtime) -> Path:
    """The folder."""
    assert isinstance(runtime.settings, Settings)
    return runtime.settings.attachments_dir / "imports"


async def receive(folder: Path, body: AsyncIterator[bytes]) -> Received:
    """Writes `body` down as it comes, a chunk in memory at a time; nothing stays of one that breaks off."""
    await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{uuid4().hex}.new"
    digest, size, head, waiting = hashlib.sha256(), 0, b"", bytearray()
    try:
        with path.open("xb") as file:
            async for chunk in body:
                waiting += chunk
                head = (head + chunk)[:HEAD] if len(head) < HEAD else head
                digest.update(chunk)
                size += len(chunk)
                if len(waiting) >= _CHUNK:
                    await asyncio.to_thread(file.write, bytes(waiting))
                    waiting.clear()
            file.write(waiting)
            file.flush()
            await asyncio.to_thread(os.fsync, file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Received(path, size, digest.hexdigest(), head)


def keep(folder: Path, received: Received, id: UUID) -> None:
    """Has the file be found by the id of its import; durable once this returns."""
    received.path.rename(folder / str(id))
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def left_over(folder: Path, wanted: Collection[str]) -> list[Path]:
    """Files that no import wants, old enough that none is being made of them."""
    if not folder.exists():
        return []
    probe = folder / "now"
    probe.touch()
    now = probe.stat().st_mtime
    return [path for path in folder.iterdir() if path.name not in wanted and now - path.stat().st_mtime > _OLD]
