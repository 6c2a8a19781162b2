"""Small files of the state: written whole or not at all, secrets readable by their owner only."""

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

LOG_BYTES = 10_000_000


def make_private(folder: Path) -> Path:
    """Make a folder nobody else can list; as root others may pass through it, for PostgreSQL's own user lives below."""
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return folder


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Whoever else asks to be alone with `folder`, from any process, waits until the block ends."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace a file in one step: readers see the old text or the new one, never a part."""
    with _finished(path, text, mode) as whole:
        whole.replace(path)


def write_once(path: Path, text: str) -> None:
    """Write a private file unless it is there already; of two writers at once the first one wins."""
    with _finished(path, text, 0o600) as whole, contextlib.suppress(FileExistsError):
        path.hardlink_to(whole)


@contextlib.contextmanager
def _finished(path: Path, text: str, mode: int) -> Iterator[Path]:
    """A file beside `path`, under a name nobody else has, written to the disk; gone afterwards unless it was moved."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def write_json(path: Path, value: Any, mode: int = 0o600) -> None:
    write(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n", mode)


def read_json(path: Path) -> dict[str, Any]:
    """The object in the file; an empty one when there is no such file."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    if not isinstance(value, dict):
        raise TypeError(f"{path} does not hold a JSON object")
    return value


def open_log(path: Path) -> IO[bytes]:
    """A private log to append to; one grown beyond 10 MB is kept aside as `<name>.1`, in place of an older one."""
    make_private(path.parent)
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    log = path.open("ab")
    os.fchmod(log.fileno(), 0o600)
    return log
