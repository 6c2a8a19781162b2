"""Tables and the form of an answer: what a spreadsheet opens, and who gets a table instead of JSON."""

import csv
import io
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import Request

from chassis.web.negotiation import wants
from chassis.web.observe import Observe
from chassis.web.tables import csv_response, csv_stream
from tests.support.web import served


def asking(accept: str) -> Request:
    return Request({"type": "http", "headers": [(b"accept", accept.encode())] if accept else []})


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("text/csv", True),
        ("TEXT/CSV; charset=utf-8", True),
        ("text/*", True),
        ("text/csv, application/json", False),
        ("text/csv, application/json;q=0.9", True),
        ("text/csv;q=0.5, */*;q=0.8", False),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
        ("application/json;q=0, text/csv;q=0", False),
        ("text/csv;q=nonsense", False),
    ],
)
def test_a_table_is_given_to_whoever_likes_it_better_than_json(accept: str, wanted: bool) -> None:
    assert wants(asking(accept), "text/csv") is wanted


def test_a_browser_likes_a_page_better_than_json() -> None:
    assert wants(asking("text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"), "text/html")


def test_a_table_is_read_back_as_it_was_and_says_its_encoding() -> None:
    rows = [['投诉, "急"\n', None, 7, -1.5, True]]
    answer = csv_response("table", ["类型", "b", "c", "d", "e"], rows)
    body = bytes(answer.body)
    assert body.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in body
    read = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    assert read == [["类型", "b", "c", "d", "e"], ['投诉, "急"\n', "", "7", "-1.5", "true"]]
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="table.csv"'


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "＠SUM(A1)"])
def test_no_text_is_taken_for_a_formula(text: str) -> None:
    body = bytes(csv_response("table", ["a"], [[text], [f"a{text}"]]).body).decode("utf-8-sig")
    assert [row[0] for row in csv.reader(io.StringIO(body, newline=""))] == ["a", f"'{text}", f"a{text}"]


async def test_a_table_that_breaks_off_is_not_taken_for_a_whole_one() -> None:
    async def parts() -> AsyncIterator[list[list[str]]]:
        yield [["1"]]
        raise TimeoutError

    async with served(Observe(csv_stream("table", ["a"], parts()), "testing")) as url, httpx.AsyncClient() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(url)
