"""A job that cannot be done fails with its reason, which is shown, and stands in nobody's way."""

from typing import Any

import pytest

from appeal_tracker.recalculations import worker
from appeal_tracker.recalculations.worker import Recalculating
from appeal_tracker.simulations import preparing
from appeal_tracker.simulations.worker import Simulating
from tests.integration.appeal_tracker.desk import Desk, got, made

PAST = {"from": "2026-10-01", "to": "2026-10-09", "policy": "state-grid"}


async def simulations(desk: Desk) -> dict[str, tuple[str, str | None, bool]]:
    """By id: its state, why it failed, and whether it has ended."""
    items = (await got(desk.admin.get("/simulations")))["items"]
    return {each["id"]: (each["state"], each["failure"], each["finished_at"] is not None) for each in items}


async def test_a_row_that_cannot_be_judged_fails_its_simulation_and_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.raised()
    bad = (await made(desk.admin.post("/simulations", json=PAST)))["id"]
    desk.later(seconds=1)
    good = (await made(desk.admin.post("/simulations", json=PAST)))["id"]

    def judge(*args: Any) -> Any:
        raise ValueError("an hour that is none\n[parameters: 13900000000]")

    its = Simulating(desk.runtime)
    with monkeypatch.context() as patched:
        patched.setattr("appeal_tracker.simulations.service.judge", judge)
        assert await its.run_once()
    why = "ValueError: an hour that is none"
    assert await simulations(desk) == {bad: ("failed", why, True), good: ("queued", None, False)}
    while await its.run_once():
        pass
    assert await simulations(desk) == {bad: ("failed", why, True), good: ("done", None, True)}
    assert (await got(desk.admin.get(f"/simulations/{bad}")))["failure"] == why


async def test_a_candidate_that_cannot_be_built_any_more_fails_its_simulation(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = (await made(desk.admin.post("/simulations", json=PAST)))["id"]

    async def build(*_: Any) -> None:
        raise LookupError

    monkeypatch.setattr(preparing, "build", build)
    await desk.stack.settle()
    assert await simulations(desk) == {asked: ("failed", "LookupError", True)}


async def test_what_is_away_fails_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = (await made(desk.admin.post("/simulations", json=PAST)))["id"]

    async def build(*_: Any) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as patched:
        patched.setattr(preparing, "build", build)
        with pytest.raises(ConnectionRefusedError):
            await Simulating(desk.runtime).run_once()
    assert await simulations(desk) == {asked: ("queued", None, False)}
    await desk.stack.settle()
    assert await simulations(desk) == {asked: ("done", None, True)}


async def test_why_a_recalculation_failed_is_shown(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.raised()
    body = {"cause": "assignment", "unit_code": "374"}
    job = await made(desk.admin.post("/recalculations", json=body))
    assert job["failure"] is None

    async def write_seen(*_: Any) -> None:
        raise ValueError("a clock that nobody set")

    its = Recalculating(desk.runtime)
    with monkeypatch.context() as patched:
        patched.setattr(worker, "write_seen", write_seen)
        while await its.run_once():
            pass
    await its.close()
    shown = await got(desk.admin.get(f"/recalculations/{job['id']}"))
    assert (shown["state"], shown["failure"]) == ("failed", "ValueError: a clock that nobody set")
    assert shown["finished_at"] is not None
