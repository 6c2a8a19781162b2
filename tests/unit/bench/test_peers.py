"""The peers are installed once from hashed requirements, or the row says plainly why not; they take turns when told."""

import io
from pathlib import Path

import pytest

from bench.peers import environment
from bench.peers.turns import take_turns
from deploy.local.errors import Refused


async def test_what_cannot_be_installed_is_said_plainly(tmp_path: Path) -> None:
    missing = tmp_path / "none.txt"
    missing.write_text("./there-is-no-such-package --hash=sha256:" + "0" * 64)
    with pytest.raises(Refused, match="the peers cannot be installed: "):
        await environment.python(tmp_path / "home", missing)


async def test_what_is_installed_is_not_installed_again(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.txt"
    nothing.write_text("")
    first = await environment.python(tmp_path / "home", nothing)
    made = first.lstat().st_mtime_ns
    assert await environment.python(tmp_path / "home", nothing) == first
    assert first.lstat().st_mtime_ns == made


def test_every_requirement_of_the_peers_is_hashed() -> None:
    text = environment.REQUIREMENTS.read_text()
    pinned = [line for line in text.splitlines() if "==" in line]
    assert {line.partition("==")[0] for line in pinned} > {"django-helpdesk", "procrastinate"}
    assert all(line.endswith("\\") for line in pinned)
    assert "://" not in text


def test_a_peer_takes_a_turn_for_each_number(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("300\n20\n"))
    take_turns(lambda count: count / 100)
    assert capsys.readouterr().out.splitlines() == ["ready", "3.0", "0.2"]
