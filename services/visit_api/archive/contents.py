"""The table of contents of what is archived (T/SDPEA §7.2.6: complete, with clear contents)."""

from collections.abc import Mapping
from typing import Any

# The sections in their order: name, title, the clause each answers to.
_SECTIONS = (
    ("visit", "走访基本情况", "7.1"),
    ("customer", "走访对象", "4"),
    ("visitors", "走访人员", "8"),
    ("preparation", "走访前准备", "7.2.1"),
    ("told", "归档后的变化", "7.2.6"),
    ("appeals", "诉求及办理结果", "7.2.3"),
)


def contents(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The sections that a record has, in order, and how many entries are in each."""
    return [
        {"section": section, "title": title, "clause": clause, "entries": _entries(record[section])}
        for section, title, clause in _SECTIONS
        if section in record
    ]


def _entries(section: Any) -> int:
    return len(section) if isinstance(section, list) else int(bool(section))
