"""What is hashed, and how: the same bytes on any machine and for any version of PostgreSQL. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

START = bytes(32)  # what the first link hashes instead of one before it
GONE = bytes(32)  # the digest of a row that was not there any more when it was to be sealed


class Source(NamedTuple):
    """A chained table. `forms`: which columns are hashed, in which order, by number; a later version of the service
    adds a form and never changes one. `unit`: the column that names the row's unit. `said`: a column that the vault
    sealed, and the one that holds the SHA-256 of what was said; the second is what is chained, so that keys can change.
    """

    table: str
    forms: Mapping[int, Sequence[str]]
    unit: str = "unit_code"
    said: tuple[str, str] | None = None

    @property
    def form(self) -> int:
        """The form by which rows are sealed now."""
        return max(self.forms)


class Link(NamedTuple):
    """A link of the chain of a top unit, as it is stored."""

    top: str
    seq: int
    source: str
    row_id: UUID
    form: int
    digest: bytes
    link: bytes


def digest(source: Source, form: int, row: Mapping[str, Any]) -> bytes:
    """The hash of a row by one of its source's forms."""
    values = [_plain(row[column]) for column in source.forms[form]]
    return _hash([source.table, form, *values])


def linked(before: bytes, top: str, seq: int, source: str, row_id: UUID, form: int, its: bytes) -> Link:
    """The link that follows `before`."""
    link = _hash([before.hex(), top, seq, source, str(row_id), form, its.hex()])
    return Link(top, seq, source, row_id, form, its, link)


def _hash(values: Sequence[Any]) -> bytes:
    return hashlib.sha256(msgspec.json.encode(values, order="deterministic")).digest()


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case bytes():
            return value.hex()
        case UUID() | date():
            return str(value)
        case list() | tuple():
            return [_plain(each) for each in value]
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case _:
            return value
