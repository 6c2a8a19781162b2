"""The words of a record, by which it is found: what people wrote and said, not what machines keep beside it. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

# Fields that nobody looks for by words, and that would only make the index longer.
_NO_WORDS = ("_at", "_id", "_ids", "_by", "sha256")
_CODES = frozenset({"id", "at", "kind", "state", "clause", "item", "channel", "form", "direction", "type"})


def words_in(record: Any) -> Iterator[str]:
    """Every text in a record, however deep."""
    if isinstance(record, str):
        yield record
    elif isinstance(record, Mapping):
        for name, value in record.items():
            if name not in _CODES and not name.endswith(_NO_WORDS):
                yield from words_in(value)
    elif isinstance(record, list):
        for value in record:
            yield from words_in(value)
