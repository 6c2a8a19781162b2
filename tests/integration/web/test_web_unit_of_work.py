"""One request, one transaction: stored before it is answered, or neither; and the Idempotency-Key inside it."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import msgspec
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from starlette.types import Message, Receive, Scope, Send

from chassis.db import after_commit
from chassis.runtime import FOR_LOOPS
from chassis.web import idempotency
from chassis.web.etag import etag_of
from chassis.web.work import UnitOfWork
from tests.integration.web.conftest import Client
from tests.support.tokens import Issuer
from tests.support.web import client_of, served

THING = {"name": "回访", "unit_code": "32"}
KEY = {"idempotency-key": "4f6c"}


async def stored(database: asyncpg.Connection) -> int:
    return int(await database.fetchval("SELECT count(*) FROM things"))


async def test_a_failing_commit_gives_no_201(client: Client, database: asyncpg.Connection) -> None:
    answer = await client().post("/v1/things", json={**THING, "next_id": str(uuid4())})
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal")
    assert await stored(database) == 0


async def test_it_is_stored_before_it_is_answered(app: FastAPI, issuer: Issuer, database: asyncpg.Connection) -> None:
    seen: list[int] = []

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        async def look(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.append(await stored(database))
            await send(message)

        await app(scope, receive, look)

    async with client_of(watched, issuer.headers("admin", unit="32")) as client:
        assert (await client.post("/v1/things", json=THING)).status_code == 201
        assert (await client.post("/v1/things/hot", json=THING)).status_code == 201
        assert (await client.post("/v1/things", json=THING, headers=KEY)).status_code == 201
    assert seen == [1, 2, 3]


async def test_a_problem_stores_nothing(client: Client, database: asyncpg.Connection) -> None:
    assert (await client().post(f"/v1/things/{uuid4()}/fail", json=THING)).status_code == 404
    assert (await client().post(f"/v1/things/{uuid4()}/fail", json=THING, headers=KEY)).status_code == 404
    assert await stored(database) == 0
    assert await database.fetchval("SELECT count(*) FROM idempotency_keys") == 0, "only successes are kept"


async def test_a_request_cut_off_leaves_no_lock_and_no_connection_behind(
    app: FastAPI, client: Client, database: asyncpg.Connection
) -> None:
    for _ in range(6):  # more than the pool holds
        app.state.entered.clear()
        running = asyncio.create_task(client().post("/v1/things/gated", json=THING, headers=KEY))
        await app.state.entered.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert (await client().post("/v1/things", json=THING, headers=KEY)).status_code == 201
    assert await stored(database) == 1


async def test_a_database_that_goes_away_is_503_and_comes_back_by_itself(
    app: FastAPI, client: Client, database: asyncpg.Connection
) -> None:
    running = asyncio.create_task(client().post("/v1/things/gated", json=THING, headers=KEY))
    await app.state.entered.wait()
    await database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'things' AND pid <> pg_backend_pid()"
    )
    app.state.gate.set()
    answer = await running
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/service-unavailable")
    assert answer.headers["retry-after"]
    assert await stored(database) == 0
    again = await client().post("/v1/things/gated", json=THING, headers=KEY)
    assert again.status_code == 201
    assert "idempotency-replayed" not in again.headers


async def test_what_follows_a_commit_fails_alone(app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []
    async with app.state.runtime.db.transaction() as tx:
        after_commit(tx, lambda: told.append(f"{1 // len(told)}"))
        after_commit(tx, lambda: told.append("woken"))
    assert told == ["woken"]
    assert "what follows a commit failed" in caplog.text


async def test_a_hot_statement_tells_only_of_what_is_stored(app: FastAPI, client: Client) -> None:
    same = str(uuid4())
    for headers, status in (({}, 201), (KEY, 409), ({}, 409)):
        answer = await client().post("/v1/things/hot", json={**THING, "id": same}, headers=headers)
        assert answer.status_code == status
    assert app.state.told == ["回访"]
    assert (await client().post("/v1/things/hot", json=THING, headers=KEY)).status_code == 201
    assert app.state.told == ["回访", "回访"]


@pytest.mark.parametrize("headers", [{}, KEY])
async def test_a_hot_statement_is_part_of_the_transaction_there_is(
    app: FastAPI, client: Client, database: asyncpg.Connection, headers: dict[str, str]
) -> None:
    assert (await client().post("/v1/things/hot/fail", json=THING, headers=headers)).status_code == 404
    assert await stored(database) == 0
    assert app.state.told == []


# Idempotency-Key


@pytest.mark.parametrize("path", ["/v1/things", "/v1/things/hot"])
async def test_the_same_key_gets_the_first_answer_again(
    client: Client, database: asyncpg.Connection, path: str
) -> None:
    first = await client().post(path, json=THING, headers=KEY)
    again = await client().post(path, json=THING, headers=KEY)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert await stored(database) == 1


async def test_what_is_kept_of_a_request_tells_nothing_without_the_keys(
    client: Client, database: asyncpg.Connection
) -> None:
    first = await client().post("/v1/things", json=THING, headers=KEY)
    row = await database.fetchrow("SELECT * FROM idempotency_keys")
    assert (row["status"], row["body"], row["headers"]) == (201, None, None)
    assert first.content not in row["sealed"]
    asked = b"POST /v1/things?\n" + msgspec.json.encode(THING, order="deterministic")
    assert row["fingerprint"] != hashlib.sha256(asked).digest(), "or a number that was sent could be tried out"
    await database.execute("UPDATE idempotency_keys SET principal = 'E002'")
    assert (await client(sub="E002").post("/v1/things", json=THING, headers=KEY)).status_code == 500, "bound to its row"


async def test_what_an_earlier_version_kept_is_answered_until_it_expires(
    client: Client, database: asyncpg.Connection
) -> None:
    asked = b"POST /v1/things?\n" + msgspec.json.encode(THING, order="deterministic")
    old = "INSERT INTO idempotency_keys (principal, key, fingerprint, status, headers, body) VALUES ('E001', $1, $2,"
    row = KEY["idempotency-key"], hashlib.sha256(asked).digest()
    await database.execute(old + """ 201, '{"location": "/there"}', '{"old": true}')""", *row)
    again = await client().post("/v1/things", json=THING, headers=KEY)
    assert (again.status_code, again.json(), again.headers["location"]) == (201, {"old": True}, "/there")
    assert await stored(database) == 0
    other = await client().post("/v1/things", json={**THING, "name": "other"}, headers=KEY)
    assert other.json()["type"] == "/problems/idempotency-mismatch"


async def test_json_spelled_otherwise_is_the_same_request(client: Client, database: asyncpg.Connection) -> None:
    headers = {**KEY, "content-type": "application/json"}
    first = await client().post("/v1/things", content=b'{"name": "a", "unit_code": "32"}', headers=headers)
    again = await client().post("/v1/things", content=b'{"unit_code":"32","name":"\\u0061"}', headers=headers)
    assert again.json() == first.json()
    assert await stored(database) == 1


@pytest.mark.parametrize(("path", "change"), [("/v1/things", {"name": "other"}), ("/v1/things/hot", {})])
async def test_the_same_key_for_another_request_is_422(
    client: Client, database: asyncpg.Connection, path: str, change: dict[str, Any]
) -> None:
    assert (await client().post("/v1/things", json=THING, headers=KEY)).status_code == 201
    answer = await client().post(path, json=THING | change, headers=KEY)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/idempotency-mismatch")
    assert await stored(database) == 1


async def test_a_key_belongs_to_its_caller(client: Client, database: asyncpg.Connection) -> None:
    for sub in ("E001", "E002"):
        assert (await client(sub=sub).post("/v1/things", json=THING, headers=KEY)).status_code == 201
    assert await stored(database) == 2


async def test_no_transaction_waits_for_a_body_that_comes_slowly(app: FastAPI, client: Client) -> None:
    held = app.state.runtime.db.engine.pool.checkedout

    async def slowly() -> AsyncIterator[bytes]:
        yield b"a"
        app.state.entered.set()
        await app.state.gate.wait()
        yield b"b"

    running = asyncio.create_task(client().post("/v1/things/raw", content=slowly(), headers=KEY))
    await app.state.entered.wait()
    assert held() == 0
    app.state.gate.set()
    answer = await running
    assert (answer.status_code, answer.json()) == (200, 2)


async def test_keys_that_cannot_be_read_are_503(app: FastAPI, client: Client, keys: Path) -> None:
    text = keys.read_text()
    keys.write_text("half a li")
    try:
        answer = await client().post("/v1/things", json=THING, headers=KEY)
    finally:
        keys.write_text(text)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert (await client().post("/v1/things", json=THING, headers=KEY)).status_code == 201


async def test_a_twin_of_a_running_request_is_409_within_100_ms(
    app: FastAPI, client: Client, database: asyncpg.Connection
) -> None:
    first = asyncio.create_task(client().post("/v1/things/gated", json=THING, headers=KEY))
    await app.state.entered.wait()
    started = time.monotonic()
    twin = await client().post("/v1/things/gated", json=THING, headers=KEY)
    assert time.monotonic() - started < 1.0
    assert (twin.status_code, twin.json()["type"]) == (409, "/problems/idempotency-in-progress")
    assert twin.headers["retry-after"]
    app.state.gate.set()
    assert (await first).status_code == 201
    replayed = await client().post("/v1/things/gated", json=THING, headers=KEY)
    assert (replayed.status_code, replayed.headers["idempotency-replayed"]) == (201, "true")
    assert await stored(database) == 1


async def test_a_key_whose_request_failed_may_be_used_again(client: Client) -> None:
    wrong = {**THING, "next_id": str(uuid4())}
    assert (await client().post("/v1/things", json=wrong, headers=KEY)).status_code == 500
    assert (await client().post("/v1/things", json=THING, headers=KEY)).status_code == 201


async def test_old_keys_are_purged_by_the_service_role(
    app: FastAPI, client: Client, database: asyncpg.Connection
) -> None:
    for key in ("old", "new"):
        await client().post("/v1/things", json=THING, headers={"idempotency-key": key})
    await database.execute("UPDATE idempotency_keys SET stored_at = now() - interval '49 hours' WHERE key = 'old'")
    async with app.state.runtime.db.transaction() as tx:
        assert await idempotency.purge(tx, timedelta(hours=48)) == 1
    assert [row["key"] for row in await database.fetch("SELECT key FROM idempotency_keys")] == ["new"]


# If-Match


async def test_the_etag_of_the_get_is_what_the_put_is_compared_with(client: Client) -> None:
    thing = (await client().post("/v1/things", json=THING)).json()
    path = f"/v1/things/{thing['id']}"
    read = await client().get(path)
    assert read.headers["etag"] == etag_of(read.content)
    changed = await client().put(path, json={**THING, "name": "二"}, headers={"if-match": read.headers["etag"]})
    assert (changed.status_code, changed.json()["name"]) == (200, "二")
    stale = await client().put(path, json={**THING, "name": "三"}, headers={"if-match": read.headers["etag"]})
    assert stale.status_code == 412
    assert (await client().get(path)).content == changed.content


async def test_of_two_writers_with_one_etag_one_wins(client: Client) -> None:
    thing = (await client().post("/v1/things", json=THING)).json()
    path = f"/v1/things/{thing['id']}"
    for _ in range(5):  # the first round finds the pool's connections not yet made, and runs in turn
        tag = (await client().get(path)).headers["etag"]
        answers = await asyncio.gather(
            *(client().put(path, json={**THING, "name": f"n{i}"}, headers={"if-match": tag}) for i in range(4))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]


async def test_ten_megabytes_over_a_real_socket_get_their_answer(app: FastAPI, issuer: Issuer) -> None:
    async with served(app) as url, httpx.AsyncClient(headers=issuer.headers("admin", unit="32")) as client:
        for _ in range(2):
            answer = await client.post(f"{url}/v1/things", content=b"x" * 10_000_000)
            assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")


async def test_however_many_requests_wait_they_leave_connections_to_the_loops(app: FastAPI) -> None:
    """Ten that wait for each other's locks would otherwise keep timers from firing for as long as they do."""
    db = app.state.runtime.db
    async with AsyncExitStack() as stack:
        for _ in range(4):  # all that requests may have, see the settings of the app
            work = await stack.enter_async_context(UnitOfWork(db))
            await (await work.transaction()).execute(text("SELECT 1"))
        another = await stack.enter_async_context(UnitOfWork(db))
        waiting = asyncio.create_task(another.transaction())
        async with AsyncExitStack() as loops:
            for _ in range(FOR_LOOPS):
                await (await loops.enter_async_context(db.connection())).fetchval("SELECT 1")
        assert not waiting.done()
        async with work.aside() as its:
            assert its is work.tx, "whoever has one waits for no other"
        await work.__aexit__(None, None, None)
        await (await waiting).execute(text("SELECT 1"))
