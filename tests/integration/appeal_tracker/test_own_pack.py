"""A pack of one's own, with a clock that runs from the answer."""

from typing import Any

import msgspec
import pytest

from appeal_tracker.policies import repository
from appeal_tracker.policies.pack import parse_pack
from tests.integration.appeal_tracker.desk import Desk, got, instant, made

PACK = {
    "id": "own",
    "extends": "t-sdpea",
    "appeals": {"complaint": [{"milestone": "callback", "within": "2 working days", "clause": "own 1"}]},
}


@pytest.fixture
async def answered(desk: Desk) -> str:
    """A complaint under that pack, answered on 10-09 at 09:45."""
    await desk.publish(**PACK)
    await desk.assign("37401", "own")
    case = await desk.raised()
    await desk.answer(case, "10-09T09:45")
    return case


async def test_the_answer_starts_the_callback_clock(desk: Desk, answered: str) -> None:
    callback = (await desk.clocks(answered))["callback"]
    assert (callback["started_at"], callback["due_at"]) == ("2026-10-09T01:45:00Z", "2026-10-12T16:00:00Z")
    assert (callback["state"], callback["policy"]) == ("running", "own@1")
    assert "deadline_started" in [entry["kind"] for entry in await desk.timeline(answered)]
    await desk.answer(answered, "10-09T09:50")  # another answer starts nothing anew
    assert (await desk.clocks(answered))["callback"] == callback


async def test_a_callback_stops_it(desk: Desk, answered: str) -> None:
    desk.later(hours=5)
    states = []
    for hour in (10, 12, 14):
        body = {"at": f"2026-10-09T{hour}:00:00+08:00", "result": "unreachable", "failure_reason": "无人接听"}
        await made(desk.first.post(f"/appeals/{answered}/callbacks", json=body))
        states.append((await desk.clocks(answered))["callback"]["state"])
    assert states == ["running", "running", "met"]


async def test_closing_cancels_what_still_runs_and_silences_it(desk: Desk, answered: str) -> None:
    closed = await got(desk.first.post(f"/appeals/{answered}/close", json={}))
    assert {clock["milestone"]: clock["state"] for clock in closed["clocks"]} == {
        "contact": "met",
        "answer": "met",
        "callback": "cancelled",
    }
    (entry,) = (await desk.timeline(answered))[-1:]
    assert (entry["kind"], entry["data"]["cancelled"]) == ("closed", ["callback"])
    await desk.at("12-01T00:00")
    assert not await desk.told("deadline.warned.v1", "deadline.breached.v1", "deadline.escalated.v1")


async def test_closing_hides_no_breach_that_nobody_recorded_in_time(desk: Desk, answered: str) -> None:
    desk.clock.set(instant("10-13T00:00:01"))  # the callback was due at midnight, and nobody has looked since
    closed = await got(desk.first.post(f"/appeals/{answered}/close", json={}))
    assert closed["state"] == "closed"
    (entry,) = (await desk.timeline(answered))[-1:]
    assert (entry["kind"], entry["data"]["cancelled"]) == ("closed", [])
    await desk.stack.settle()
    (breach,) = await desk.told("deadline.breached.v1")
    assert (breach["milestone"], breach["due_at"]) == ("callback", "2026-10-12T16:00:00Z")
    assert (await desk.clocks(answered))["callback"]["state"] == "breached"
    await desk.at("12-01T00:00")
    assert not await desk.told("deadline.escalated.v1"), "what would come after the closing is not said"


async def test_a_clock_left_alone_is_breached(desk: Desk, answered: str) -> None:
    await desk.at("10-13T00:00")
    (breach,) = await desk.told("deadline.breached.v1")
    assert (breach["milestone"], breach["audience"]) == ("callback", ["owner", "unit_supervisors"])


async def test_the_rules_of_a_version_never_change(desk: Desk, answered: str) -> None:
    shown: dict[str, Any] = await got(desk.first.get("/policies/own"))
    changed = msgspec.structs.replace(parse_pack(PACK), title="another")
    async with desk.runtime.db.engine.begin() as connection:
        await connection.run_sync(repository.publish, changed, 1)
    assert await got(desk.first.get("/policies/own")) == shown
