"""From a source system's codes to ours: what is not in its table is reported as it came, and never guessed. Pure."""

from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec

TypeName = Literal["complaint", "report", "opinion", "suggestion", "consultation"]
# 004 §6.4; what fits none of these is `other`.
CategoryName = Literal["attitude", "efficiency", "content", "policy_explanation", "other"]


class Table(Protocol):
    """What is asked about a code table."""

    @property
    def types(self) -> Mapping[str, str]: ...
    @property
    def categories(self) -> Mapping[str, str]: ...


class Meant(msgspec.Struct, frozen=True):
    """What a system's codes mean here, and which of them nobody has said the meaning of."""

    type: str
    category: str | None
    unknown: tuple[str, ...] = ()


def meaning(source: str, table: Table | None, type_code: str | None, category_code: str | None) -> Meant:
    """Read the codes by the source's table. A type that is not in it stays what the source calls it, so that it is like
    no type of ours: such an appeal has no clocks and raises an alarm, until somebody says what it is."""
    types, categories = (table.types, table.categories) if table else ({}, {})
    known, category = types.get(type_code or ""), categories.get(category_code or "")
    unknown = [
        name
        for name, code, its in (("type_code", type_code, known), ("category_code", category_code, category))
        if code and not its
    ]
    return Meant(known or f"{source}:{type_code}", category, tuple(unknown))
