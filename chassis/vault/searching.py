"""How sealed text is found: by hashes under a key of its own, so that a dump without it tells no word. Pure.

They tell what is equal to whom reads the table: two rows with one phone number have one hash. Different fields have
different hashes of the same text.
"""

import hashlib
import hmac
import unicodedata
from collections.abc import Callable

_BLIND = 16  # bytes: no two of a billion texts meet by accident
_PAIR = 8  # bytes: what fits a bigint


class Index:
    """The hashes of one service."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._fields: dict[str, _Keyed] = {}

    def blind(self, field: str, text: str) -> bytes:
        """What `text` is found by in a column of equal texts; who calls has put it into one form (digits only, …)."""
        return self.blinder(field)(text.encode())

    def blinder(self, field: str) -> Callable[[bytes], bytes]:
        """`blind` for one field: takes an encoded text, and does once what is the same for a thousand of them."""
        digest = self._of("equal " + field).digest
        return lambda data: digest(data)[:_BLIND]

    def digest(self, field: str, data: bytes) -> bytes:
        """What `data` is known again by, where it is never looked for: 32 bytes."""
        return self._of("digest " + field).digest(data)

    def pairs(self, field: str, text: str) -> list[int]:
        """What the words in `text` are found by: each two characters that stand side by side, for a `bigint[]`.

        A row that has all of a query's pairs (`@>`) is a candidate, to be opened and looked at; a query of a single
        character has none, and finds everything.
        """
        key, plain = self._of("pairs " + field), folded(text)
        windows = sorted({plain[at : at + 2] for at in range(len(plain) - 1)})
        return [_number(key.digest(window.encode())) for window in windows]

    def _of(self, field: str) -> "_Keyed":
        if field not in self._fields:
            self._fields[field] = _Keyed(hmac.digest(self._secret, field.encode(), "sha256"))
        return self._fields[field]


class _Keyed:
    """HMAC-SHA256 under a key of at most a block, which is taken in once: a third of what `hmac.digest` costs."""

    def __init__(self, key: bytes) -> None:
        block = key.ljust(64, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def digest(self, message: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


def folded(text: str) -> str:
    """`text` as words are compared: full and half width, upper and lower case, and every blank are the same."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _number(digest: bytes) -> int:
    return int.from_bytes(digest[:_PAIR], "big", signed=True)
