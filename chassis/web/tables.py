"""Tables as CSV (RFC 4180) that a spreadsheet opens as they are meant: Chinese is legible, and no text is a formula."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from starlette.responses import Response, StreamingResponse

MEDIA_TYPE = "text/csv"
# For a route's `responses`: JSON as it is declared, or a table.
OR_TABLE: dict[int | str, dict[str, Any]] = {
    200: {"description": "as data, or with `Accept: text/csv` as a table", "content": {MEDIA_TYPE: {"schema": {}}}}
}
_BOM = "\ufeff"  # without it, a spreadsheet takes UTF-8 for something else
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Some lines of a table. None is empty; a text that a spreadsheet would take for a formula begins with `'`."""
    lines = io.StringIO()
    csv.writer(lines).writerows([[_cell(value) for value in row] for row in rows])
    return lines.getvalue()


def csv_response(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A whole table, to be kept as `name`.csv."""
    return Response(_BOM + csv_text([columns, *rows]), media_type=MEDIA_TYPE, headers=_headers(name))


def csv_stream(name: str, columns: Sequence[str], parts: AsyncIterator[Iterable[Sequence[object]]]) -> Response:
    """A table of any length, written part by part while they are read. One that cannot be read to its end breaks the
    connection off: nobody takes it for a whole one."""

    async def text() -> AsyncIterator[str]:
        yield _BOM + csv_text([columns])
        async for rows in parts:
            yield csv_text(rows)

    return StreamingResponse(text(), media_type=MEDIA_TYPE, headers=_headers(name))


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _headers(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}.csv"', "Vary": "Accept", "Cache-Control": "no-store"}
