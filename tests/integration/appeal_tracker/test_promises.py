"""What merged appeals have promised: whom the leader's clock tells then, and what becomes of a promise that is over."""

from typing import Any
from uuid import UUID

import pytest

from appeal_tracker.clocks import recalculation, repository
from chassis.ids import new_id
from tests.integration.appeal_tracker.desk import Desk, got, instant
from tests.integration.appeal_tracker.test_audit import look
from tests.integration.appeal_tracker.test_merging import due

CUSTOMER = new_id()
QUICK = [
    {"at": 0.75, "tell": ["owner", "unit_supervisors"]},
    {"at": "-4h", "tell": ["owner"]},
    {"at": "due", "tell": ["unit_supervisors", "owner", "parent_unit_supervisors"]},
    {"at": "+1wd", "tell": ["unit_supervisors", "parent_unit_supervisors"]},
    {"at": "+2wd", "tell": ["parent_unit_supervisors"]},
]


def pack(id: str, **limit: Any) -> dict[str, Any]:
    """A pack that answers a complaint within some time."""
    return {"id": id, "appeals": {"complaint": [{"milestone": "answer", "clause": "1", **limit}]}}


@pytest.fixture
async def quick(desk: Desk) -> None:
    """37402 answers in three working days, by a ladder of its own; 37401 goes by the floor."""
    await desk.publish(**pack("quick", within="3 working days", ladder=QUICK))
    await desk.assign("37402", "quick")


async def one(desk: Desk, unit: str, received: str = "10-09T10:00") -> str:
    return await desk.raised(unit_code=unit, received_at=instant(received), customer_id=CUSTOMER)


async def steps(desk: Desk, case: str, state: str = "pending", milestone: str = "answer") -> dict[str, str]:
    """The steps in some state of one clock of an appeal, and when they fire."""
    items = (await got(desk.supervisor.get(f"/appeals/{case}/deadlines")))["items"]
    (its,) = (each for each in items if each["milestone"] == milestone)
    return {timer["step"]: timer["fire_at"] for timer in its["timers"] if timer["state"] == state}


async def audiences(desk: Desk, milestone: str = "answer") -> set[tuple[str, str, tuple[str, ...]]]:
    """Who was told of what: the appeal, the step, the audience; what told nobody is left out."""
    kinds = ("deadline.warned.v1", "deadline.breached.v1", "deadline.escalated.v1")
    told = [each for each in await desk.told(*kinds) if each["audience"] and each["milestone"] == milestone]
    return {(each["subject_id"], each["step"], tuple(each["audience"])) for each in told}


@pytest.mark.parametrize("units", [("37401", "37402"), ("37402", "37401")])
async def test_the_leader_warns_by_its_own_ladder_and_by_the_promisers(
    desk: Desk, quick: None, units: tuple[str, str]
) -> None:
    leader, child = [await one(desk, unit) for unit in units]
    await desk.at("10-09T10:00")
    alone = {case: await steps(desk, case) for case in (leader, child)}
    await desk.act(child, "merge", into=leader)
    kept = await steps(desk, leader)
    assert kept == {
        "0.5": due("10-12T12:00"),  # of the floor's ladder: half of the three days that are kept
        "0.75": due("10-13T06:00"),
        "-1wd": due("10-13T00:00"),
        "-4h": due("10-13T20:00"),
        "due": due("10-14T00:00"),
        "+1wd": due("10-15T00:00"),
        "+2wd": due("10-16T00:00"),
    }
    assert {*await steps(desk, child, "held"), "due"} == alone[child].keys(), "its own, for when it is taken out"
    for day in (12, 13, 14, 15, 16, 17):
        await desk.at(f"10-{day}T13:00")
    told = await audiences(desk)
    assert {case for case, _, _ in told} == {leader}
    (breach,) = (audience for _, step, audience in told if step == "due")
    assert {*breach} == {"owner", "unit_supervisors", "parent_unit_supervisors"}
    assert await look(desk) == {}


async def test_taken_out_again_each_warns_by_its_own(desk: Desk, quick: None) -> None:
    leader, child = await one(desk, "37401"), await one(desk, "37402")
    await desk.at("10-09T10:00")
    alone = {case: await steps(desk, case) for case in (leader, child)}
    await desk.act(child, "merge", into=leader)
    await desk.act(child, "unmerge")
    assert {case: await steps(desk, case) for case in (leader, child)} == alone


@pytest.fixture
async def pair(desk: Desk) -> tuple[str, str]:
    """A leader whose contact only one who was reached stops, and a child that promised an earlier one, for whom one who
    refused was contacted as well; it is 10-09 15:00."""
    await desk.publish(id="strict", contact={"accepts": ["reached"], "attempts": 3, "hours_apart": 2})
    await desk.assign("37401", "strict")
    leader, child = await one(desk, "37401", "10-09T14:00"), await one(desk, "37402")
    desk.clock.set(instant("10-09T15:00"))
    await desk.act(child, "merge", into=leader)
    assert (await desk.clocks(leader))["contact"]["due_at"] == due("10-10T10:00")
    return leader, child


async def refuse(desk: Desk, case: str, at: str) -> None:
    await desk.contact(case, at, "refused", by=desk.supervisor)


async def test_a_promise_that_was_kept_binds_nobody_any_more(desk: Desk, pair: tuple[str, str]) -> None:
    leader, child = pair
    await refuse(desk, leader, "10-09T14:30")
    leading, its = [(await desk.clocks(case))["contact"] for case in pair]
    assert (its["state"], its["met_at"], its["due_at"]) == ("met", due("10-09T14:30"), due("10-10T10:00"))
    assert (leading["state"], leading["due_at"]) == ("running", due("10-10T14:00"))
    assert await steps(desk, leader, milestone="contact") == {
        "0.5": due("10-10T02:00"),
        "0.75": due("10-10T08:00"),
        "due": due("10-10T14:00"),
        "+2h": due("10-10T16:00"),
    }
    told = [(each["subject_id"], each["cause"], each["due_at"]) for each in await desk.told("deadline.recalculated.v1")]
    assert told[-1] == (leader, "correction", due("10-10T14:00"))
    assert await look(desk) == {}
    await desk.at("10-10T13:00")
    assert not await desk.told("deadline.breached.v1")
    await desk.act(child, "unmerge")
    assert (await desk.clocks(child))["contact"] == its, "its stop is its own"
    assert ((await desk.appeal(child))["state"], (await desk.appeal(leader))["state"]) == ("contacted", "open")


async def test_what_was_met_before_the_merge_binds_nobody(desk: Desk) -> None:
    child, leader = await one(desk, "37402"), await one(desk, "37401", "10-09T14:00")
    desk.clock.set(instant("10-09T15:00"))
    await refuse(desk, child, "10-09T14:30")
    met = (await desk.clocks(child))["contact"]
    await desk.act(child, "merge", into=leader)
    assert (await desk.clocks(leader))["contact"]["due_at"] == due("10-10T14:00")
    await desk.at("10-11T10:00")
    assert (await desk.clocks(leader))["contact"]["state"] == "breached"
    await desk.act(child, "unmerge")
    assert (await desk.clocks(child))["contact"] == met


@pytest.mark.parametrize("child_is_past", [True, False])
async def test_what_was_past_before_the_merge_binds_nobody(desk: Desk, child_is_past: bool) -> None:
    """Nobody has recorded its breach so far."""
    past = await one(desk, "37401")
    await desk.at("10-10T09:00")
    innocent = await one(desk, "37402", "10-10T09:00")
    desk.clock.set(instant("10-10T10:30"))
    child, leader = (past, innocent) if child_is_past else (innocent, past)
    await desk.act(child, "merge", into=leader)
    await desk.stack.settle()
    its = [(await desk.clocks(case))["contact"] for case in (past, innocent)]
    assert [(clock["state"], clock["due_at"]) for clock in its] == [
        ("breached", due("10-10T10:00")),
        ("running", due("10-11T09:00")),
    ]
    told = {(case, step) for case, step, _ in await audiences(desk, "contact")}
    assert (past, "due") in told
    assert (innocent, "due") not in told
    assert await look(desk) == {}


async def test_a_promise_that_was_broken_is_broken_for_all_that_kept_it(desk: Desk, pair: tuple[str, str]) -> None:
    """Whoever recorded it: nobody fired the leader's breach so far, and its own deadline is still to come."""
    leader, child = pair
    desk.clock.set(instant("10-10T13:00"))
    await refuse(desk, leader, "10-10T12:00")
    assert (await desk.clocks(child))["contact"]["state"] == "breached"
    async with desk.runtime.db.transaction() as tx:
        (clock,) = await repository.group(tx, [UUID((await desk.clocks(leader))["contact"]["id"])])
        assert not await recalculation.recalculate(tx, [clock], desk.clock.now())
        assert not await recalculation.astray(tx, [clock.id])
    assert (await desk.clocks(leader))["contact"]["due_at"] == due("10-10T10:00")
    await desk.stack.settle()
    assert (await desk.clocks(leader))["contact"]["state"] == "breached"
    await desk.act(child, "unmerge")
    assert [(await desk.clocks(case))["contact"]["state"] for case in pair] == ["breached"] * 2
    assert await look(desk) == {}
