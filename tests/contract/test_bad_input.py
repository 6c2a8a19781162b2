"""Every route that takes a body × every way to spoil it: refused with a pointer to the fault, and nothing stored."""

import gzip
import json
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.contract import right
from tests.contract.house import House
from tests.contract.places import Place, body_schema, operation, places, query_names, takes_body, takes_bytes
from tests.contract.spoil import JSON_TYPE, formats_of, spoilt

TAKING = [place for place in places() if takes_body(place) and not takes_bytes(place)]
ABOUT = [place for place in places() if place.thing is not None]

# Times at which something happened: they cannot lie ahead, and nobody spoke before there were calendars.
HAPPENED = {"at", "called_at", "consented_at", "received_at"}
# Times that may be any, and where: what is planned, agreed, or merely asked about.
ANY_TIME = {
    "starts_at",
    "ends_at",
    "scheduled_at",
    "sent_at",  # what a clock shows that may be wrong
    "agreed_at",
    "report_by",
    "since",
    "until",
    "window_from",
    "window_to",
    "notifier POST /v1/deliveries/retry since",
    "notifier POST /v1/deliveries/retry until",
    "notifier POST /v1/webhooks/{id}/replay since",
    "notifier POST /v1/webhooks/{id}/replay until",
    "appeal_tracker POST /v1/deadline-calculations received_at",
    "appeal_tracker POST /v1/callback-tasks/{id}/schedule at",  # it is what lies ahead
}

# Whatever can be a name at all may be the name of something new there.
NEW_NAMES = {
    "appeal_tracker PUT /v1/code-tables/{source}": {"17", "null"},
    "appeal_tracker POST /v1/calendars/{calendar}/versions": {"17", "null"},
}

CHINESE = re.compile("[\u4e00-\u9fff]")
HEARD: set[tuple[str, ...]] = set()  # what was said in Chinese, and has been heard in English too


def named(place: Place) -> str:
    return place.name


async def right_content(place: Place, house: House) -> bytes:
    """A right body as it travels; none where none is taken."""
    body = await right.body(place, house) if takes_body(place) else b""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


async def send(
    client: httpx.AsyncClient, place: Place, name: str, content: bytes, content_type: str = JSON_TYPE, **more: str
) -> httpx.Response:
    headers = {**place.headers, "Content-Type": content_type, **more}
    return await client.request(place.method, place.at(name), content=content, headers=headers)


def refused(answer: httpx.Response, status: int, pointer: str | None) -> None:
    """Asserts that the answer is a problem with that status, which points there."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["type"][:10]) == (status, "/problems/")
    if pointer is not None:
        assert pointer in [error["pointer"] for error in problem["errors"] if error["in"] == "body"], answer.text


def said(problem: dict[str, Any]) -> list[str]:
    """All that a problem says in words."""
    return [
        problem["title"],
        *([problem["detail"]] if "detail" in problem else []),
        *(error["detail"] for error in problem.get("errors", ())),
    ]


@pytest.mark.parametrize("place", TAKING, ids=named)
async def test_a_spoilt_body_is_refused_and_leaves_no_trace(place: Place, house: House) -> None:
    name, body = await right.standing(place, house), await right.body(place, house)
    required = operation(place)["requestBody"].get("required", False)
    client = house.owner(place.service, place.roles, house.top)
    before = await house.fingerprint()
    tried = 0
    for bad in spoilt(body, body_schema(place, body), required):
        chinese = await send(client, place, name, bad.content, bad.content_type, **{"Accept-Language": "zh-CN"})
        refused(chinese, bad.status, bad.pointer)
        words = tuple(said(chinese.json()))
        assert all(CHINESE.search(sentence) for sentence in words), (bad.what, words)
        assert not any(" or " in sentence for sentence in words), (bad.what, words)
        if words not in HEARD:  # what says the same in Chinese says the same in English
            english = await send(client, place, name, bad.content, bad.content_type, **{"Accept-Language": "en"})
            refused(english, bad.status, bad.pointer)
            assert not any(CHINESE.search(sentence) for sentence in said(english.json())), (bad.what, english.text)
            HEARD.add(words)
        tried += 1
    assert tried >= 25
    assert await house.fingerprint() == before


@pytest.mark.parametrize("place", [place for place in places() if takes_body(place)], ids=named)
async def test_a_packed_body_is_refused_and_says_why(place: Place, house: House) -> None:
    name, content = await right.standing(place, house), gzip.compress(await right_content(place, house))
    client = house.owner(place.service, place.roles, house.top)
    before = await house.fingerprint()
    answer = await send(client, place, name, content, **{"Content-Encoding": "gzip"})
    refused(answer, 415, None)
    assert answer.json()["type"] == "/problems/unsupported-encoding"
    assert await house.fingerprint() == before


@pytest.mark.parametrize("place", TAKING, ids=named)
async def test_what_happened_does_not_lie_ahead(place: Place, house: House) -> None:
    name, body = await right.thing(place, house), await right.body(place, house)
    fields = body_schema(place, body)["properties"]
    times = {field for field, its in fields.items() if "date-time" in formats_of(its)}
    known = HAPPENED | {each.rpartition(" ")[2] for each in ANY_TIME}
    assert times <= known, f"may {times - known} lie ahead?"
    happened = {field for field in times & HAPPENED if f"{place.name} {field}" not in ANY_TIME}
    client = house.owner(place.service, place.roles, house.top)
    before = await house.fingerprint() if happened else None
    for field in happened:
        ahead = (house.now() + timedelta(minutes=2, seconds=1)).isoformat()
        for at in (ahead, "9999-12-01T00:00:00Z", *(["2006-12-31T23:59:59+08:00"] if field == "received_at" else [])):
            answer = await send(client, place, name, json.dumps({**body, field: at}).encode())
            refused(answer, 422, f"/{field}")
            assert (answer.json()["type"] == "/problems/in-the-future") is not at.startswith("2006")
    assert before is None or await house.fingerprint() == before
    # A caller's clock may be a little ahead, so all that was wrong was the time; whoever is above may call as well.
    near = {field: (house.now() + timedelta(minutes=1)).isoformat() for field in times & HAPPENED}
    assert (await send(client, place, name, json.dumps({**body, **near}).encode())).is_success


@pytest.mark.parametrize("place", ABOUT, ids=named)
async def test_an_id_that_cannot_exist_is_not_found(place: Place, house: House) -> None:
    body = await right_content(place, house)
    client = house.owner(place.service, place.roles, house.top)
    before = await house.fingerprint()
    impossible = {"17", "%00", "a%00b", "%ED%A0%80", "x" * 300, "长" * 100, "' OR 1=1 --", "..%2f", "%20", "null"}
    for name in impossible - NEW_NAMES.get(place.name, set()):
        answer = await client.request(
            place.method,
            place.at(name),
            content=body,
            headers={**place.headers, "Content-Type": JSON_TYPE},
            params=right.QUERIES.get(place.name),
        )
        refused(answer, 404, None)
    assert await house.fingerprint() == before


@pytest.mark.parametrize("place", [place for place in places() if place.reads], ids=named)
async def test_a_query_that_is_not_known_is_pointed_to(place: Place, house: House) -> None:
    name = await right.standing(place, house)
    client = house.owner(place.service, place.roles, house.top)
    good = right.QUERIES.get(place.name, {})
    bad = {"surprise": "1", **dict.fromkeys(query_names(place), "\0")}
    if "limit" in query_names(place):
        bad |= {"limit": "0", "cursor": "bm9uc2Vuc2U", "updated_since": "2026-10-09T08:00:00"}
    for field, value in bad.items():
        answer = await client.get(place.at(name), params={**good, field: value})
        refused(answer, 422, None)
        assert [(error["in"], error["pointer"]) for error in answer.json()["errors"]] == [("query", f"/{field}")]


@pytest.mark.parametrize("place", [place for place in places() if not place.reads], ids=named)
async def test_a_malformed_key_and_a_stale_tag_are_refused(place: Place, house: House) -> None:
    name = await right.standing(place, house)
    body = await right_content(place, house)
    client = house.owner(place.service, place.roles, house.top)
    before = await house.fingerprint()
    path, sort = place.at(name), {"Content-Type": JSON_TYPE}
    for key in ("", "two words", "键", "x" * 256):
        headers = httpx.Headers({**place.headers, **sort, "Idempotency-Key": key}, encoding="utf-8")
        refused(await client.request(place.method, path, content=body, headers=headers), 400, None)
    if place.headers:
        refused(await client.request(place.method, path, content=body, headers=sort), 428, None)
        stale = {**sort, "If-Match": '"as-it-was"'}
        refused(await client.request(place.method, path, content=body, headers=stale), 412, None)
    assert await house.fingerprint() == before
