"""A closed appeal is reopened: in a new round, restarted or continued, as its policy says; earlier rounds stay."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from appeal_tracker.escalation.worker import Escalation
from chassis.ids import new_id
from tests.integration.appeal_tracker.desk import Desk, got, instant, made, problem, unit

LADDER = [
    {"at": 0.5, "tell": ["owner"]},
    {"at": 0.75, "tell": ["owner", "unit_supervisors"]},
    {"at": "due", "tell": ["owner", "unit_supervisors"]},
    {"at": "+1wd", "tell": ["unit_supervisors"]},
]
REPORT = [
    {"milestone": "contact", "within": "24 hours", "clause": "企标 1"},
    {"milestone": "answer", "within": "10 working days", "clause": "企标 2", "ladder": LADDER, "holdable": True},
    {"milestone": "survey", "within": "20 working days", "clause": "企标 3", "starts": "contacted"},
    {"milestone": "callback", "within": "2 working days", "clause": "企标 4"},
]
LADDER_EVENTS = ("deadline.warned.v1", "deadline.breached.v1", "deadline.escalated.v1")


def due(local: str) -> str:
    """A deadline as it is answered."""
    return (instant(local) - timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%SZ")


async def closed(desk: Desk, mode: str, answered: str = "10-14T10:00", close: str = "10-15T09:00") -> str:
    """A report of Friday 10-09 09:30, due on 10-22, contacted, answered and closed under a pack that reopens so."""
    await desk.publish(id="own", reopen=mode, reopen_for=["report"], appeals={"report": REPORT})
    await desk.assign("37401", "own")
    case = await desk.raised(appeal_type="report")
    await desk.contact(case, "10-09T09:50")
    await desk.at(answered)
    await desk.answer(case, answered)
    await desk.at(close)
    await desk.act(case, "close")
    return case


async def of_round(desk: Desk, case: str, round: int) -> dict[str, dict[str, Any]]:
    return {clock["milestone"]: clock for clock in (await desk.appeal(case))["clocks"] if clock["round"] == round}


async def reopened(desk: Desk, case: str, at: str = "10-20T10:00") -> dict[str, Any]:
    await desk.at(at)
    return await desk.act(case, "reopen", desk.first, reason="客户再次反映")


async def test_a_new_round_begins_with_everything(desk: Desk) -> None:
    """Bug class: reopen."""
    case = await closed(desk, "new_round")
    appeal = await reopened(desk, case)
    assert (appeal["state"], appeal["round"], appeal["reopened_at"]) == ("open", 2, due("10-20T10:00"))
    assert (appeal["outcome"], appeal["closed_at"], appeal["policy"]) == (None, None, "own@1")
    its = await of_round(desk, case, 2)
    assert {name: (clock["state"], clock["due_at"]) for name, clock in its.items()} == {
        "contact": ("running", due("10-21T10:00")),
        "answer": ("running", due("11-04T00:00")),
    }
    desk.later(hours=2)
    await desk.contact(case, "10-20T11:00")
    assert (await of_round(desk, case, 2))["survey"]["started_at"] == due("10-20T11:00")
    await desk.answer(case, "10-20T11:30")
    assert {clock["state"] for clock in (await of_round(desk, case, 2)).values()} == {"met", "running"}
    assert (await desk.act(case, "close"))["outcome"] == "resolved"


async def test_the_default_is_a_new_round(desk: Desk) -> None:
    case = await desk.raised()
    await desk.answer(case, "10-09T09:50")
    await desk.act(case, "close")
    await desk.act(case, "reopen", reason="客户再次反映")
    its = await of_round(desk, case, 2)
    assert {name: clock["started_at"] for name, clock in its.items()} == dict.fromkeys(
        ("contact", "answer"), due("10-09T10:00")
    )


async def test_restarted_the_answer_has_its_whole_period_and_nobody_is_contacted_again(desk: Desk) -> None:
    """Bug class: reopen."""
    case = await closed(desk, "restart")
    assert (await reopened(desk, case))["state"] == "contacted"
    its = await of_round(desk, case, 2)
    assert {name: (clock["started_at"], clock["due_at"]) for name, clock in its.items()} == {
        "answer": (due("10-20T10:00"), due("11-04T00:00")),
        "survey": (due("10-20T10:00"), due("11-18T00:00")),
    }
    await desk.at("10-21T10:00")
    await desk.answer(case, "10-21T09:00")
    assert (await of_round(desk, case, 2))["callback"]["started_at"] == due("10-21T09:00")


async def test_continued_the_answer_has_what_was_left(desk: Desk) -> None:
    """Bug class: reopen."""
    case = await closed(desk, "continue")
    assert (await reopened(desk, case))["state"] == "contacted"
    its = await of_round(desk, case, 2)
    assert {*its} == {"answer", "survey"}
    # Answered on 10-14, reopened on 10-20: the working days 15, 16 and 19 lay wholly between.
    assert (its["answer"]["started_at"], its["answer"]["due_at"]) == (due("10-09T09:30"), due("10-28T00:00"))
    # The survey ran until the appeal was closed on 10-15: 16 and 19 lay between.
    assert (its["survey"]["started_at"], its["survey"]["due_at"]) == (due("10-09T09:50"), due("11-10T00:00"))
    holds = await desk.rows("SELECT * FROM holds ORDER BY since")
    assert [(hold["reason"], hold["milestones"], hold["since"]) for hold in holds] == [
        ("closed", ["answer"], instant("10-14T10:00")),
        ("closed", ["survey"], instant("10-15T09:00")),
    ]


async def test_continued_hours_are_hours(desk: Desk) -> None:
    hours = [{"milestone": "answer", "within": "48 hours", "clause": "企标 5"}]
    await desk.publish(id="own", reopen="continue", reopen_for=["opinion"], appeals={"opinion": hours})
    await desk.assign("37401", "own")
    case = await desk.raised(appeal_type="opinion")
    await desk.at("10-10T09:30")
    await desk.answer(case, "10-10T09:30")
    await desk.act(case, "close")
    await reopened(desk, case)
    assert (await of_round(desk, case, 2))["answer"]["due_at"] == due("10-21T10:00")


async def test_continued_what_was_told_is_not_told_again(desk: Desk) -> None:
    case = await closed(desk, "continue", answered="10-16T10:00", close="10-16T11:00")
    told = [event["step"] for event in await desk.told(*LADDER_EVENTS) if event["milestone"] == "answer"]
    assert told == ["0.5"]
    await reopened(desk, case)
    answer = (await of_round(desk, case, 2))["answer"]
    for day in range(21, 32):
        await desk.at(f"10-{day}T23:59")
    again = [event for event in await desk.told(*LADDER_EVENTS) if event["clock_id"] == answer["id"]]
    assert [(event["step"], event["round"]) for event in again] == [("0.75", 2), ("due", 2), ("+1wd", 2)]


async def test_continued_with_the_holds_of_the_round_before(desk: Desk) -> None:
    await desk.publish(id="own", reopen="continue", reopen_for=["report"], appeals={"report": REPORT})
    await desk.assign("37401", "own")
    case = await desk.raised(appeal_type="report")
    await desk.contact(case, "10-09T09:50")
    await desk.act(case, "hold", reason="等待")
    await desk.at("10-13T00:00")
    await desk.act(case, "resume")  # 10-10 and 10-12 were held: due on 10-26
    await desk.at("10-14T10:00")
    await desk.answer(case, "10-14T10:00")
    await desk.act(case, "close")
    await reopened(desk, case)
    assert (await of_round(desk, case, 2))["answer"]["due_at"] == due("10-30T00:00")


async def test_continued_a_breach_stays_and_goes_up_the_rest_of_its_ladder(desk: Desk) -> None:
    case = await closed(desk, "continue", answered="10-23T10:00", close="10-23T11:00")
    before = (await of_round(desk, case, 1))["answer"]
    assert before["state"] == "breached"
    await reopened(desk, case, "10-27T10:00")
    answer = (await of_round(desk, case, 2))["answer"]
    assert (answer["state"], answer["breached_at"], answer["due_at"]) == (
        "breached",
        before["breached_at"],
        before["due_at"],
    )
    await desk.stack.settle()
    again = [event for event in await desk.told(*LADDER_EVENTS) if event["clock_id"] == answer["id"]]
    assert [(event["step"], event["late"]) for event in again] == [("+1wd", True)]
    await desk.answer(case, "10-27T10:00")
    answer = (await of_round(desk, case, 2))["answer"]
    assert (answer["state"], answer["stopped_at"]) == ("breached", due("10-27T10:00"))


@pytest.mark.parametrize("batch", [1, 1000])
async def test_continued_people_hear_once_of_what_came_while_it_was_closed(desk: Desk, batch: int) -> None:
    """Bug class: ladder reset or skipped."""
    answer: dict[str, Any] = {"milestone": "answer", "within": "2 working days", "clause": "企标 2"}
    ladder = [
        {"at": "due", "tell": ["owner"]},
        {"at": "+1wd", "tell": ["unit_supervisors"]},
        {"at": "every 1wd, at most 5", "tell": ["parent_unit_supervisors"]},
    ]
    await desk.publish(
        id="own", reopen="continue", reopen_for=["report"], appeals={"report": [{**answer, "ladder": ladder}]}
    )
    await desk.assign("37401", "own")
    case = await desk.raised(appeal_type="report")  # due at the end of 10-12
    await desk.at("10-13T09:00")
    await desk.answer(case, "10-13T09:00")
    await desk.act(case, "close")
    desk.clock.set(instant("10-17T09:00"))
    await desk.act(case, "reopen", reason="客户再次反映")
    its = (await of_round(desk, case, 2))["answer"]
    escalator = Escalation(desk.runtime)
    escalator.config.batch = batch
    while await escalator.run_once():
        pass
    await desk.stack.settle()
    told = [event for event in await desk.told("deadline.escalated.v1") if event["clock_id"] == its["id"]]
    assert {event["step"] for event in told} == {"+1wd", *(f"every 1wd#{time}" for time in range(1, 5))}
    assert all(event["late"] for event in told)
    (loud,) = [event for event in told if event["audience"]]
    assert (loud["step"], {*loud["audience"]}) == ("every 1wd#4", {"unit_supervisors", "parent_unit_supervisors"})
    moments = [entry["data"]["fire_at"] for entry in await desk.timeline(case) if entry["kind"] == "deadline_escalated"]
    assert {datetime.fromisoformat(each) for each in moments} == {
        instant(f"10-{day}T00:00") for day in (14, 15, 16, 17)
    }
    await desk.at("10-20T00:00")
    told = [event for event in await desk.told("deadline.escalated.v1") if event["clock_id"] == its["id"]]
    assert (told[-1]["step"], told[-1]["late"], told[-1]["audience"]) == (
        "every 1wd#5",
        False,
        ["parent_unit_supervisors"],
    )


async def test_continued_people_hear_once_of_what_was_past_when_it_was_closed(desk: Desk) -> None:
    """Though nobody had recorded it by then: neither the survey's breach, nor a step after the answer's."""
    case = await closed(desk, "continue", answered="10-22T10:00", close="10-22T11:00")
    await reopened(desk, case, "10-22T12:00")
    desk.clock.set(instant("11-10T10:00"))  # the answer was due on 10-22, the survey on 11-06, and nobody looks
    await desk.answer(case, "11-10T09:00")
    await desk.act(case, "close")
    desk.later(hours=1)
    told = len(await desk.told(*LADDER_EVENTS))
    await desk.act(case, "reopen", desk.first, reason="客户再次反映")
    await desk.at("11-10T12:00")
    heard = [each for each in (await desk.told(*LADDER_EVENTS))[told:] if each["audience"]]
    assert sorted((each["milestone"], each["round"]) for each in heard) == [("answer", 3), ("survey", 3)]


async def test_where_nobody_was_contacted_the_contact_is_asked_for(desk: Desk) -> None:
    await desk.publish(id="own", reopen="restart", reopen_for=["report"], appeals={"report": REPORT})
    await desk.assign("37401", "own")
    customer = new_id()
    leader = await desk.raised(appeal_type="report", customer_id=customer)
    await desk.contact(leader, "10-09T09:40")
    child = await desk.raised(appeal_type="report", customer_id=customer, received_at=instant("10-09T09:45"))
    await desk.act(child, "merge", into=leader)
    await desk.answer(leader, "10-09T09:50")
    await desk.act(leader, "close")
    appeal = await desk.act(child, "reopen", reason="客户再次反映")
    assert (appeal["state"], appeal["round"], appeal["merged_into"]) == ("contacted", 2, None)  # an answer is a contact
    assert {*await of_round(desk, child, 2)} == {"answer", "survey"}
    assert (await desk.appeal(leader))["state"] == "closed"


@pytest.mark.parametrize("mode", ["new_round", "restart", "continue"])
async def test_the_earlier_round_stays_as_it_is(desk: Desk, mode: str) -> None:
    case = await closed(desk, mode)
    clocks, entries = await of_round(desk, case, 1), await desk.timeline(case)
    timers = await desk.rows("SELECT * FROM timers ORDER BY clock_id, step")
    await reopened(desk, case)
    desk.later(days=1)
    await desk.contact(case, "10-21T09:00")
    await desk.answer(case, "10-21T09:30")
    await desk.act(case, "close")
    assert await of_round(desk, case, 1) == clocks
    assert (await desk.timeline(case))[: len(entries)] == entries
    ids = {str(clock["id"]) for clock in clocks.values()}
    now = await desk.rows("SELECT * FROM timers ORDER BY clock_id, step")
    assert [row for row in now if str(row["clock_id"]) in ids] == timers


async def test_a_reopening_is_told_with_its_clocks(desk: Desk) -> None:
    case = await closed(desk, "restart")
    await reopened(desk, case)
    (told,) = await desk.told("appeal.reopened.v1")
    its = await of_round(desk, case, 2)
    assert (told["appeal_id"], told["round"], told["by"]) == (case, 2, "E101")
    assert {clock["clock_id"]: clock["due_at"] for clock in told["clocks"]} == {
        clock["id"]: clock["due_at"] for clock in its.values()
    }
    entries = {entry["kind"]: entry for entry in (await desk.timeline(case))[-3:]}
    assert entries["reopened"]["data"] == {"round": 2, "mode": "restart", "reason": "客户再次反映"}
    assert "deadline_started" in entries
    assert "客户" not in str(told)


async def test_only_a_closed_appeal_is_reopened_and_only_with_a_reason(desk: Desk) -> None:
    case = await desk.raised()
    problem(await desk.acting(case, "reopen", reason="误操作"), 409, "appeal-not-closed")
    assert (await desk.acting(case, "reopen")).status_code == 422
    problem(await desk.acting(case, "reopen", desk.stranger, reason="误操作"), 404, "appeal-not-found")


async def test_what_was_done_in_the_round_before_is_not_recorded_in_the_new_one(desk: Desk) -> None:
    case = await closed(desk, "new_round")
    await reopened(desk, case)
    body = {"at": instant("10-19T10:00").isoformat(), "content": "已答复"}
    problem(await desk.first.post(f"/appeals/{case}/answers", json=body), 422, "before-received")


async def test_a_pair_that_was_closed_together_is_reopened_one_by_one(desk: Desk) -> None:
    customer = new_id()
    leader, child = [await desk.raised(customer_id=customer) for _ in range(2)]
    await desk.act(child, "merge", into=leader)
    await desk.answer(leader, "10-09T09:50")
    await desk.act(leader, "close")
    await desk.act(leader, "reopen", reason="客户再次反映")
    assert (await desk.appeal(child))["state"] == "closed"
    await desk.answer(leader, "10-09T10:00")
    assert len((await got(desk.first.get(f"/appeals/{child}/answers")))["items"]) == 1
    await desk.act(child, "reopen", reason="客户再次反映")
    assert {clock["state"] for clock in (await of_round(desk, child, 2)).values()} == {"running"}


async def test_what_was_closed_before_its_line_was_heard_of_goes_by_what_counts_there(desk: Desk) -> None:
    await desk.hear(unit("377"))
    top = desk.client("admin", unit="377", sub="E709")
    etag = (await top.get("/units/377/policy")).headers["etag"]
    await got(top.put("/units/377/policy", json={"policy": "state-grid"}, headers={"If-Match": etag}))
    case = await desk.raised(unit_code="37701", appeal_type="report", received_at=desk.clock.now())
    its = desk.client("supervisor", unit="37701", sub="E701")
    body = {"at": desk.clock.now().isoformat(), "content": "已检修线路"}
    await made(its.post(f"/appeals/{case}/answers", json=body))
    assert (await desk.act(case, "close", its))["policy"] == "t-sdpea@1"
    await desk.hear(unit("37701", "377"))
    await desk.at("10-12T10:00")
    appeal = await desk.act(case, "reopen", its, reason="客户再次反映")
    assert appeal["policy"] == "state-grid@1"
    assert {clock["milestone"]: clock["due_at"] for clock in appeal["clocks"] if clock["round"] == 2} == {
        "answer": due("10-27T00:00")
    }
