"""Every kind of bad input gets a 4xx problem that points to the field and does not repeat the value."""

import gzip
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

GOOD = {"title": "回访"}

BAD_FIELDS: list[tuple[dict[str, Any], str, str]] = [
    ({}, "/title", "missing"),
    ({"title": None}, "/title", "string_type"),
    ({"title": 5}, "/title", "string_type"),
    ({"title": ""}, "/title", "string_too_short"),
    ({"title": "　 "}, "/title", "string_pattern_mismatch"),
    ({"title": "x" * 21}, "/title", "string_too_long"),
    ({"title": "two\nlines"}, "/title", "string_pattern_mismatch"),
    ({"title": "bell\x07"}, "/title", "string_pattern_mismatch"),
    ({"title": "c1\x9b"}, "/title", "string_pattern_mismatch"),
    ({"title": "nul\x00"}, "/title", "string_nul"),
    ({**GOOD, "text": "form\x0cfeed"}, "/text", "string_pattern_mismatch"),
    ({**GOOD, "surprise": 1}, "/surprise", "extra_forbidden"),
    ({**GOOD, "a/b~c": 1}, "/a~1b~0c", "extra_forbidden"),
    ({**GOOD, "nul\x00": 1}, "", "string_nul"),
    ({**GOOD, "kind": "medium"}, "/kind", "literal_error"),
    ({**GOOD, "at": "2026-10-09T08:00:00"}, "/at", "instant"),
    ({**GOOD, "at": "2026-10-09"}, "/at", "instant"),
    ({**GOOD, "at": "2026-02-30T08:00:00Z"}, "/at", "instant"),
    ({**GOOD, "at": "0001-01-01T00:00:00+08:00"}, "/at", "instant"),
    ({**GOOD, "at": "9999-12-31T23:59:59-08:00"}, "/at", "instant"),
    ({**GOOD, "at": 1767000000}, "/at", "instant"),
    ({**GOOD, "day": "2026-10-09T00:00:00Z"}, "/day", "day"),
    ({**GOOD, "day": 20261009}, "/day", "day"),
    ({**GOOD, "count": "5"}, "/count", "int_type"),
    ({**GOOD, "count": 5.0}, "/count", "int_type"),
    ({**GOOD, "count": True}, "/count", "int_type"),
    ({**GOOD, "count": 11}, "/count", "less_than_equal"),
    ({**GOOD, "count": 10**400}, "/count", "less_than_equal"),
    ({**GOOD, "weight": "1.5"}, "/weight", "float_type"),
    ({**GOOD, "urgent": "true"}, "/urgent", "bool_type"),
    ({**GOOD, "about": "not-a-uuid"}, "/about", "uuid_parsing"),
    ({**GOOD, "about": 7}, "/about", "uuid_type"),
    ({**GOOD, "unit": "a/b"}, "/unit", "string_pattern_mismatch"),
    ({**GOOD, "unit": ".."}, "/unit", "string_pattern_mismatch"),
    ({**GOOD, "tags": {}}, "/tags", "list_type"),
    ({**GOOD, "tags": [{"name": "a"}] * 4}, "/tags", "too_long"),
    ({**GOOD, "tags": [{"name": "a"}, {"name": 3}]}, "/tags/1/name", "string_type"),
    ({**GOOD, "tags": [{"name": "a", "nul": "\x00"}]}, "/tags/0/nul", "string_nul"),
]


@pytest.mark.parametrize(("body", "pointer", "code"), BAD_FIELDS)
async def test_a_bad_field_is_pointed_to(
    admin: httpx.AsyncClient, body: dict[str, Any], pointer: str, code: str
) -> None:
    answer = await admin.post("/v1/notes", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "/problems/unprocessable"
    assert {"in": "body", "pointer": pointer, "code": code}.items() <= problem["errors"][0].items()


async def test_every_bad_field_is_named_at_once(admin: httpx.AsyncClient) -> None:
    problem = (await admin.post("/v1/notes", json={"count": -1, "urgent": 1, "more": 2})).json()
    assert {error["pointer"] for error in problem["errors"]} == {"/title", "/count", "/urgent", "/more"}


async def test_the_value_is_not_repeated(admin: httpx.AsyncClient) -> None:
    answer = await admin.post("/v1/notes", json={"title": "13912345678" * 3, "kind": "13912345678"})
    assert answer.status_code == 422
    assert "13912345678" not in answer.text


async def test_good_input_passes_unchanged(admin: httpx.AsyncClient) -> None:
    note = {
        "title": " 回访 😀 ",
        "text": "one\n\ttwo",
        "at": "2026-10-09t08:00:00.5+08:00",
        "day": "2026-10-09",
        "unit": "苏州-1",
    }
    answer = await admin.post("/v1/notes", json=note)
    assert answer.status_code == 201, answer.text
    assert answer.json()["note"] == {
        "kind": "short",
        "count": 0,
        "weight": 0.0,
        "urgent": False,
        "about": None,
        "tags": [],
        **note,
        "at": "2026-10-09T00:00:00.500000Z",
    }


async def test_text_that_only_looks_like_nul_passes(admin: httpx.AsyncClient) -> None:
    content = rb'{"title": "\\u0000"}'
    assert (await admin.post("/v1/notes", content=content, headers=JSON)).status_code == 201


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("content", "status", "slug"),
    [
        (b"", 422, "unprocessable"),
        (b"{", 400, "malformed-json"),
        (b'{"title": NaN}', 400, "malformed-json"),
        (b'{"title": "\xff"}', 400, "malformed-json"),
        (b'{"title": "\xed\xa0\x80"}', 400, "malformed-json"),
        (b'{"weight": 1e999}', 400, "malformed-json"),
        (b'{"count": 1' + b"0" * 5000 + b"}", 400, "malformed-json"),
        (b"\xef\xbb\xbf{}", 400, "malformed-json"),
        (b"[]", 422, "unprocessable"),
        (b"null", 422, "unprocessable"),
        (b'"text"', 422, "unprocessable"),
        (b'{"title": "\\ud800"}', 422, "unprocessable"),
        (b'{"\\udfff": 1}', 422, "unprocessable"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, 422, "unprocessable"),
        (b"[" * 300_000, 422, "unprocessable"),
        (b"[" * 300_000 + b"]" * 300_000, 422, "unprocessable"),
    ],
)
async def test_unsound_json_is_refused(admin: httpx.AsyncClient, content: bytes, status: int, slug: str) -> None:
    answer = await admin.post("/v1/notes", content=content, headers=JSON)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}"), answer.text


async def test_a_lone_surrogate_is_pointed_to(admin: httpx.AsyncClient) -> None:
    content = b'{"title": "a", "tags": [{"name": "ok"}, {"name": "\\ud83d"}]}'
    problem = (await admin.post("/v1/notes", content=content, headers=JSON)).json()
    assert problem["errors"][0]["pointer"] == "/tags/1/name"
    assert problem["errors"][0]["code"] == "string_unicode"


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "json", ""]
)
async def test_another_content_type_is_refused(admin: httpx.AsyncClient, content_type: str) -> None:
    answer = await admin.post("/v1/notes", content=b'{"title": "a"}', headers={"content-type": content_type})
    assert (answer.status_code, answer.json()["type"]) == (415, "/problems/unsupported-media-type")


async def test_a_json_content_type_is_taken_in_all_its_forms(admin: httpx.AsyncClient) -> None:
    for content_type in ("application/json; charset=utf-8", "APPLICATION/JSON", "application/merge-patch+json"):
        answer = await admin.post("/v1/notes", content=b'{"title": "a"}', headers={"content-type": content_type})
        assert answer.status_code == 201


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "x-unheard-of", "identity, gzip"])
@pytest.mark.parametrize("content", [gzip.compress(b'{"title": "a"}', mtime=0), b'{"title": "a"}', b"\0" * 2_000_000])
async def test_a_packed_body_is_refused_and_says_why(admin: httpx.AsyncClient, coding: str, content: bytes) -> None:
    answer = await admin.post("/v1/notes", content=content, headers={**JSON, "Content-Encoding": coding})
    assert (answer.status_code, answer.json()["type"]) == (415, "/problems/unsupported-encoding")
    assert answer.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("coding", ["", "identity", "Identity", "UTF-8"])
async def test_a_body_that_says_that_it_is_not_packed_is_taken(admin: httpx.AsyncClient, coding: str) -> None:
    answer = await admin.post("/v1/notes", content=b'{"title": "a"}', headers={**JSON, "Content-Encoding": coding})
    assert answer.status_code == 201


async def test_a_body_beyond_the_limit_is_refused_unread(admin: httpx.AsyncClient) -> None:
    answer = await admin.post("/v1/notes", content=b"x" * 10_000_000, headers=JSON)
    assert (answer.status_code, answer.json()["type"], answer.json()["limit"]) == (413, "/problems/too-large", 1 << 20)


async def test_a_body_that_does_not_say_its_length_is_cut_off(admin: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100_000_000:
            sent += 65536
            yield b" " * 65536

    answer = await admin.post("/v1/notes", content=endless(), headers=JSON)
    assert answer.status_code == 413
    assert sent < 2_000_000


async def test_a_route_can_have_a_limit_of_its_own(admin: httpx.AsyncClient) -> None:
    notes = [{"title": "x" * 20, "text": "y" * 100}] * 15_000
    assert (await admin.post("/v1/notes/import", json=notes)).json() == 15_000
    answer = await admin.post("/v1/notes/import", json=notes * 2)
    assert (answer.status_code, answer.json()["limit"]) == (413, 3_000_000)


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("limit=0", "/limit", "greater_than_equal"),
        ("limit=201", "/limit", "less_than_equal"),
        ("limit=many", "/limit", "int_parsing"),
        ("updated_since=2026-10-09T08:00:00", "/updated_since", "instant"),
        ("updated_since=yesterday", "/updated_since", "instant"),
        ("updatedsince=2026-10-09T08:00:00Z", "/updatedsince", "extra_forbidden"),
        ("tag=%00", "/tag", "string_nul"),
        ("cursor=nonsense", "/cursor", "cursor"),
        ("cursor=%F0%9F%98%80", "/cursor", "cursor"),
        ("cursor=" + "W1tbW1tb" * 60, "/cursor", "cursor"),
    ],
)
async def test_a_bad_query_parameter_is_pointed_to(
    admin: httpx.AsyncClient, query: str, pointer: str, code: str
) -> None:
    answer = await admin.get(f"/v1/notes?{query}")
    assert answer.status_code == 422, answer.text
    assert {"in": "query", "pointer": pointer, "code": code}.items() <= answer.json()["errors"][0].items()


async def test_a_plus_sign_lost_in_the_query_is_understood(admin: httpx.AsyncClient) -> None:
    answer = await admin.get("/v1/notes?updated_since=2026-10-09T08:00:00+08:00")
    assert answer.json()["since"] == "2026-10-09T00:00:00Z"


@pytest.mark.parametrize("path", ["/v1/notes/17", "/v1/notes/%00", "/v1/nothing", "/v1/notes/", "/"])
async def test_an_id_that_cannot_exist_is_not_found(admin: httpx.AsyncClient, path: str) -> None:
    answer = await admin.get(path)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


async def test_a_method_there_is_not_says_which_there_are(admin: httpx.AsyncClient) -> None:
    answer = await admin.delete(f"/v1/notes/{uuid4()}")
    assert (answer.status_code, answer.json()["type"]) == (405, "/problems/method-not-allowed")
    assert answer.headers["allow"] == "GET, HEAD, PUT"


@pytest.mark.parametrize("key", [b"", b"with space", b"x" * 256, "汉".encode(), b"\x7f"])
async def test_a_malformed_idempotency_key_is_refused(admin: httpx.AsyncClient, key: bytes) -> None:
    answer = await admin.post("/v1/notes", json=GOOD, headers={b"idempotency-key": key})
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/bad-idempotency-key")
