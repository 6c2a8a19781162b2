"""Lines of exports, dirty ones too: each is judged by itself, and nothing is guessed."""

import csv
import json
from io import BytesIO, StringIO
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visit_api.imports import mapping, reading
from visit_api.imports.reading import Encoding, Fault, Format, Layout, Line, Reader

SG186 = mapping.source("customers", "sg186")
GOOD = {"CONS_NO": "0000000011", "CONS_NAME": "王伟", "ELEC_ADDR": "泉城路1号", "ORG_NO": "37401"}
CODED = {"CONS_SORT_CODE": "03", "RRIO_CODE": "", "VOLT_CODE": "AC02202", "CONTRACT_CAP": "8.5"}
ROW = {**GOOD, **CODED, "MOBILE": "13800000000"}


def lines(data: bytes, its: Format = "csv", encoding: Encoding = "utf-8", columns: Any = tuple(ROW)) -> list[Line]:
    source = SG186 if its == "csv" else mapping.source("customers", "sg2")
    return Reader(Layout(its, encoding, columns), source).read(BytesIO(data), 1, 100)[0]


def test_a_line_is_taken_over_in_our_words() -> None:
    said = {"customer_no": "0000000011", "name": "王伟", "unit_code": "37401", "address": "泉城路1号"}
    said |= {"phone": "13800000000", "sort": "low_voltage_resident", "voltage": "220V", "capacity": "8.5"}
    assert reading.judge(ROW, SG186) == {**said, "importance": "none"}
    special = reading.judge({**ROW, "RRIO_CODE": "01", "CONS_NAME": "=cmd|' /C calc'!A0"}, SG186)
    assert isinstance(special, dict)
    formula = "a formula is a text as any other"
    assert (special["importance"], special["name"]) == ("special", "=cmd|' /C calc'!A0"), formula


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("CONS_NO", "", "missing"),
        ("CONS_NAME", " \u3000", "missing"),
        ("ORG_NO", None, "missing"),
        ("CONS_NAME", "长" * 201, "too_long"),
        ("CONS_SORT_CODE", "??", "unknown_code"),
        ("VOLT_CODE", "ac02202", "unknown_code"),
        *[("CONTRACT_CAP", each, "bad_number") for each in ("abc", "-5", "1,5", "NaN", "1e400", float("inf"))],
        ("ELEC_ADDR", "泉城路\x001号", "control_character"),
        ("CONS_NAME", "\udcff伟", "bad_encoding"),
        ("CONS_NO", 11, "not_text"),
        ("MOBILE", "138****0000", "masked"),
    ],
)
def test_what_is_wrong_is_named_by_column_and_reason(field: str, value: Any, reason: str) -> None:
    assert reading.judge({**ROW, field: value}, SG186) == Fault(field, reason)


@pytest.mark.parametrize("blanks", [" ", "\u3000", " \u3000\xa0\t "])
@pytest.mark.parametrize("its", ["csv", "ndjson"])
def test_blanks_around_a_value_are_not_part_of_it(its: Format, blanks: str) -> None:
    row = {column: f"{blanks}{value}{blanks}" for column, value in {**GOOD, "ELEC_ADDR": ""}.items()}
    sg2 = mapping.source("customers", "sg2").columns
    back = {sg2[field]: row[column] for field, column in SG186.columns.items() if column in row}
    data = ",".join(row.values()) if its == "csv" else json.dumps(back)
    (line,) = lines(data.encode(), its, columns=tuple(row))
    assert line.content == {"customer_no": "0000000011", "name": "王伟", "unit_code": "37401", "address": ""}
    assert reading.judge({**row, "CONS_NO": blanks}, SG186) == Fault("CONS_NO", "missing")


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_good_lines_are_good_whatever_surrounds_them(encoding: Encoding) -> None:
    good = ",".join(ROW.values()).encode(encoding)
    bad_bytes = good.replace("泉城路".encode(encoding), b"\xff\xfe")
    half = [b'"0000000012,half a line', b"0000000012,only two", good.replace(b"37401", b'"374"01')]
    data = b"\r\n".join([good, bad_bytes, b"", *half, b"x" * 70_000, good])
    found = [(line.number, line.content) for line in lines(data, encoding=encoding)]
    assert [(number, content) for number, content in found if not isinstance(content, dict)] == [
        (2, Fault("ELEC_ADDR", "bad_encoding")),
        (3, None),
        (4, Fault("", "odd_quote")),
        *[(number, Fault("", "bad_line")) for number in (5, 6)],
        (7, Fault("", "too_long")),
    ]
    assert [number for number, content in found if isinstance(content, dict)] == [1, 8]


def test_what_is_no_object_is_half_a_line() -> None:
    bad = [b'{"custNo": "1", "custNa', b"[1]", b"null", b'{"a": NaN}', b"[" * 60_000, b'{"custNo": "\\ud800"}']
    assert [line.content for line in lines(b"\n".join(bad), "ndjson")] == [
        *[Fault("", "bad_line")] * 5,
        Fault("custNo", "bad_encoding"),
    ]


def test_reading_goes_on_where_it_stopped() -> None:
    file, layout = BytesIO(",".join(ROW.values()).encode() + b"\n" + b"x\n" * 3), Layout("csv", "utf-8", tuple(ROW))
    reader = Reader(layout, SG186)
    first, more = reader.read(file, 1, 2)
    assert ([line.number for line in first], more) == ([1, 2], True)
    rest, more = reader.read(file, 3, 5)
    assert ([line.number for line in rest], more) == ([3, 4], False)


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        (b"\xef\xbb\xbfa,b\n", "utf-8"),
        ("户号,户名\n1,王\n".encode(), "utf-8"),
        ("户号,户名\n1,王\n".encode("gb18030"), "gb18030"),
        ("户号\n王伟\n张三\n".encode() + b"\xff\xfe\n", "utf-8"),
        (b"\xff\n\xfe\n\xff", None),
        (b"a,b\n1,2\n", "utf-8"),
    ],
)
def test_the_encoding_is_what_most_lines_are_written_in(head: bytes, encoding: str | None) -> None:
    assert reading.encoding_of(head) == encoding


def test_a_mark_of_the_byte_order_is_none_of_the_first_column() -> None:
    for encoding in ("utf-8", "gb18030"):
        mark = "\ufeff".encode(encoding)
        assert reading.head_length(mark + b"a,b\n", encoding) == len(mark)
        assert reading.head_length(b"a,b\n", encoding) == 0
    assert reading.encoding_of(b"\x84\x31\x95\x33a,b\n1,2\n") == "gb18030"


def test_a_system_is_told_by_its_columns_or_not_at_all() -> None:
    for thing, name in product(mapping.SHAPES, mapping.SOURCES):
        its = mapping.source(thing, name)
        assert mapping.told_by(thing, list(its.columns.values())) == its
        assert set(its.columns) >= {*its.codes, *its.shape.required}, "codes are those of columns"
    assert mapping.told_by("customers", ["CONS_NO", "CONS_NAME"]) is None
    both = [*SG186.columns.values(), *mapping.source("customers", "csg").columns.values()]
    assert mapping.told_by("customers", both) is None


@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize(
    ("head", "rows"),
    [
        ("CONS_NAME,CONS_NO,ORG_NO", ['"历下\n（分户）",0000000012,37401', "李四,0000000013,37401"]),
        ("CONS_NO,CONS_NAME,ORG_NO", ['"00\r\n12",张三,37401', "0000000013,李四,37401"]),
        ("CONS_NO,CONS_NAME,ORG_NO", ['0000000012,张三,"37401\n"', "0000000013,李四,37401"]),
        ("CONS_NAME,CONS_NO,ORG_NO", ['"""历""下\n""分户""",12,37401', "李四,0000000013,37401"]),
    ],
)
def test_neither_half_of_a_line_is_a_customer(head: str, rows: list[str], most: int) -> None:
    file, number, found = BytesIO("\n".join(rows).encode()), 1, list[Line]()
    reader, more = Reader(Layout("csv", "utf-8", head.split(",")), SG186), True
    while more:
        some, more = reader.read(file, number, most)
        found, number = found + some, number + len(some)
    said = {"customer_no": "0000000013", "name": "李四", "unit_code": "37401"}
    assert [line.content for line in found] == [*[Fault("", "odd_quote")] * 2, said]


def test_a_quote_that_stands_alone_is_named() -> None:
    (line,) = lines('0011,DN5"管件厂,37401'.encode(), columns=("CONS_NO", "CONS_NAME", "ORG_NO"))
    assert line.content == Fault("", "odd_quote")


def test_a_quote_that_was_written_twice_or_stands_with_another_is_a_sign_as_any_other() -> None:
    data = '"历下""分户""",12,37401\n历下"分户",13,37401\n'.encode()
    found = [line.content for line in lines(data, columns=("CONS_NAME", "CONS_NO", "ORG_NO"))]
    assert [each["name"] for each in found if isinstance(each, dict)] == ['历下"分户"'] * 2


_CELLS = st.text(st.sampled_from('=王3.\u3000\x00\ud800*7,"\\\n '), max_size=4)


@given(st.lists(st.dictionaries(st.sampled_from(list(ROW)), _CELLS), max_size=4), st.sampled_from(["csv", "ndjson"]))
def test_what_is_told_quickly_is_what_is_judged(spoilt: list[dict[str, str]], its: Format) -> None:
    sg2 = mapping.source("customers", "sg2")
    back = {column: sg2.columns[field] for field, column in SG186.columns.items()}
    rows = [{**ROW, **some} for some in spoilt]
    if its == "csv":
        rows = [{column: value.replace("\n", "") for column, value in row.items()} for row in rows]
        out = StringIO()
        csv.writer(out, lineterminator="\n").writerows(list(row.values()) for row in rows)
        wanted = [reading.judge(row, SG186) for row in rows]
    else:
        rows = [{back[column]: value for column, value in row.items()} | {"custType": "LVR"} for row in rows]
        out = StringIO("".join(json.dumps(row) + "\n" for row in rows))
        wanted = [reading.judge(row, sg2) for row in rows]
    data = out.getvalue().encode("utf-8", "surrogatepass")
    found = [line.content for line in lines(data, its)]
    assert [each if isinstance(each, dict) else None for each in found] == [
        each if isinstance(each, dict) else None for each in wanted
    ]


_BROKEN = st.text(st.sampled_from('\n",7王'), max_size=3)


@given(st.lists(st.dictionaries(st.sampled_from(["CONS_NO", "CONS_NAME", "MOBILE"]), _BROKEN)), st.integers(1, 5))
def test_of_lines_that_are_broken_nothing_is_taken_wherever_reading_begins(
    spoilt: list[dict[str, str]], most: int
) -> None:
    rows = [{**ROW, **some} for some in spoilt]
    out = StringIO()
    csv.writer(out, lineterminator="\n").writerows(list(row.values()) for row in rows)
    file, more, found = BytesIO(out.getvalue().encode("utf-8", "surrogatepass")), True, list[Line]()
    while more:
        some, more = Reader(Layout("csv", "utf-8", tuple(ROW)), SG186).read(file, 1, most)
        found += some
    wanted = [reading.judge(row, SG186) for row in rows if "\n" not in "".join(row.values())]
    assert [each.content for each in found if isinstance(each.content, dict)] == [
        each for each in wanted if isinstance(each, dict)
    ]
