"""What a process tells about itself: one log line a request, traces handed on, metrics, health; no personal data."""

import asyncio
import json
import logging
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter

from chassis import telemetry
from chassis.telemetry import JsonFormatter, current_trace_id, current_traceparent, traced
from chassis.web.health import health_router
from tests.support.tokens import Issuer
from tests.support.web import client_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    caplog.set_level(logging.DEBUG, "chassis")

    def read() -> list[dict[str, Any]]:
        return [json.loads(JsonFormatter("testing").format(record)) for record in caplog.records]

    return read


async def test_a_request_is_one_line(admin: httpx.AsyncClient, lines: Any) -> None:
    await admin.get("/v1/notes?tag=secret", headers={"traceparent": PARENT})
    await admin.get("/v1/notes/17")
    found, missing = [line for line in lines() if line["message"] == "request"]
    assert {"method": "GET", "route": "/v1/notes", "status": 200, "sub": "tester"}.items() <= found.items()
    assert found["ms"] >= 0
    assert "secret" not in json.dumps(found)
    assert {"route": "/v1/notes/{id}", "status": 404, "problem": "not-found"}.items() <= missing.items()


async def test_why_a_token_was_refused_is_in_the_log(stranger: httpx.AsyncClient, lines: Any) -> None:
    await stranger.get("/v1/notes", headers={"authorization": "Bearer a.b.c"})
    assert [line["reason"] for line in lines() if line["message"] == "request"] == ["DecodeError"]


async def test_a_failed_request_is_logged_without_the_value_it_choked_on(admin: httpx.AsyncClient, lines: Any) -> None:
    await admin.get("/v1/notes/fail/bug")
    (line,) = [line for line in lines() if line["level"] == "ERROR"]
    assert line["exception"][0]["type"] == "builtins.ValueError"
    assert "notes.py" in line["exception"][0]["stack"][-1]
    assert "13912345678" not in json.dumps(line)


async def test_health_is_not_worth_a_line(app: FastAPI, lines: Any) -> None:
    app.include_router(health_router([], {}))
    async with client_of(app) as client:
        await client.get("/livez")
    assert [line["level"] for line in lines() if line["message"] == "request"] == ["DEBUG"]


async def test_however_many_ask_a_check_is_made_once_at_a_time(app: FastAPI) -> None:
    """Nobody needs a token to ask, each would take a connection, and the kubelet does not stand in a queue."""
    made, over = 0, asyncio.Event()

    async def check() -> None:
        nonlocal made
        made += 1
        await over.wait()

    app.include_router(health_router([], {"database": check}))
    async with client_of(app) as client:
        first, *others = [asyncio.create_task(client.get("/readyz")) for _ in range(20)]
        await asyncio.sleep(0.1)
        first.cancel()
        over.set()
        answers = await asyncio.gather(*others)
        assert ({answer.status_code for answer in answers}, made) == ({200}, 1), "whoever asked first may go away"
        assert ((await client.get("/readyz")).status_code, made) == (200, 2), "and what was seen is not remembered"


async def test_the_trace_goes_on(admin: httpx.AsyncClient) -> None:
    answer = await admin.get("/v1/notes/17", headers={"traceparent": PARENT})
    assert answer.json()["trace_id"] == TRACE


@pytest.mark.parametrize(
    "parent",
    [
        None,
        "",
        "00",
        PARENT.upper(),
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff{PARENT[2:]}",
    ],
)
def test_a_malformed_parent_begins_a_new_trace(parent: str | None) -> None:
    with traced(parent) as own:
        assert current_traceparent() == own
        assert current_trace_id() not in (None, TRACE)
    assert current_traceparent() is None


def test_a_child_keeps_the_trace_and_has_a_span_of_its_own() -> None:
    with traced(PARENT) as own:
        assert own[:36] == PARENT[:36]
        assert own != PARENT
        with traced(current_traceparent()) as inner:
            assert inner[:36] == own[:36]
            assert inner != own
        assert current_traceparent() == own
    with traced(f"01{PARENT[2:]}-later") as own:
        assert own[:36] == PARENT[:36], "a later version is read as far as it is known"


def test_a_database_error_is_described_by_its_state_only() -> None:
    class Refused(Exception):
        sqlstate = "23505"

    try:
        raise Refused("Key (phone)=(13912345678) already exists")
    except Refused as error:
        described = telemetry.describe(error)
    assert described[0]["sqlstate"] == "23505"
    assert "13912345678" not in json.dumps(described)


def test_what_caused_an_error_is_described_too() -> None:
    try:
        try:
            TypeAdapter(int).validate_python("13912345678x")
        except ValueError as error:
            raise RuntimeError("not applied") from error
    except RuntimeError as error:
        described = telemetry.describe(error)
    assert [link["type"] for link in described] == [
        "builtins.RuntimeError",
        "pydantic_core._pydantic_core.ValidationError",
    ]
    assert described[0]["message"] == "not applied"
    assert "13912345678x" not in json.dumps(described)


def test_logging_is_json_on_standard_output(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", logging.WARNING)
    telemetry.setup_logging("visit_api", "INFO")
    logging.getLogger("somewhere").info("done %s", 3, extra={"appeal_no": "WX1"})
    line = json.loads(capsys.readouterr().out)
    assert {"level": "INFO", "service": "visit_api", "message": "done 3", "appeal_no": "WX1"}.items() <= line.items()


class Part:
    name = "testing.relay"
    verdict = (True, "running")

    def healthy(self) -> tuple[bool, str]:
        return self.verdict


async def test_health_tells_of_parts_and_checks(app: FastAPI) -> None:
    part, database = Part(), {"away": False}

    async def check() -> None:
        if database["away"]:
            raise ConnectionRefusedError("postgresql://user:secret@host")

    app.include_router(health_router([part], {"database": check}))
    async with client_of(app) as client:
        assert (await client.get("/livez")).json() == {"status": "ok", "parts": {"testing.relay": "running"}}
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["parts"]["database"]) == (200, "ready")

        database["away"] = True
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["parts"]["database"]) == (503, "not ready")
        assert "secret" not in ready.text
        assert (await client.get("/livez")).status_code == 200, "an outage is no reason to restart"

        part.verdict = (False, "no progress for 61 s")
        assert (await client.get("/livez")).status_code == 503
        assert (await client.get("/readyz")).status_code == 503


async def test_requests_are_measured_by_route(app: FastAPI, issuer: Issuer) -> None:
    app.include_router(health_router([], {}))
    async with client_of(app, issuer.headers("admin", unit="32")) as client:
        await client.get("/v1/notes/measured")
        await client.get("/v1/none/such")
        metrics = (await client.get("/metrics")).text
    labels = 'service="testing",status="404"'
    assert f'http_requests_total{{method="GET",route="/v1/notes/{{id}}",{labels}}}' in metrics
    assert f'http_requests_total{{method="GET",route="unmatched",{labels}}}' in metrics
    assert "measured" not in metrics
