"""Master keys: a small file, one key on a line, of which the first wraps whatever is wrapped from now on.

    2026-11 <32 bytes in base64>
    2025-11 <32 bytes in base64>

A name never stands for another key than before. Lines that begin with # are remarks.
"""

import base64
import binascii
import os
import re
from pathlib import Path
from typing import NamedTuple

from chassis.vault.errors import KeysMissing, KeysUnusable

SIZE = 32  # bytes of a key, master or data
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


class MasterKey(NamedTuple):
    """One key, by its name."""

    name: str
    secret: bytes

    def __repr__(self) -> str:
        return f"MasterKey({self.name!r})"


def new_line(name: str) -> str:
    """A line of the file, with a new key."""
    return f"{name} {base64.b64encode(os.urandom(SIZE)).decode()}\n"


def parse(text: str) -> dict[str, MasterKey]:
    """The keys in the text of a file, the current one first. Raises `KeysUnusable`, naming the line, never the key."""
    keys: dict[str, MasterKey] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, encoded = line.strip().partition(" ")
        try:
            secret = base64.b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError):
            secret = b""
        if not _NAME.fullmatch(name) or len(secret) != SIZE:
            raise KeysUnusable(f"line {number} is not a name and {SIZE} bytes in base64")
        if name in keys:
            raise KeysUnusable(f"line {number} names {name} a second time")
        keys[name] = MasterKey(name, secret)
    if not keys:
        raise KeysUnusable("there is no key in it")
    return keys


class MasterKeys:
    """The keys of the file at `path`, read when first needed, and again for a name that was not in it yet."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._keys: dict[str, MasterKey] = {}

    def read(self) -> MasterKey:
        """The current key, as the file says now. Raises `KeysUnusable`."""
        if self._path is None:
            raise KeysUnusable("no file of master keys is named")
        try:
            self._keys = parse(self._path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise KeysUnusable(f"{self._path} cannot be read ({type(error).__name__})") from error
        except KeysUnusable as error:
            raise KeysUnusable(f"{self._path}: {error}") from None
        return next(iter(self._keys.values()))

    def forget(self) -> None:
        """Has the file be read again before a key is taken from it."""
        self._keys = {}

    def named(self, name: str) -> MasterKey:
        """The key called `name`. Raises `KeysMissing`, `KeysUnusable`."""
        if name not in self._keys:
            self.read()
        if name not in self._keys:
            raise KeysMissing(f"the master key {name} is not in the file any more: put its line back")
        return self._keys[name]
