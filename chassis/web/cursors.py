"""Where a client is in a list, as it travels: opaque to whoever keeps it, and read by whichever version gave it."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from pydantic import TypeAdapter

from chassis.web.errors import FieldError, Unprocessable, Words
from chassis.web.schemas import Instant

_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
NO_CURSOR = FieldError("/cursor", "cursor", Words("游标无效", "Not a cursor this list has given"), "query")


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """`every`: by whoever gave it all ways were followed that things change in; `sight`: what was seen then. Older code
    knows of the first alone, or of no `sight`, and passes the others by."""

    kind: Literal["list", "feed", "since"]
    position: tuple[Any, ...]
    every: bool = False
    sight: str | None = None

    def place(self, columns: Sequence[Any]) -> list[Any]:
        """The position, as values of these columns. Raises `Unprocessable`."""
        if len(self.position) != len(columns):
            raise Unprocessable(NO_CURSOR)
        try:
            its = zip(self.position, columns, strict=True)
            return [value(raw, column.type.python_type) for raw, column in its]
        except ValueError as error:
            raise Unprocessable(NO_CURSOR) from error


def encode(kind: str, position: Sequence[Any], every: bool = False, sight: str | None = None) -> str:
    """A cursor as it travels."""
    besides = (every, sight) if sight is not None else (every,) if every else ()
    return base64.urlsafe_b64encode(msgspec.json.encode((kind, position, *besides))).rstrip(b"=").decode()


def decode(text: str) -> Cursor:
    """The cursor that travelled. Raises `Unprocessable`."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        cursor = msgspec.json.decode(raw, type=Cursor)
    except (ValueError, binascii.Error, RecursionError) as error:
        raise Unprocessable(NO_CURSOR) from error
    if any(isinstance(its, int) and not 0 <= its < 2**63 for its in cursor.position) or b"\\u0000" in raw:
        raise Unprocessable(NO_CURSOR)
    return cursor


def value(raw: Any, kind: type) -> Any:
    """A value of a position. Raises `ValueError` for one of another kind."""
    return _INSTANT.validate_python(raw) if kind is datetime else msgspec.convert(raw, kind, strict=True)
