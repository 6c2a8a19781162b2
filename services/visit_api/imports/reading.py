"""Lines of an export, each judged by itself: whatever one is, those around it are what they are. Pure.

One line is one record: a quoted field that runs over the end of its line is half a line, and swallows nothing.
"""

import codecs
import csv
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Literal, NamedTuple

from visit_api.imports.mapping import REQUIRED, Source

Format = Literal["csv", "ndjson"]
Encoding = Literal["utf-8", "gb18030"]

LONGEST_LINE = 1 << 16  # bytes
_LENGTHS = {"customer_no": 64, "name": 200, "unit_code": 64, "address": 500, "phone": 32, "transformer": 64}
_SUPPLY = ("sort", "voltage", "status", "capacity", "transformer")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_AMOUNT = re.compile(r"\d{1,12}(\.\d{1,6})?", re.ASCII)


class Fault(NamedTuple):
    """Why a line is not taken; `field` is the column as the source names it, empty where it is the whole line."""

    field: str
    reason: str


class Record(NamedTuple):
    """A customer as a line tells of it, codes turned into ours; the number with its leading zeros."""

    customer_no: str
    name: str
    unit_code: str
    phone: str | None
    kind: str | None
    importance: str | None
    supply: dict[str, str]


class Line(NamedTuple):
    """A line by its number, the first after the head being 1; a blank one has no content."""

    number: int
    content: Record | Fault | None


class Layout(NamedTuple):
    """How a file is written; `columns` are those of a CSV's head."""

    format: Format
    encoding: Encoding
    columns: Sequence[str]


def encoding_of(head: bytes) -> Encoding | None:
    """The encoding that most lines of `head` are written in; None where it is neither."""
    lines = [line for line in head.split(b"\n") if not line.isascii()]
    utf8, gb18030 = (sum(_decodes(line, name) for line in lines) for name in ("utf-8", "gb18030"))
    if utf8 * 2 >= len(lines):  # GB18030 is hardly ever UTF-8 by chance
        return "utf-8"
    return "gb18030" if gb18030 * 2 >= len(lines) else None


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def head_length(head: bytes, encoding: Encoding) -> int:
    """How many bytes a mark of the byte order takes."""
    return len(codecs.BOM_UTF8) if encoding == "utf-8" and head.startswith(codecs.BOM_UTF8) else 0


def cells(text: str) -> list[str] | None:
    """The cells of one line of CSV, as texts whatever they look like; None for half a line."""
    try:
        (row,) = csv.reader([text], strict=True)
    except (csv.Error, ValueError):
        return None
    return row


def members(text: str) -> dict[str, Any] | None:
    """The object on one line of NDJSON; None for anything else."""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refuse(name: str) -> None:
    raise ValueError(name)


def read(file: BinaryIO, number: int, most: int, layout: Layout, source: Source) -> tuple[list[Line], bool]:
    """Up to `most` lines from where `file` stands, the next being `number`; whether there may be more."""
    lines: list[Line] = []
    for place in range(number, number + most):
        raw = file.readline(LONGEST_LINE)
        if not raw:
            return lines, False
        if len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
            while raw and not raw.endswith(b"\n"):
                raw = file.readline(LONGEST_LINE)
            lines.append(Line(place, Fault("", "too_long")))
        elif raw.strip():
            lines.append(Line(place, _judge(raw, layout, source)))
        else:
            lines.append(Line(place, None))
    return lines, True


def _judge(raw: bytes, layout: Layout, source: Source) -> Record | Fault:
    try:
        text = raw.decode(layout.encoding, "surrogateescape").rstrip("\r\n")
    except UnicodeDecodeError:
        return Fault("", "bad_encoding")
    if layout.format == "ndjson":
        values = members(text)
    else:
        row = cells(text)
        whole = row is not None and len(row) == len(layout.columns)
        values = dict(zip(layout.columns, row or (), strict=True)) if whole else None
    if values is None:
        return Fault("", "bad_encoding" if _SURROGATE.search(text) else "bad_line")
    return judge(values, source)


def judge(values: Mapping[str, Any], source: Source) -> Record | Fault:
    """The customer that `values` tell of, by column; or the first thing that is wrong with it."""
    its: dict[str, str] = {}
    for field, column in source.columns.items():
        value = values.get(column)
        if field == "capacity" and isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if value is None:
            continue
        if not isinstance(value, str):
            return Fault(column, "not_text")  # a number has lost its leading zeros
        if _SURROGATE.search(value):
            return Fault(column, "bad_encoding")
        if _CONTROL.search(value):
            return Fault(column, "control_character")
        its[field] = value
    fault = _fault(its, source)
    if fault is not None:
        return fault
    for field, codes in source.codes.items():
        if field in its:
            its[field] = codes.get(its[field], "")
    supply = {field: its[field] for field in _SUPPLY if its.get(field)}
    importance = its.get("importance") or None
    its_own = (its["customer_no"], its["name"], its["unit_code"], its.get("phone") or None, its.get("kind") or None)
    return Record(*its_own, None if importance == "none" else importance, supply)


def _fault(its: Mapping[str, str], source: Source) -> Fault | None:
    for field in REQUIRED:
        if not its.get(field, "").strip():
            return Fault(source.columns[field], "missing")
    for field, longest in _LENGTHS.items():
        if len(its.get(field, "")) > longest:
            return Fault(source.columns[field], "too_long")
    for field, codes in source.codes.items():
        if its.get(field) and its[field] not in codes:
            return Fault(source.columns[field], "unknown_code")
    if its.get("capacity") and not _AMOUNT.fullmatch(its["capacity"]):
        return Fault(source.columns["capacity"], "bad_number")
    if "*" in its.get("phone", ""):
        return Fault(source.columns["phone"], "masked")
    return None
