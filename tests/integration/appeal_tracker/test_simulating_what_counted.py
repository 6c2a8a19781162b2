"""What counted, named as the candidate, changes nothing: each clock brings the rules it ran by, and its promiser's."""

from datetime import timedelta
from typing import Any

from chassis.ids import new_id
from tests.integration.appeal_tracker.desk import Desk, got, instant
from tests.integration.appeal_tracker.test_recalculations import publish, recalculate
from tests.integration.appeal_tracker.test_simulations import answer_from_above, differing, simulated, stop_work

PERIOD = {"from": "2026-10-09", "to": "2026-10-09"}
STATUTORY = {**PERIOD, "calendar": "cn-statutory@1"}
FLOOR = {**PERIOD, "policy": "t-sdpea@1"}
SLOW = {"milestone": "answer", "clause": "1", "within": "7 working days", "holdable": True}
QUICK = {**SLOW, "within": "5 working days"}


async def pair(desk: Desk, **fields: Any) -> tuple[str, str]:
    """An appeal of 37401 that was merged into one of 37402 by the same customer."""
    customer = new_id()
    child = await desk.raised(customer_id=customer, appeal_no="V1", **fields)
    leader = await desk.raised(customer_id=customer, appeal_no="V2", unit_code="37402", **fields)
    await desk.act(child, "merge", into=leader)
    return child, leader


async def changed(desk: Desk, candidate: dict[str, Any]) -> list[tuple[str, int, str, str]]:
    found = await differing(desk, (await simulated(desk, candidate))["id"])
    return [(each["appeal_no"], each["round"], each["did"], each["would"]) for each in found]


async def test_a_merged_appeal_keeps_the_promise_that_another_made_by_its_own_rules(desk: Desk) -> None:
    await desk.assign("37401", "state-grid")
    child, leader = await pair(desk)
    due = {(await desk.clocks(each))["answer"]["due_at"] for each in (child, leader)}
    assert due == {"2026-10-15T16:00:00Z"}, "the promise of the child, in 5 working days"
    await desk.at("10-16T12:00")
    await answer_from_above(desk, leader, "10-16T10:00")
    assert (await desk.clocks(leader))["answer"]["state"] == "breached"
    desk.later(days=20)
    assert await changed(desk, STATUTORY) == []
    by_seven = await changed(desk, FLOOR)
    assert by_seven == [("V1", 1, "breached", "kept"), ("V2", 1, "breached", "kept")], "it names both policies"


async def test_a_promise_waited_for_what_its_own_appeal_waited_for(desk: Desk) -> None:
    for code, limit in (("37401", QUICK), ("37402", SLOW)):
        await desk.publish(id=f"own-{code}", appeals={"report": [limit]})
        await desk.assign(code, f"own-{code}")
    _, leader = await pair(desk, appeal_type="report")
    await desk.at("10-12T09:00")
    await desk.act(leader, "hold", reason="等待材料")
    await desk.at("10-20T09:00")
    await desk.act(leader, "resume")
    due = (await desk.clocks(leader))["answer"]["due_at"]
    assert due == "2026-10-22T16:00:00Z"
    await desk.at("10-22T23:00")
    await answer_from_above(desk, leader, "10-22T20:00")
    desk.later(days=10)
    assert await changed(desk, STATUTORY) == []


async def test_what_was_answered_while_it_stood_still_was_in_time_and_what_ran_again_by_then_was_not(
    desk: Desk,
) -> None:
    await desk.publish(id="own", appeals={"report": [QUICK]})
    await desk.assign("37401", "own")
    still = await desk.raised(appeal_type="report", appeal_no="V1")
    again = await desk.raised(appeal_type="report", appeal_no="V2")
    await desk.at("10-15T17:00")
    for case in (still, again):
        await desk.act(case, "hold", reason="等待材料")
    await desk.at("10-16T10:00")
    await desk.act(again, "resume")  # past, for no whole day was held
    for case in (still, again):
        await desk.answer(case, "10-16T10:00")
    assert [(await desk.clocks(each))["answer"]["state"] for each in (still, again)] == ["met", "breached"]
    assert await changed(desk, STATUTORY) == []


async def test_rounds_are_judged_each_by_the_calendar_on_which_it_was_counted(desk: Desk) -> None:
    case = await desk.raised(appeal_type="consultation", appeal_no="V1")
    await desk.at("10-20T12:00")
    clock = (await desk.clocks(case))["answer"]
    assert (clock["state"], clock["due_at"]) == ("breached", "2026-10-19T16:00:00Z")
    await desk.answer(case, "10-20T10:00")
    await got(desk.first.post(f"/appeals/{case}/close", json={}))
    await desk.act(case, "reopen", reason="客户仍有异议")
    await publish(desk, "cn-statutory", await stop_work(desk, "2026-10-19", "2026-10-21"))
    assert (await desk.clocks(case))["answer"]["calendar"] == "cn-statutory@2"
    desk.later(hours=1)
    await desk.answer(case, "10-20T12:30")
    assert await changed(desk, FLOOR) == []
    newer = await changed(desk, {**PERIOD, "calendar": "cn-statutory@2"})
    assert newer == [("V1", 1, "breached", "kept")]


async def test_rounds_are_judged_each_by_the_policy_that_timed_it(desk: Desk) -> None:
    case = await desk.raised(appeal_no="V1")
    await desk.at("10-19T12:00")
    await desk.answer(case, "10-19T10:00")  # in 7 working days, and not in 5
    await got(desk.first.post(f"/appeals/{case}/close", json={}))
    await desk.act(case, "reopen", reason="客户仍有异议")
    await desk.assign("37401", "state-grid")
    await recalculate(desk, cause="policy_version", policy="t-sdpea", to="state-grid")
    assert (await desk.clocks(case))["answer"]["policy"] == "state-grid@1"
    desk.later(days=1)
    assert await changed(desk, STATUTORY) == []
    assert await changed(desk, {**PERIOD, "policy": "state-grid@1"}) == [("V1", 1, "kept", "breached")]


async def test_what_goes_on_after_a_reopening_was_held_by_the_holds_of_before(desk: Desk) -> None:
    await desk.publish(id="own", appeals={"report": [QUICK]}, reopen="continue", reopen_for=["report"])
    await desk.assign("37401", "own")
    case = await desk.raised(appeal_no="V1", appeal_type="report")
    await desk.at("10-12T09:00")
    await desk.act(case, "hold", reason="等待材料")
    await desk.at("10-14T09:00")
    await desk.act(case, "resume")
    await desk.answer(case, "10-14T09:00")
    await got(desk.first.post(f"/appeals/{case}/close", json={}))
    await desk.at("10-15T09:00")
    await desk.act(case, "reopen", reason="客户仍有异议")
    assert (await desk.clocks(case))["answer"]["due_at"] == "2026-10-19T16:00:00Z"
    await desk.at("10-16T23:00")
    await desk.answer(case, "10-16T22:00")
    desk.later(days=10)
    assert await changed(desk, STATUTORY) == []


async def test_what_was_given_up_before_it_was_due_is_none_that_would_have_been_breached(desk: Desk) -> None:
    """An appeal that the customer takes back has ended when they said so; what another policy does not time any more
    has ended when that counted."""
    await desk.publish(id="own", appeals={"report": [QUICK]})
    await desk.assign("37401", "own")
    report = await desk.raised(appeal_type="report", appeal_no="V1")
    back = await desk.raised(appeal_no="V2")
    await recalculate(desk, cause="policy_version", policy="own", to="t-sdpea")
    assert (await desk.clocks(report))["answer"]["state"] == "cancelled"
    desk.clock.set(instant("10-20T09:00"))  # and nobody has recorded that it was past by then
    await desk.act(back, "withdraw", at="10-14T09:00", channel="phone")
    desk.later(days=10)
    assert await changed(desk, STATUTORY) == []
    assert await changed(desk, {**PERIOD, "policy": "own@1"}) == [("V1", 1, "undecided", "breached")]


async def test_what_had_no_clock_would_have_had_one_by_another_policy_alone(desk: Desk) -> None:
    """A policy that counts later times more than the one that counted when a round ended."""
    case = await desk.raised(appeal_no="V1")
    await desk.at("10-10T09:00")
    await desk.answer(case, "10-10T09:00")
    await desk.at("10-16T09:00")
    await got(desk.first.post(f"/appeals/{case}/close", json={}))
    await desk.act(case, "reopen", reason="客户仍有异议")
    callback = {"milestone": "callback", "within": "2 working days", "clause": "1", "starts": "answered"}
    await desk.publish(id="own", appeals={"complaint": [callback]})
    await recalculate(desk, cause="policy_version", policy="t-sdpea", to="own")
    desk.clock.advance(timedelta(days=5))
    assert await changed(desk, STATUTORY) == []
    assert await changed(desk, {**PERIOD, "policy": "own"}) == [("V1", 1, "none", "breached")]
