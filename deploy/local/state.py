"""The folder of one stack: known by its marker, locked by the supervisor that runs it, forgotten piece by piece."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.local import files
from deploy.local.clock import Scale
from deploy.local.errors import Refused
from deploy.local.processes import PidFile

ADMIN = "admin"
KEPT_BY_RESET = frozenset({"cache", "venv"})  # fetched or installed, not state
NEEDED = {"new": 250, "known": 50}  # MB of room for a state, a first start and a later one


class State:
    """The state directory and what lies where in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.marker = folder / "state.json"
        self.clock = folder / "clock.json"
        self.auth = folder / "auth"
        self.logs = folder / "logs"
        self.run = folder / "run"
        self.attachments = folder / "attachments"
        self.supervisor = PidFile(self.run / "supervisor.pid")
        self._lock: int | None = None

    @property
    def known(self) -> bool:
        """Whether a stack has lived here before."""
        return self.marker.exists()

    def open(self) -> None:
        """Make the state, or enter the one there is. Raises Refused: the folder cannot be used, or is something else,
        the disk is full."""
        with self._usable():
            if not self.known:
                names = {path.name for path in self.folder.iterdir()} if self.folder.exists() else set()
                if names - KEPT_BY_RESET - {path.name for path in self.of_databases}:
                    raise Refused(f"{self.folder} holds something else ({min(names)}): choose another STATE_DIR.")
            files.make_private(self.folder)
            needed = NEEDED["known" if self.known else "new"]
            free = shutil.disk_usage(self.folder).free // 1_000_000
            if free < needed:
                raise Refused(f"The disk of {self.folder} has {free} MB left, {needed} MB are needed: make room on it.")
            if not self.known:
                files.write_json(self.marker, {"version": 1})
            for folder in (self.auth, self.logs, self.run):
                folder.mkdir(mode=0o700, exist_ok=True)

    @contextlib.contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise Refused(f"STATE_DIR {self.folder} cannot be used ({reason}): choose another one.") from None

    def lock(self) -> bool:
        """Become the one supervisor of this state; False when another one is. Ends with the process, in any way."""
        with self._usable():
            self.run.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(self.run / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._lock = descriptor
        return True

    def unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def environment(self, service: str) -> Path:
        """Where the environment is kept that a service was last started with, for commands that act as it."""
        return self.run / f"{service}.environment.json"

    @property
    def jwks(self) -> Path:
        """The public keys of the stack's own issuer."""
        return self.auth / "jwks.json"

    def token(self, of: str) -> Path:
        """Where the token is kept that a service shows to other services, or the administrator's (`ADMIN`)."""
        return self.auth / f"{of}.token"

    def vault(self, service: str) -> Path:
        """The master keys of a service: whoever loses them loses the personal text that was sealed with them."""
        return self.auth / f"{service}.vault"

    def recall(self, name: str) -> Any:
        return files.read_json(self.marker).get(name)

    def remember(self, name: str, value: Any) -> None:
        files.write_json(self.marker, {**files.read_json(self.marker), name: value})

    def choose_clock(self, asked: Scale | None) -> Path | None:
        """The scaled clock's file, or None for real time: what a state's first start chose holds for all its life."""
        chosen = None if asked is None else {"start": asked.start.isoformat(), "speed": asked.speed}
        kept = files.read_json(self.marker)
        if "clock" not in kept:
            if asked is not None:
                asked.write(self.clock)
            self.remember("clock", chosen)
            return self.clock if asked else None
        if chosen not in (None, kept["clock"]):
            its = kept["clock"]
            lives = "in real time" if its is None else f"from {its['start']} at speed {its['speed']:g}"
            raise Refused(f"This state lives {lives}: leave CLOCK_START and CLOCK_SPEED out, or `make reset` first.")
        return self.clock if kept["clock"] else None

    @property
    def has_keys(self) -> bool:
        """Whether databases were made for this state, somewhere."""
        return any(self.auth.glob("*.vault"))

    @property
    def has_server(self) -> bool:
        """Whether they are on a server of our own, as `cluster` remembers here."""
        return (self.folder / "postgres.made-by.json").exists()

    @property
    def of_databases(self) -> list[Path]:
        """What goes with the databases, and has to stay where they do: what seals their texts, the files they name."""
        return [self.auth, self.attachments]

    def forget(self, *, databases_stay: bool = False) -> None:
        """Remove everything but what was only fetched. Refuses a folder that is no state."""
        if not self.folder.exists():
            return
        if not self.known:
            raise Refused(f"{self.folder} is not the state of a stack: nothing was removed.")
        kept = [self.marker, *(self.of_databases if databases_stay else ())]
        for path in self.folder.iterdir():
            if path.name in KEPT_BY_RESET or path in kept:
                continue
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        self.marker.unlink()  # last: a reset that was interrupted can be repeated
        if not any(self.folder.iterdir()):
            self.folder.rmdir()
