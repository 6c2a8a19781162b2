"""What is sealed, and how: AES-256-GCM, bound to the value's place. Pure.

A sealed value is `format (1) | key id (16) | nonce (12) | ciphertext and tag`; what stands before the nonce, and the
place, are authenticated with it. A wrapped data key is `format (1) | nonce (12) | ciphertext and tag`.
"""

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chassis.vault.errors import KeysMissing, Misplaced
from chassis.vault.masters import MasterKey

FORMAT = b"\x01"
KEY_ID_AT = 2  # where SQL's substring finds the key's id, which has 16 bytes
_HEAD, _NONCE, _TAG = 17, 12, 16
_DRAWN = 256  # nonces that are asked of the system at once


class Place(NamedTuple):
    """Where a sealed value stands, and nowhere else."""

    table: str
    column: str
    row: UUID | str

    def binding(self, head: bytes) -> bytes:
        """What is authenticated beside the text: no part of it can be read as belonging to another."""
        return head + _parts(self.table, self.column, str(self.row))


def _parts(*texts: str) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in map(str.encode, texts))


class Sealed(NamedTuple):
    """A sealed column, for rotation to find; its rows are known by the uuid in `key`."""

    table: str
    column: str
    key: str = "id"


class DataKey:
    """A data key, unwrapped."""

    def __init__(self, id: UUID, owner: str, secret: bytes) -> None:
        self.id, self.owner, self.secret = id, owner, secret
        self._head = FORMAT + id.bytes
        self._cipher = AESGCM(secret)

    def __repr__(self) -> str:
        return f"DataKey({self.id}, {self.owner!r})"

    def seal(self, place: Place, text: str) -> bytes:
        """`text`, sealed for `place`."""
        nonce = os.urandom(_NONCE)
        return self._head + nonce + self._cipher.encrypt(nonce, text.encode(), place.binding(self._head))

    def sealer(self, table: str, column: str) -> Callable[[str, str], bytes]:
        """`seal` for one column: takes a row's id and a text, and does once what is the same for a thousand rows."""
        head, encrypt, beginning = self._head, self._cipher.encrypt, self._head + _parts(table, column)
        nonces = _nonces()

        def seal(row: str, text: str) -> bytes:
            nonce, its = next(nonces), row.encode()
            return head + nonce + encrypt(nonce, text.encode(), beginning + len(its).to_bytes(4, "big") + its)

        return seal

    def open(self, place: Place, sealed: bytes) -> str:
        """The text that was sealed under this key for `place`. Raises `Misplaced`."""
        where = f"{place.table}.{place.column} of {place.row}"
        if key_of(sealed) != self.id:
            raise Misplaced(f"what stands in {where} names another key")
        nonce, rest = sealed[_HEAD : _HEAD + _NONCE], sealed[_HEAD + _NONCE :]
        try:
            return self._cipher.decrypt(nonce, rest, place.binding(self._head)).decode()
        except InvalidTag:
            raise Misplaced(f"what stands in {where} was changed, or not sealed there") from None


def _nonces() -> Iterator[bytes]:
    """Each is given once, whoever asks: of two threads at once the second is refused by the generator."""
    while True:
        drawn = os.urandom(_NONCE * _DRAWN)
        yield from (drawn[at : at + _NONCE] for at in range(0, len(drawn), _NONCE))


def key_of(sealed: bytes) -> UUID:
    """The id of the key that a value is sealed under. Raises `Misplaced` for what is no sealed value."""
    if len(sealed) < _HEAD + _NONCE + _TAG or sealed[:1] != FORMAT:
        raise Misplaced("this is no sealed value of a known format")
    return UUID(bytes=sealed[1:_HEAD])


def wrap(master: MasterKey, id: UUID, owner: str, purpose: str, secret: bytes) -> bytes:
    """A data key as it is stored: worthless to whoever has the database alone."""
    nonce = os.urandom(_NONCE)
    return FORMAT + nonce + AESGCM(master.secret).encrypt(nonce, secret, _bound(master.name, id, owner, purpose))


def unwrap(master: MasterKey, id: UUID, owner: str, purpose: str, wrapped: bytes) -> bytes:
    """The secret of a stored data key. Raises `KeysMissing`: the master key is another one of the same name, or the row
    was changed; either way all that was sealed under it waits for people, and none of it is at fault."""
    nonce, rest = wrapped[1 : 1 + _NONCE], wrapped[1 + _NONCE :]
    try:
        return AESGCM(master.secret).decrypt(nonce, rest, _bound(master.name, id, owner, purpose))
    except InvalidTag:
        raise KeysMissing(f"the data key {id} was not wrapped by the master key {master.name} of the file") from None


def _bound(*parts: object) -> bytes:
    return FORMAT + Place("data_keys", "wrapped", "\0".join(map(str, parts))).binding(b"")
