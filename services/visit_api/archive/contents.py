"""The table of contents of what is archived (T/SDPEA §7.2.6: complete, with clear contents)."""

from collections.abc import Mapping
from typing import Any

from visit_api.archive.sections import TITLES


def contents(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The sections that a record has, in order, and how many entries are in each."""
    return [
        {"section": section, "title": title.zh, "clause": clause, "entries": _entries(record[section])}
        for section, (title, clause) in TITLES.items()
        if section in record
    ]


def _entries(section: Any) -> int:
    return len(section) if isinstance(section, list) else int(bool(section))
