"""Appeals of one customer are merged (主单, 子单): all keep the earliest promise, and people hear of it once."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from appeal_tracker.appeals import repository
from chassis.ids import new_id
from tests.integration.appeal_tracker.conftest import begin, keep
from tests.integration.appeal_tracker.desk import Desk, instant, made, problem, unit
from tests.integration.appeal_tracker.test_audit import look
from tests.support.stack import Stack

CUSTOMER = new_id()
LADDER_EVENTS = ("deadline.warned.v1", "deadline.breached.v1", "deadline.escalated.v1")


def due(local: str) -> str:
    """A deadline as it is answered."""
    return (instant(local) - timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%SZ")


async def raised(desk: Desk, received: str, **fields: Any) -> str:
    """A complaint of the same customer."""
    return await desk.raised(customer_id=fields.pop("customer_id", CUSTOMER), received_at=instant(received), **fields)


@pytest.fixture(scope="module")
async def heard(tracker_alone: Stack, administrator: asyncpg.Connection, founded: str) -> tuple[str, str]:
    """What `pair` is: it is heard of once."""
    desk = await begin(tracker_alone, administrator, founded)
    leader = await raised(desk, "10-09T09:30")
    await desk.at("10-12T11:00")
    pair = leader, await raised(desk, "10-12T10:00")
    await keep(administrator, "pair")
    return pair


@pytest.fixture
async def pair(desk: Desk, owner: asyncpg.Connection, heard: tuple[str, str]) -> tuple[str, str]:
    """Leader of 10-09 09:30, and one of 10-12 10:00 (Monday) to be merged into it; it is 10-12 11:00."""
    await begin(desk.stack, owner, "pair")
    desk.clock.set(instant("10-12T11:00"))
    return heard


@pytest.fixture
async def merged(desk: Desk, pair: tuple[str, str]) -> tuple[str, str]:
    """The same, merged."""
    leader, child = pair
    await desk.act(child, "merge", into=leader, note="同一事由")
    return pair


async def of_kind(desk: Desk, case: str, *kinds: str) -> list[dict[str, Any]]:
    return [entry for entry in await desk.timeline(case) if entry["kind"] in kinds]


async def test_the_earliest_promise_is_kept(desk: Desk, pair: tuple[str, str]) -> None:
    leader, child = pair
    own = (await desk.clocks(child))["answer"]
    assert own["due_at"] == due("10-22T00:00")
    appeal = await desk.act(child, "merge", into=leader)
    assert (appeal["state"], appeal["merged_into"]) == ("open", leader)
    leading, its = (await desk.clocks(leader))["answer"], (await desk.clocks(child))["answer"]
    assert its["due_at"] == leading["due_at"] == due("10-20T00:00")
    (told,) = await desk.told("deadline.recalculated.v1")
    assert (told["cause"], told["subject_id"], told["clock_id"]) == ("merge", child, own["id"])
    assert (told["old_due_at"], told["due_at"]) == (own["due_at"], its["due_at"])
    (entry,) = await of_kind(desk, child, "deadline_recalculated")
    assert (entry["data"]["cause"], entry["actor"]) == ("merge", "E001")


async def test_the_leader_keeps_the_promise_of_what_was_merged_into_it(desk: Desk, pair: tuple[str, str]) -> None:
    earlier, later = pair
    await desk.act(earlier, "merge", into=later)
    assert (await desk.clocks(later))["answer"]["due_at"] == due("10-20T00:00")
    (told,) = await desk.told("deadline.recalculated.v1")
    assert (told["subject_id"], told["due_at"]) == (later, due("10-20T00:00"))
    await desk.act(earlier, "unmerge")
    assert (await desk.clocks(later))["answer"]["due_at"] == due("10-22T00:00")
    assert (await desk.clocks(earlier))["answer"]["due_at"] == due("10-20T00:00")


async def test_both_are_told_of_and_stand_in_both_timelines(desk: Desk, merged: tuple[str, str]) -> None:
    leader, child = merged
    await desk.act(child, "unmerge", note="并非同一事由")
    in_the_child = await of_kind(desk, child, "merged", "unmerged")
    in_the_leader = await of_kind(desk, leader, "joined", "left")
    assert [(entry["kind"], entry["actor"]) for entry in in_the_child] == [("merged", "E001"), ("unmerged", "E001")]
    assert [entry["kind"] for entry in in_the_leader] == ["joined", "left"]
    assert in_the_child[0]["data"] == {"into": leader, "note": "同一事由"}
    assert in_the_leader[1]["data"] == {"appeal_id": child, "note": "并非同一事由"}
    merging, unmerging = await desk.told("appeal.merged.v1", "appeal.unmerged.v1")
    assert (merging["appeal_id"], merging["into"]) == (unmerging["appeal_id"], unmerging["out_of"]) == (child, leader)


async def test_what_is_done_about_the_leader_is_done_about_all(desk: Desk, merged: tuple[str, str]) -> None:
    leader, child = merged
    await desk.at("10-12T15:00")
    await desk.contact(leader, "10-12T14:00")
    await desk.answer(leader, "10-12T14:30")
    appeal, its = await desk.appeal(child), await desk.clocks(child)
    assert appeal["state"] == "answered"
    assert {clock["met_at"] for clock in its.values()} == {due("10-12T14:00"), due("10-12T14:30")}
    met = [(event["subject_id"], event["milestone"], event["at"]) for event in await desk.told("deadline.met.v1")]
    assert (child, "contact", due("10-12T14:00")) in met
    assert {(case, "answer", due("10-12T14:30")) for case in (leader, child)} <= {*met}
    answered = [event["appeal_id"] for event in await desk.told("appeal.answered.v1")]
    assert answered == [leader, child]
    body = {"at": instant("10-12T14:50").isoformat(), "result": "completed"}
    await made(desk.first.post(f"/appeals/{leader}/callbacks", json=body))
    assert (await desk.appeal(child))["state"] == "called_back"


async def test_what_came_before_it_was_raised_is_not_about_it(desk: Desk, merged: tuple[str, str]) -> None:
    leader, child = merged
    await desk.answer(leader, "10-12T09:00")  # recorded late: the other complaint came an hour later
    assert (await desk.appeal(leader))["state"] == "answered"
    assert (await desk.appeal(child))["state"] == "open"
    its = (await desk.clocks(child))["answer"]
    assert (its["state"], its["due_at"]) == ("running", due("10-22T00:00"))  # nobody else keeps it any more
    timers = await desk.rows("SELECT * FROM timers WHERE clock_id = $1", UUID(its["id"]))
    assert {row["state"] for row in timers} == {"pending"}


async def test_a_breach_is_recorded_for_each_and_people_are_told_once(desk: Desk, merged: tuple[str, str]) -> None:
    leader, child = merged
    await desk.at("10-20T00:00")
    breaches = {
        event["subject_id"]: event["audience"]
        for event in await desk.told("deadline.breached.v1")
        if event["milestone"] == "answer"
    }
    assert breaches == {leader: ["owner", "unit_supervisors"], child: []}
    assert (await desk.clocks(child))["answer"]["state"] == "breached"
    await desk.at("10-31T00:00")
    of_the_child = [event for event in await desk.told(*LADDER_EVENTS) if event["subject_id"] == child]
    assert {event["step"] for event in of_the_child if event["milestone"] == "answer"} == {"due"}
    escalated = [event["subject_id"] for event in await desk.told("deadline.escalated.v1") if event["step"] == "+1wd"]
    assert escalated == [leader]


async def test_a_milestone_that_the_leader_does_not_wait_for_goes_on_by_itself(desk: Desk) -> None:
    leader = await raised(desk, "10-09T09:30", appeal_type="consultation")  # which has no contact to make in 24 hours
    child = await raised(desk, "10-09T09:40")
    before = (await desk.clocks(child))["contact"]
    await desk.act(child, "merge", into=leader)
    assert (await desk.clocks(child))["contact"] == before
    await desk.at("10-10T09:40")
    (breach,) = await desk.told("deadline.breached.v1")
    assert (breach["subject_id"], breach["milestone"]) == (child, "contact")
    assert breach["audience"] == ["owner", "unit_supervisors"]


async def test_it_closes_with_its_leader(desk: Desk, merged: tuple[str, str]) -> None:
    leader, child = merged
    await desk.answer(leader, "10-12T11:00")
    await desk.act(leader, "close")
    appeal = await desk.appeal(child)
    assert (appeal["state"], appeal["outcome"], appeal["merged_into"]) == ("closed", "merged", leader)
    closed = [(event["appeal_id"], event["outcome"]) for event in await desk.told("appeal.closed.v1")]
    assert closed == [(leader, "resolved"), (child, "merged")]
    assert not await desk.rows("SELECT * FROM timers WHERE state IN ('pending', 'held')")


async def test_the_leader_cannot_close_over_one_that_was_not_answered(desk: Desk, pair: tuple[str, str]) -> None:
    leader, child = pair
    await desk.answer(leader, "10-12T09:00")
    await desk.act(child, "merge", into=leader)
    found = problem(await desk.acting(leader, "close"), 409, "appeal-incomplete")
    number = (await desk.appeal(child))["appeal_no"]
    assert found["missing"] == [{"what": "answer", "clause": "7.2.3", "appeal_id": child, "appeal_no": number}]
    await desk.answer(leader, "10-12T11:00")  # again, for that one too
    await desk.act(leader, "close")
    assert (await desk.appeal(child))["outcome"] == "merged"


ACTS: dict[str, dict[str, Any]] = {
    "contacts": {"at": "10-12T10:30", "channel": "phone", "result": "reached"},
    "answers": {"at": "10-12T10:30", "content": "已答复"},
    "callbacks": {"at": "10-12T10:30", "result": "completed"},
    "hold": {"reason": "等待"},
    "resume": {},
    "close": {},
}


@pytest.mark.parametrize("act", ACTS)
async def test_what_would_be_done_about_it_alone_is_refused(desk: Desk, merged: tuple[str, str], act: str) -> None:
    leader, child = merged
    before = (await desk.appeal(child), await desk.timeline(child))
    found = problem(await desk.acting(child, act, **ACTS[act]), 409, "appeal-merged")
    assert (found["rule"], found["into"]) == ("merged", leader)
    assert (await desk.appeal(child), await desk.timeline(child)) == before


async def test_who_handles_it_can_still_be_said(desk: Desk, merged: tuple[str, str]) -> None:
    leader, child = merged
    await desk.act(child, "accept")
    await desk.act(child, "dispatch", handler="E102")
    await desk.act(child, "transfer", handler="E103", reason="轮岗")
    assert (await desk.appeal(child))["handler"] == "E103"
    assert (await desk.appeal(leader))["handler"] is None


async def test_unmerged_it_goes_on_by_itself(desk: Desk, merged: tuple[str, str]) -> None:
    child = merged[1]
    await desk.at("10-14T13:00")  # past the half of the leader's way
    await desk.act(child, "unmerge")
    its = (await desk.clocks(child))["answer"]
    assert (its["state"], its["due_at"]) == ("running", due("10-22T00:00"))
    recalculated = [event for event in await desk.told("deadline.recalculated.v1") if event["subject_id"] == child]
    assert [(event["cause"], event["due_at"]) for event in recalculated] == [
        ("merge", due("10-20T00:00")),
        ("unmerge", due("10-22T00:00")),
    ]
    for day in range(15, 27):
        await desk.at(f"10-{day}T12:00")
    told = [event for event in await desk.told(*LADDER_EVENTS) if event["clock_id"] == its["id"]]
    assert [event["step"] for event in told] == ["0.5", "0.75", "-1wd", "due", "+1wd"]
    assert all(event["audience"] for event in told)
    assert (await desk.appeal(child))["merged_into"] is None
    await desk.answer(child, "10-26T12:00")


async def test_unmerged_after_a_breach_it_goes_up_its_own_ladder(desk: Desk, merged: tuple[str, str]) -> None:
    child = merged[1]
    await desk.at("10-20T01:00")
    before = (await desk.clocks(child))["answer"]
    await desk.act(child, "unmerge")
    its = (await desk.clocks(child))["answer"]
    assert (its["state"], its["breached_at"], its["due_at"]) == ("breached", before["breached_at"], due("10-20T00:00"))
    await desk.at("10-21T00:00")
    escalated = [event for event in await desk.told("deadline.escalated.v1") if event["clock_id"] == its["id"]]
    assert [(event["step"], event["late"]) for event in escalated] == [("+1wd", False)]
    warned = [event for event in await desk.told("deadline.warned.v1") if event["clock_id"] == its["id"]]
    assert not warned


async def test_a_group_stands_still_together(desk: Desk) -> None:
    pack = [{"milestone": "answer", "within": "10 working days", "clause": "企标 2", "holdable": True}]
    await desk.publish(id="own", appeals={"report": pack})
    await desk.assign("37401", "own")
    leader = await raised(desk, "10-09T09:30", appeal_type="report")
    await desk.at("10-12T11:00")
    child = await raised(desk, "10-12T10:00", appeal_type="report")
    await desk.act(child, "merge", into=leader)
    await desk.at("10-12T17:00")
    await desk.act(leader, "hold", reason="等待")
    assert (await desk.appeal(child))["state"] == "held"
    await desk.at("10-30T00:00")
    assert not await desk.told("deadline.breached.v1")
    await desk.act(leader, "resume", at="10-15T00:00")  # 10-13 and 10-14 were held
    for case in (leader, child):
        appeal = await desk.appeal(case)
        assert (appeal["state"], appeal["clocks"][0]["due_at"]) == ("open", due("10-27T00:00"))


async def test_unmerged_while_held_it_stays_held_and_is_resumed_by_itself(desk: Desk) -> None:
    pack = [{"milestone": "answer", "within": "10 working days", "clause": "企标 2", "holdable": True}]
    await desk.publish(id="own", appeals={"report": pack})
    await desk.assign("37401", "own")
    leader, child = [await raised(desk, "10-09T09:30", appeal_type="report") for _ in range(2)]
    await desk.act(child, "merge", into=leader)
    await desk.act(leader, "hold", reason="等待")
    await desk.act(child, "unmerge")
    assert (await desk.act(leader, "resume"))["state"] == "open"
    assert (await desk.appeal(child))["state"] == "held"
    assert (await desk.act(child, "resume"))["state"] == "open"
    assert (await desk.clocks(child))["answer"]["state"] == "running"


async def test_what_is_past_already_does_not_stand_still_with_the_others(desk: Desk) -> None:
    limits = {"answer": "10 working days", "callback": "2 working days"}
    pack = [{"milestone": name, "within": its, "clause": "企标 2", "holdable": True} for name, its in limits.items()]
    await desk.publish(id="own", appeals={"report": pack})
    await desk.assign("37401", "own")
    leader, child = [await raised(desk, "10-09T09:30", appeal_type="report") for _ in range(2)]
    await desk.answer(child, "10-09T09:40")
    desk.clock.set(instant("10-13T00:00:01"))  # the callback was due at midnight, and the loop is down
    await desk.act(child, "merge", into=leader)
    await desk.act(leader, "hold", reason="等待")
    assert (await desk.clocks(leader))["answer"]["state"] == "held"
    assert (await desk.clocks(child))["callback"]["state"] == "running"
    await desk.stack.settle()
    (breach,) = await desk.told("deadline.breached.v1")
    assert (breach["subject_id"], breach["milestone"], bool(breach["audience"])) == (child, "callback", True)


async def test_what_one_policy_lets_wait_and_another_does_not(desk: Desk) -> None:
    await desk.publish(
        id="own",
        appeals={
            "report": [{"milestone": "answer", "within": "10 working days", "clause": "企标 2", "holdable": True}]
        },
    )
    await desk.assign("37401", "own")
    leader = await raised(desk, "10-09T09:30", appeal_type="report")
    child = await raised(desk, "10-09T09:35")  # a complaint, which waits for nothing
    await desk.act(child, "merge", into=leader)
    found = problem(await desk.acting(leader, "hold", reason="等待"), 422, "not-holdable")
    assert (found["clause"], found["appeal_no"]) == ("7.2.3", (await desk.appeal(child))["appeal_no"])
    assert (await desk.appeal(leader))["state"] == "open"


async def test_whose_appeals_are_merged(desk: Desk) -> None:
    one = await raised(desk, "10-09T09:30")
    other = await raised(desk, "10-09T09:30", customer_id=new_id())
    nobodys = await raised(desk, "10-09T09:30", customer_id=None)
    secret = await raised(desk, "10-09T09:30", customer_id=None, visit_id=None, confidential=True)
    for into, slug in ((one, "merged-into-itself"), (other, "another-customer"), (nobodys, "another-customer")):
        problem(await desk.acting(one, "merge", into=into), 409, slug)
    problem(await desk.acting(nobodys, "merge", into=one), 409, "another-customer")
    nameless = await raised(desk, "10-09T09:30", anonymous=True)
    for hidden in (secret, nameless):
        problem(await desk.acting(hidden, "merge", into=one), 409, "confidential-not-merged")
    problem(await desk.acting(one, "merge", into=secret), 409, "confidential-not-merged")
    problem(await desk.acting(one, "merge", into=str(new_id())), 422, "unknown-appeal")
    await desk.hear(unit("375"))
    theirs = await raised(desk, "10-09T09:30", unit_code="375")
    problem(await desk.acting(one, "merge", into=theirs), 422, "unknown-appeal")
    problem(await desk.acting(theirs, "merge", into=one), 404, "appeal-not-found")
    problem(await desk.acting(one, "unmerge"), 409, "appeal-not-merged")


async def test_no_chains_no_circles(desk: Desk, merged: tuple[str, str]) -> None:
    leader, child = merged
    third = await raised(desk, "10-12T10:00")
    problem(await desk.acting(leader, "merge", into=third), 409, "leads-others")
    problem(await desk.acting(leader, "merge", into=child), 409, "leader-not-open")
    problem(await desk.acting(child, "merge", into=third), 409, "appeal-merged")
    problem(await desk.acting(third, "merge", into=child), 409, "leader-not-open")
    await desk.act(third, "merge", into=leader)
    await desk.answer(leader, "10-12T10:30")
    await desk.act(leader, "close")
    fourth = await raised(desk, "10-12T10:00")
    assert problem(await desk.acting(fourth, "merge", into=leader), 409, "leader-not-open")["state"] == "closed"
    problem(await desk.acting(child, "unmerge"), 409, "appeal-closed")


async def test_two_that_are_merged_into_each_other_at_once_make_no_circle(desk: Desk) -> None:
    for _ in range(8):
        pair = [await raised(desk, "10-09T09:30") for _ in range(2)]
        answers = await asyncio.wait_for(
            asyncio.gather(*(desk.acting(a, "merge", into=b) for a, b in (pair, pair[::-1]))), 10
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        into = [(await desk.appeal(case))["merged_into"] for case in pair]
        assert into in ([pair[1], None], [None, pair[0]])


async def test_acts_on_both_and_merging_at_once_wait_for_nobody_for_ever(desk: Desk) -> None:
    cases = [await raised(desk, "10-09T09:30") for _ in range(4)]

    async def worry(case: str, other: str) -> list[httpx.Response]:
        return [
            await desk.acting(case, "merge", into=other),
            await desk.acting(case, "dispatch", handler="E102"),
            await desk.acting(case, "contacts", at="10-09T09:45", channel="phone", result="reached"),
            await desk.acting(case, "unmerge"),
            await desk.acting(case, "accept"),
        ]

    pairs = [(a, b) for a in cases for b in cases if a != b]
    answers = await asyncio.wait_for(asyncio.gather(*(worry(*pair) for pair in pairs)), 60)
    assert {answer.status_code for each in answers for answer in each} <= {200, 201, 409}
    await desk.stack.settle()
    into = {case: (await desk.appeal(case))["merged_into"] for case in cases}
    assert all(into[leader] is None for leader in into.values() if leader is not None)


async def broken_for_both(desk: Desk, leader: str, child: str) -> None:
    """Each is breached as they had promised together, people heard of it once, and each goes up its own ladder."""
    kept = {case: (await desk.clocks(case))["answer"] for case in (leader, child)}
    assert {(clock["state"], clock["due_at"]) for clock in kept.values()} == {("breached", due("10-20T00:00"))}
    await desk.at("10-22T00:00")
    told = [each for each in await desk.told("deadline.breached.v1") if each["milestone"] == "answer"]
    assert sorted((each["subject_id"], bool(each["audience"])) for each in told) == sorted(
        [(leader, True), (child, False)]
    )
    up = [each["subject_id"] for each in await desk.told("deadline.escalated.v1") if each["milestone"] == "answer"]
    assert sorted(up) == sorted([leader, child])
    assert {(await desk.clocks(case))["answer"]["breached_at"] for case in (leader, child)} == {
        clock["breached_at"] for clock in kept.values()
    }
    assert await look(desk) == {}


@pytest.mark.parametrize("first", ["leader", "child"])
async def test_taken_out_when_the_promise_was_broken_for_one_it_is_for_both(
    desk: Desk, merged: tuple[str, str], first: str
) -> None:
    """Whoever records breaches leaves alone what somebody acts upon just then."""
    leader, child = merged
    async with desk.runtime.db.transaction() as tx:
        await repository.lock(tx, UUID(child if first == "leader" else leader))
        desk.clock.set(instant("10-20T00:00"))
        while await desk.escalation.run_once():
            pass
    states = {case: (await desk.clocks(case))["answer"]["state"] for case in merged}
    assert sorted(states.values()) == ["breached", "running"]
    await desk.act(child, "unmerge")
    await broken_for_both(desk, leader, child)


async def test_taken_out_when_the_promise_is_past_and_nobody_has_recorded_it_it_is_broken_for_both(
    desk: Desk, merged: tuple[str, str]
) -> None:
    leader, child = merged
    desk.clock.set(instant("10-20T10:00"))
    await desk.act(child, "unmerge")
    await broken_for_both(desk, leader, child)
