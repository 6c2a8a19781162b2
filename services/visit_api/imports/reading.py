"""Lines of an export, each judged by itself: whatever one is, those around it are what they are. Pure.

One line is one record: a quoted field that runs over the end of its line is half a line, and swallows nothing.
"""

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, BinaryIO, Literal, NamedTuple

import msgspec

from visit_api.imports.mapping import Source

Format = Literal["csv", "ndjson"]
Encoding = Literal["utf-8", "gb18030"]
Said = dict[str, str]  # by field of ours, codes turned into ours; a field that the line does not have is not there

LONGEST_LINE = 1 << 16  # bytes
MANY = "roles"  # the field that holds several codes
MOST_IGNORED = 50  # columns of a file that are named as ignored
_LONGEST_NAME = 64  # signs of one that are shown
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_APART = re.compile(r"[;,|、；，\s]+")
_OBJECT = msgspec.json.Decoder(dict[str, str | None])


class Fault(NamedTuple):
    """Why a line is not taken; `field` is the column as the source names it, empty where it is the whole line."""

    field: str
    reason: str


class Line(NamedTuple):
    """A line by its number, the first after the head being 1; a blank one has no content."""

    number: int
    content: Said | Fault | None


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
    mark = "\ufeff".encode(encoding)
    return len(mark) if head.startswith(mark) else 0


def columns_of(text: str) -> list[str] | None:
    """The columns that the first line of a CSV names, each once; None for one that names none. Spreadsheets leave
    blanks around a name, and write columns behind the last one that have none: there are cells below them."""
    columns = [cell.strip() for cell in cells(text) or ()]
    names = [*columns]
    while names and not names[-1]:
        names.pop()
    sound = names and len(set(names)) == len(names) and not any("\0" in name for name in names)
    return columns if sound else None


def cells(text: str) -> list[str] | None:
    """The cells of one line of CSV, as texts whatever they look like; None for half a line."""
    if _is_half(text):
        return None
    try:
        (row,) = csv.reader([text], strict=True)
    except (csv.Error, ValueError):
        return None
    return row


def _is_half(text: str) -> bool:
    """Whether a quote ends here that began on another line, or the other way round: whatever is whole has them in
    pairs, while to `csv` one that closes nothing is a sign of its cell."""
    return '"' in text and text.count('"') % 2 == 1


def members(text: str) -> dict[str, Any] | None:
    """The object on one line of NDJSON; None for anything else."""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refuse(name: str) -> None:
    raise ValueError(name)


def ignored(columns: Iterable[str], source: Source) -> list[str]:
    """Those of `columns` that have a name and of which nothing is taken, as they can be shown."""
    known = {"", *source.columns.values()}
    names = (each if each.isprintable() else ascii(each)[1:-1] for each in columns if each not in known)
    return [*dict.fromkeys(name[:_LONGEST_NAME] for name in names)][:MOST_IGNORED]


class Reader:
    """Reads the lines of one file. What most lines are, good ones, is told quickly, by the batch; whatever is not told
    so is judged by itself, field by field. `others`: what lines name besides their source's columns, some of it."""

    def __init__(self, layout: Layout, source: Source) -> None:
        self._layout, self._source = layout, source
        csv_has = set(layout.columns)
        of = {field: column for field, column in source.columns.items() if layout.format != "csv" or column in csv_has}
        self._fields, self._columns = tuple(of), tuple(of.values())
        places = [layout.columns.index(column) for column in self._columns] if layout.format == "csv" else [0, 0]
        self._pick: Callable[[Sequence[str]], tuple[str, ...]] = itemgetter(*places)
        shape = source.shape
        self._lengths = [(field, longest) for field, longest in shape.lengths.items() if field in of]
        self._patterns = [
            (field, re.compile(pattern).fullmatch) for field, (pattern, _) in shape.patterns.items() if field in of
        ]
        self._codes = [(field, codes) for field, codes in source.codes.items() if field in of]
        self._known = frozenset(source.columns.values())
        self.others: set[str] = set()

    def read(self, file: BinaryIO, number: int, most: int) -> tuple[list[Line], bool]:
        """Up to `most` lines from where `file` stands, the next being `number`; whether there may be more."""
        raws: list[bytes | None] = []
        while len(raws) < most and (raw := file.readline(LONGEST_LINE)):
            if len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
                while raw and not raw.endswith(b"\n"):
                    raw = file.readline(LONGEST_LINE)
                raws.append(None)
            else:
                raws.append(raw)
        return self._lines(number, raws), len(raws) == most

    def _lines(self, number: int, raws: Sequence[bytes | None]) -> list[Line]:
        encoding = self._layout.encoding
        texts = [None if raw is None else _decoded(raw, encoding) for raw in raws]
        rows = self._together(texts) if self._layout.format == "csv" else None
        lines = []
        for place, text in enumerate(texts):
            content: Said | Fault | None
            raw = raws[place]
            if text is None:
                content = Fault("", "too_long" if raw is None else "bad_encoding")
            elif raw is None or not raw.strip():
                content = None
            else:
                content = self._quickly(text, rows[place] if rows else None) or self._judged(text)
            lines.append(Line(number + place, content))
        return lines

    def _together(self, texts: Sequence[str | None]) -> list[list[str]] | None:
        """The cells of all lines; None where they are not one line each, and each is to be read by itself."""
        reader = csv.reader((text or "" for text in texts), strict=True)
        try:
            rows = list(reader)
        except (csv.Error, ValueError):
            return None
        return rows if len(rows) == len(texts) else None

    def _quickly(self, text: str, row: Sequence[str] | None) -> Said | None:
        """What a good line says; None for one that is to be looked at."""
        if not text.isprintable():
            return None
        if row is None:
            its = None if self._layout.format == "csv" or "\\" in text else _object(text)
            if its is None:
                return None
            self._note(its)
            said = {field: value.strip() for field, column in self._of() if (value := its.get(column)) is not None}
        elif len(row) == len(self._layout.columns) and not _is_half(text):
            said = dict(zip(self._fields, map(str.strip, self._pick(row)), strict=True))
        else:
            return None
        return said if self._is_good(said) else None

    def _note(self, its: Mapping[str, Any]) -> None:
        if not self._known.issuperset(its) and len(self.others) < MOST_IGNORED:
            self.others.update(its.keys() - self._known)

    def _of(self) -> "zip[tuple[str, str]]":
        return zip(self._fields, self._columns, strict=True)

    def _is_good(self, said: Said) -> bool:
        """Whether nothing is wrong with it; turns its codes into ours."""
        get = said.get
        for field in self._source.shape.required:
            if not get(field):
                return False
        for field, longest in self._lengths:
            value = get(field)
            if value and len(value) > longest:
                return False
        for field, matches in self._patterns:
            value = get(field)
            if value and not matches(value):
                return False
        for field, codes in self._codes:
            value = get(field)
            if value is not None:
                ours = codes.get(value) if value else codes.get(value, "")
                if ours is None:
                    return False
                said[field] = ours
        return True

    def _judged(self, text: str) -> Said | Fault:
        if self._layout.format == "ndjson":
            values = members(text)
        else:
            row = cells(text)
            whole = row is not None and len(row) == len(self._layout.columns)
            values = dict(zip(self._layout.columns, row or (), strict=True)) if whole else None
        if values is None:
            broken = "odd_quote" if self._layout.format == "csv" and _is_half(text) else "bad_line"
            return Fault("", "bad_encoding" if _SURROGATE.search(text) else broken)
        if self._layout.format == "ndjson":
            self._note(values)
        return judge(values, self._source)


def _decoded(raw: bytes, encoding: Encoding) -> str | None:
    try:
        return raw.decode(encoding, "surrogateescape").rstrip("\r\n")
    except UnicodeDecodeError:
        return None


def _object(text: str) -> dict[str, str | None] | None:
    try:
        return _OBJECT.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def judge(values: Mapping[str, Any], source: Source) -> Said | Fault:
    """What `values` tell, by column; or the first thing that is wrong with them."""
    its: Said = {}
    for field, column in source.columns.items():
        value = _text(field, values.get(column))
        if value is None:
            continue
        if not isinstance(value, str):
            return Fault(column, "not_text")  # a number has lost its leading zeros
        value = value.strip()  # blanks of an export's columns of fixed width, U+3000 too, are nobody's word
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
            its[field] = " ".join(codes[each] for each in _parts(field, its[field])) or codes.get("", "")
    return its


def _text(field: str, value: Any) -> Any:
    if field == "capacity" and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if field == "active" and isinstance(value, bool):
        return str(value).lower()
    if field == MANY and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ";".join(value)
    return value


def _parts(field: str, value: str) -> list[str]:
    """The codes in a cell; most hold one."""
    return [each for each in _APART.split(value) if each] if field == MANY else [value] if value else []


def _fault(its: Said, source: Source) -> Fault | None:
    shape = source.shape
    for field in shape.required:
        if not its.get(field):
            return Fault(source.columns[field], "missing")
    for field, longest in shape.lengths.items():
        if len(its.get(field, "")) > longest:
            return Fault(source.columns[field], "too_long")
    for field, codes in source.codes.items():
        if any(each not in codes for each in _parts(field, its.get(field, ""))):
            return Fault(source.columns[field], "unknown_code")
    for field, (pattern, reason) in shape.patterns.items():
        if its.get(field) and not re.fullmatch(pattern, its[field]):
            return Fault(source.columns[field], reason)
    return None
