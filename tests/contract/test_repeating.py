"""Every write can be repeated, every read can ask whether anything changed, and nothing is overwritten unseen."""

import re
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis.web.errors import Problem
from tests.contract import right
from tests.contract.house import House, Json
from tests.contract.places import Place, places, sent, takes_body

WRITING = [place for place in places() if not place.reads]
READING = [place for place in places() if place.reads]
CHINESE = re.compile("[\u4e00-\u9fff]")
OVER = [place for place in WRITING if place.overwrites]


def named(place: Place) -> str:
    return place.name


async def call(
    client: httpx.AsyncClient, place: Place, name: str, body: Json | bytes | None, **headers: str
) -> httpx.Response:
    query = right.QUERIES.get(place.name)
    return await client.request(place.method, place.at(name), **sent(body), params=query, headers=headers)


def refused(answer: httpx.Response, status: int, slug: str) -> None:
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}"), answer.text


@pytest.mark.parametrize("place", WRITING, ids=named)
async def test_a_write_that_is_repeated_is_answered_as_the_first_time(place: Place, house: House) -> None:
    """From the unit whose thing it is about, which reaches what is its own: see the matrix of units for the others."""
    name = await right.thing(place, house)
    body = await right.body(place, house) if takes_body(place) else None
    unit = house.ours if place.thing in right.THINGS else house.top
    client, key = house.owner(place.service, place.roles, unit), {"Idempotency-Key": uuid4().hex}
    first = await call(client, place, name, body, **place.headers, **key)
    assert first.is_success, first.text
    stored = await house.fingerprint()
    again = await call(client, place, name, body, **place.headers, **key)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    if body is not None:
        different = body + b"!" if isinstance(body, bytes) else {**body, "surprise": 1}
        other = await call(client, place, name, different, **place.headers, **key)
        refused(other, 422, "idempotency-mismatch")
    assert await house.fingerprint() == stored


@pytest.mark.parametrize("place", READING, ids=named)
async def test_a_read_tells_whether_anything_changed(place: Place, house: House) -> None:
    name = await right.standing(place, house)
    client = house.owner(place.service, place.roles, house.top)
    first = await call(client, place, name, None)
    assert first.status_code == 200, first.text
    assert first.headers["cache-control"] == "private, no-cache"
    same = await call(client, place, name, None, **{"If-None-Match": first.headers["etag"]})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", first.headers["etag"])
    assert (await call(client, place, name, None, **{"If-None-Match": '"other"'})).content == first.content
    head = await client.head(place.at(name), params=right.QUERIES.get(place.name))
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", first.headers["etag"])


@pytest.mark.parametrize("place", OVER, ids=named)
async def test_only_what_was_seen_is_overwritten(place: Place, house: House) -> None:
    name = await right.thing(place, house)
    body = await right.body(place, house) if takes_body(place) else None
    client = house.admin(place.service)
    seen = {"If-Match": (await client.get(place.at(name))).headers["etag"]}
    refused(await call(client, place, name, body), 428, "precondition-required")
    written = await call(client, place, name, body, **seen)
    assert written.is_success, written.text
    if place.method != "DELETE":
        assert written.headers["etag"] == (await client.get(place.at(name))).headers["etag"]
    late = await call(client, place, name, body, **seen)
    if place.method == "DELETE":
        refused(late, 404, "not-found")
    else:
        refused(late, 412, "precondition-failed")


def test_every_problem_is_said_in_both_languages() -> None:
    assert len(Problem.known) > 25
    for slug, kind in Problem.known.items():
        sentences: list[Any] = [kind.title, *([kind.detail] if kind.detail else [])]
        for words in sentences:
            assert CHINESE.search(words.zh), slug
            assert not CHINESE.search(words.en), slug
