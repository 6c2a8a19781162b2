"""A question to another service goes to it, and to nobody else, under the trace of whoever asks."""

from pathlib import Path

import pytest

from chassis.peer import Peer
from chassis.telemetry import trace_id, traced
from deploy.local.demo.provider import Provider, Taken


async def test_a_question_goes_to_the_peer_alone_and_takes_its_trace_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (token := tmp_path / "token").write_text("secret")
    async with Provider() as proxy, Provider() as there:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        there.ledger["S1"] = Taken("gateway", "S1", "")
        peer = Peer(there.url, token)
        try:
            with traced(None) as trace:
                assert await peer.get("/staff/S1") == {"ref": "S1", "state": "accepted"}
        finally:
            await peer.close()
        assert proxy.requests == []
        [asked] = [request.headers for request in there.requests]
        assert asked["authorization"] == "Bearer secret"
        assert (trace_id(asked["traceparent"]), asked["traceparent"] != trace) == (trace_id(trace), True)
