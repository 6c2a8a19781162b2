"""Building blocks of request and response models: strict, and refusing what PostgreSQL or a reader would choke on.

Nothing is stripped, coerced or completed silently: `"5"` is no number, a time without an offset is no time.
Give every number its bounds (`Field(ge=…, le=…)`): JSON's integers have no end, PostgreSQL's do.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    Strict,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


class Body(BaseModel):
    """What a caller sends: unknown fields and loosely matching types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class View(BaseModel):
    """What a caller is shown; made from rows by their attributes."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


_CONTROLS = r"\x00-\x1f\x7f-\x9f"
_BLANK = r"\x20\xa0\u3000"
_LINE = f"^[^{_CONTROLS}]*[^{_CONTROLS}{_BLANK}][^{_CONTROLS}]*$"
# A text of several lines may hold tabs and line ends besides.
_TEXT_CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
_LINES = f"^[^{_TEXT_CONTROLS}]*[^{_CONTROLS}{_BLANK}][^{_TEXT_CONTROLS}]*$"


@dataclass(frozen=True)
class Text:
    """Marks a `str`: 1 to `longest` characters, not all blank, without control characters.

    `name: Annotated[str, Text(64)]`; `lines=True` allows tabs and line feeds.
    """

    longest: int
    lines: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        pattern = _LINES if self.lines else _LINE
        return core_schema.str_schema(strict=True, min_length=1, max_length=self.longest, pattern=pattern)


@dataclass(frozen=True)
class OneOf:
    """Marks a `str` that is one of `codes`, as a table holds them: `need: Annotated[str, OneOf(NEEDS)]`."""

    codes: Collection[str]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.literal_schema([*self.codes])

    def __hash__(self) -> int:
        return hash(tuple(self.codes))


_SIGN = rf"[^\s{_CONTROLS}/\\?#%]"
# A code someone else made up (unit, staff number, policy): any signs that can stand in a URL's path.
Code = Annotated[str, StringConstraints(strict=True, max_length=64, pattern=rf"^(?:[^\s{_CONTROLS}/\\?#%.]{_SIGN}*)$")]

Id = Annotated[UUID, Strict(False)]

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
# A day's distance from the extremes of datetime: every offset has a year there.
_FIRST, _LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


def _instant(value: object) -> datetime:
    try:
        if isinstance(value, str) and _RFC3339.fullmatch(value):
            value = datetime.fromisoformat(value.upper())
        if isinstance(value, datetime) and value.tzinfo is not None and _FIRST <= value <= _LAST:
            return value.astimezone(UTC)
    except ValueError as error:
        raise _no_instant() from error
    raise _no_instant()


def _query_instant(value: object) -> datetime:
    # An unescaped + arrives as a space; nothing else could be meant.
    return _instant(re.sub(r" (\d\d:\d\d)$", r"+\1", value) if isinstance(value, str) else value)


def _day(value: object) -> date:
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value)
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
    except ValueError as error:
        raise _no_day() from error
    raise _no_day()


def _no_instant() -> PydanticCustomError:
    zh = "应为带时区偏移的 RFC 3339 时间"
    return PydanticCustomError("instant", "Input should be an RFC 3339 time with an offset", {"zh": zh})


def _no_day() -> PydanticCustomError:
    return PydanticCustomError("day", "Input should be a date, YYYY-MM-DD", {"zh": "应为日期（YYYY-MM-DD）"})


_INSTANT_SCHEMA = WithJsonSchema({"type": "string", "format": "date-time"})

# An instant: RFC 3339 with offset in, aware UTC inside, `Z` out.
Instant = Annotated[datetime, BeforeValidator(_instant), _INSTANT_SCHEMA]
QueryInstant = Annotated[datetime, BeforeValidator(_query_instant), _INSTANT_SCHEMA]
# A civil date.
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
