"""Where the bytes are. A port, so that an object store can take the place of the folder.

An upload is collected in parts, put together, looked at, and kept under the SHA-256 of its bytes: equal files are kept
once, and a name that somebody chose is never part of a path.
"""

import asyncio
import hashlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol
from uuid import UUID, uuid4

from chassis.runtime import Runtime
from visit_api.settings import Settings

_UPLOAD = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CHUNK = 1 << 18  # bytes read at once


class Whole(NamedTuple):
    """An upload put together, to be looked at before it is kept; `path` is ours alone."""

    path: Path
    size: int
    sha256: str


class Store(Protocol):
    """Bytes of uploads and of what is kept."""

    async def put_part(self, upload: UUID, number: int, data: bytes) -> None:
        """Has part `number` be `data`, whatever it was before; durable once this returns."""
        ...

    async def parts(self, upload: UUID) -> dict[int, int]:
        """The parts that have arrived, in order, with their sizes."""
        ...

    async def assemble(self, upload: UUID) -> Whole:
        """The parts put together in order; they stay until the upload is discarded."""
        ...

    async def keep(self, whole: Whole) -> None:
        """Has what was put together be found by its SHA-256; durable once this returns."""
        ...

    async def exists(self, sha256: str) -> bool:
        """Whether bytes with this hash are kept."""
        ...

    def open(self, sha256: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """What is kept from `start` to before `end`."""
        ...

    def discard(self, upload: UUID) -> None:
        """Forgets the parts, and what was put together of them; quick, safe twice, and never fails."""
        ...

    async def uploads(self) -> list[UUID]:
        """The uploads of which there are parts."""
        ...


class FileStore:
    """A folder: `uploads/<id>/<number>` and `kept/<2 signs>/<sha256>`; what is written appears by a rename, whole."""

    def __init__(self, root: Path) -> None:
        self._uploads, self._kept = root / "uploads", root / "kept"

    async def put_part(self, upload: UUID, number: int, data: bytes) -> None:
        await asyncio.to_thread(self._put_part, self._uploads / str(upload), str(number), data)

    async def parts(self, upload: UUID) -> dict[int, int]:
        return await asyncio.to_thread(_parts, self._uploads / str(upload))

    async def assemble(self, upload: UUID) -> Whole:
        return await asyncio.to_thread(_assemble, self._uploads / str(upload))

    async def keep(self, whole: Whole) -> None:
        await asyncio.to_thread(self._keep, whole)

    async def exists(self, sha256: str) -> bool:
        return await asyncio.to_thread(self._place(sha256).exists)

    async def open(self, sha256: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        file = await asyncio.to_thread(self._place(sha256).open, "rb")
        try:
            await asyncio.to_thread(file.seek, start)
            left = None if end is None else end - start
            while left is None or left > 0:
                chunk = await asyncio.to_thread(file.read, _CHUNK if left is None else min(_CHUNK, left))
                if not chunk:
                    return
                left = None if left is None else left - len(chunk)
                yield chunk
        finally:
            file.close()

    def discard(self, upload: UUID) -> None:
        shutil.rmtree(self._uploads / str(upload), ignore_errors=True)

    async def uploads(self) -> list[UUID]:
        return await asyncio.to_thread(_uploads, self._uploads)

    def _place(self, sha256: str) -> Path:
        return self._kept / sha256[:2] / sha256

    def _put_part(self, folder: Path, name: str, data: bytes) -> None:
        _make(folder)
        new = folder / f"{name}.{uuid4().hex}.new"
        with _written(new) as file:
            file.write(data)
        new.rename(folder / name)
        _sync_folder(folder)

    def _keep(self, whole: Whole) -> None:
        place = self._place(whole.sha256)
        _make(place.parent)
        whole.path.rename(place)
        _sync_folder(place.parent)


def _make(folder: Path) -> None:
    """Makes a folder that a power cut does not take back."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
        _sync_folder(each.parent)


def _uploads(folder: Path) -> list[UUID]:
    names = [path.name for path in folder.iterdir()] if folder.exists() else []
    return [UUID(name) for name in names if _UPLOAD.fullmatch(name)]


def _parts(folder: Path) -> dict[int, int]:
    try:
        found = {int(path.name): path.stat().st_size for path in folder.iterdir() if path.name.isdecimal()}
    except FileNotFoundError:
        return {}
    return dict(sorted(found.items()))


def _assemble(folder: Path) -> Whole:
    _make(folder)
    path = folder / f"whole.{uuid4().hex}.new"
    digest, size = hashlib.sha256(), 0
    with _written(path) as file:
        for number in _parts(folder):
            for chunk in _chunks(folder / str(number)):
                digest.update(chunk)
                size += file.write(chunk)
    return Whole(path, size, digest.hexdigest())


@contextmanager
def _written(path: Path) -> Iterator[BinaryIO]:
    """A new file, on disk once this ends; where it cannot be, nothing of it stays."""
    try:
        with path.open("xb") as file:
            yield file
            file.flush()
            _sync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _sync(descriptor: int) -> None:
    os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def store_of(runtime: Runtime) -> Store:
    """Where the service's files are."""
    assert isinstance(runtime.settings, Settings)
    return FileStore(runtime.settings.attachments_dir)
