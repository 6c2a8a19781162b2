"""A question to another service goes to it, and to nobody else."""

from pathlib import Path

import pytest

from chassis.peer import Peer
from deploy.local.demo.provider import Provider, Taken


async def test_no_proxy_of_the_environment_is_shown_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (token := tmp_path / "token").write_text("secret")
    async with Provider() as proxy, Provider() as there:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        there.ledger["S1"] = Taken("gateway", "S1", "")
        peer = Peer(there.url, token)
        try:
            assert await peer.get("/staff/S1") == {"ref": "S1", "state": "accepted"}
        finally:
            await peer.close()
        assert proxy.requests == []
        assert [request.headers["authorization"] for request in there.requests] == ["Bearer secret"]
