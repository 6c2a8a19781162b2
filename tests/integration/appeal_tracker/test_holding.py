"""An appeal is held, where its policy lets a milestone wait, and resumed: counted in the clock's own unit."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from appeal_tracker.appeals.models import SUBJECT
from appeal_tracker.clocks import recalculation
from appeal_tracker.clocks import service as clocks
from appeal_tracker.clocks.recalculation import Target
from appeal_tracker.policies import service as policies
from tests.integration.appeal_tracker.desk import Desk, got, instant, made, problem
from tests.integration.appeal_tracker.test_audit import look

LADDER = [
    {"at": 0.5, "tell": ["owner"]},
    {"at": 0.75, "tell": ["owner", "unit_supervisors"]},
    {"at": "due", "tell": ["owner", "unit_supervisors"]},
]
REPORT: list[dict[str, Any]] = [
    {"milestone": "contact", "within": "24 hours", "clause": "企标 1"},
    {"milestone": "answer", "within": "10 working days", "clause": "企标 2", "holdable": True, "ladder": LADDER},
    {"milestone": "survey", "within": "3 working days", "clause": "企标 3", "holdable": True, "starts": "contacted"},
    {"milestone": "callback", "within": "2 working days", "clause": "企标 4", "holdable": True},
]
OPINION = [{"milestone": "answer", "within": "48 hours", "clause": "企标 5", "holdable": True}]
DUE = "10-23T00:00"  # of the answer to a report: 24:00 of the tenth working day, 10-22
FIRED = ("deadline.warned.v1", "deadline.breached.v1", "deadline.escalated.v1")


@pytest.fixture
async def report(desk: Desk) -> str:
    """A report of Friday 10-09 09:30 whose answer may wait."""
    await desk.publish(id="own", appeals={"report": REPORT, "opinion": OPINION})
    await desk.assign("37401", "own")
    return await desk.raised(appeal_type="report")


def due(local: str) -> str:
    """A deadline as it is answered."""
    return (instant(local) - timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%SZ")


async def held(desk: Desk, case: str, since: str, until: str) -> dict[str, Any]:
    """The appeal after it was held and resumed at these times."""
    await desk.at(since)
    assert (await desk.act(case, "hold", reason="等待客户材料"))["state"] == "held"
    await desk.at(until)
    return await desk.act(case, "resume")


async def test_from_friday_17_00_to_monday_09_00_no_working_day_is_held(desk: Desk, report: str) -> None:
    """Bug class: hold counted in wall time."""
    await held(desk, report, "10-16T17:00", "10-19T09:00")
    answer = (await desk.clocks(report))["answer"]
    assert (answer["state"], answer["due_at"]) == ("running", due(DUE))
    assert not await desk.told("deadline.recalculated.v1")


async def test_held_working_days_lie_wholly_inside_the_hold(desk: Desk, report: str) -> None:
    await held(desk, report, "10-16T17:00", "10-20T00:00")  # Monday as a whole
    answer = (await desk.clocks(report))["answer"]
    assert (answer["state"], answer["due_at"]) == ("running", due("10-24T00:00"))
    (told,) = await desk.told("deadline.recalculated.v1")
    assert (told["old_due_at"], told["due_at"]) == (due(DUE), answer["due_at"])
    assert (told["cause"], told["clock_id"], told["provisional"]) == ("resume", answer["id"], False)
    (entry,) = [entry for entry in await desk.timeline(report) if entry["kind"] == "deadline_recalculated"]
    assert (entry["actor"], entry["data"]["cause"], entry["data"]["old_due_at"]) == ("E001", "resume", due(DUE))


async def test_held_hours_are_hours(desk: Desk, report: str) -> None:
    case = await desk.raised(appeal_type="opinion")
    await held(desk, case, "10-09T17:00", "10-10T09:30")
    assert (await desk.clocks(case))["answer"]["due_at"] == due("10-12T02:00")  # 16 hours and a half later


async def test_both_acts_are_told_and_stand_in_the_timeline(desk: Desk, report: str) -> None:
    await desk.at("10-16T10:00")
    await desk.act(report, "hold", reason="等待客户材料", note="电话约定", at="10-15T10:00")
    await desk.act(report, "resume", note="材料已到", at="10-16T09:00")
    kept = [entry for entry in await desk.timeline(report) if entry["kind"] in ("held", "resumed")]
    assert [(entry["kind"], entry["actor"], entry["at"]) for entry in kept] == [
        ("held", "E001", due("10-15T10:00")),
        ("resumed", "E001", due("10-16T09:00")),
    ]
    assert kept[0]["data"]["reason"] == "等待客户材料"
    assert (kept[0]["data"]["note"], kept[1]["data"]["note"]) == ("电话约定", "材料已到")
    assert kept[0]["data"]["milestones"] == ["answer", "callback", "survey"]
    told = await desk.told("appeal.held.v1", "appeal.resumed.v1")
    assert [event["type"] for event in told] == ["appeal.held.v1", "appeal.resumed.v1"]
    assert "材料" not in str(told)
    assert kept[0]["data"]["hold_id"] == kept[1]["data"]["hold_id"]


async def test_while_held_nothing_fires_and_what_fired_stays_fired(desk: Desk, report: str) -> None:
    """Bug class: ladder reset or skipped."""
    await desk.contact(report, "10-09T09:45")
    await desk.at("10-16T10:00")
    before = {(event["milestone"], event["step"]) for event in await desk.told(*FIRED)}
    assert ("answer", "0.5") in before
    await desk.act(report, "hold", reason="等待客户材料", milestones=["answer"])
    timers = await desk.rows("SELECT step, state FROM timers WHERE clock_id = $1", await clock_id(desk, report))
    assert {row["step"]: row["state"] for row in timers} == {"0.5": "fired", "0.75": "held", "due": "held"}
    await desk.at("11-20T10:00")
    about_the_answer = [event for event in await desk.told(*FIRED) if event["milestone"] == "answer"]
    assert [event["step"] for event in about_the_answer] == ["0.5"]
    await desk.act(report, "resume")
    await desk.at("12-31T10:00")
    about_the_answer = [event for event in await desk.told(*FIRED) if event["milestone"] == "answer"]
    assert [event["step"] for event in about_the_answer] == ["0.5", "0.75", "due"], "each once"
    assert about_the_answer[-1]["due_at"] == due("11-26T00:00")  # 10-16, 19, 20, 21 and 22 were left


async def clock_id(desk: Desk, case: str, milestone: str = "answer") -> UUID:
    return UUID((await desk.clocks(case))[milestone]["id"])


@pytest.mark.clause("7.2.3")
async def test_the_floor_lets_nothing_wait_and_says_by_which_clause(desk: Desk) -> None:
    case = await desk.raised()
    before = (await desk.appeal(case), await desk.timeline(case))
    for body in ({"reason": "等待"}, {"reason": "等待", "milestones": ["answer"]}):
        found = problem(await desk.acting(case, "hold", **body), 422, "not-holdable")
        assert (found["policy"], found["clause"], found["milestone"]) == ("t-sdpea@1", "7.2.3", "answer")
    assert (await desk.appeal(case), await desk.timeline(case)) == before


@pytest.mark.parametrize("milestone", ["contact", "unheard_of"])
async def test_what_is_named_must_be_holdable(desk: Desk, report: str, milestone: str) -> None:
    answer = await desk.acting(report, "hold", reason="等待", milestones=["answer", milestone])
    assert problem(answer, 422, "not-holdable")["milestone"] == milestone


async def test_a_reason_is_given(desk: Desk, report: str) -> None:
    assert (await desk.acting(report, "hold")).status_code == 422


async def test_when_a_hold_may_begin_and_end(desk: Desk, report: str) -> None:
    problem(await desk.acting(report, "hold", reason="等待", at="10-09T09:29"), 422, "before-received")
    problem(await desk.acting(report, "hold", reason="等待", at="10-09T10:03"), 422, "in-the-future")
    problem(await desk.acting(report, "resume"), 409, "appeal-not-held")
    await desk.act(report, "hold", reason="等待", at="10-09T09:50")
    problem(await desk.acting(report, "hold", reason="等待"), 409, "appeal-held")
    problem(await desk.acting(report, "resume", at="10-09T09:49"), 422, "before-the-hold")
    problem(await desk.acting(report, "resume", at="10-09T10:03"), 422, "in-the-future")
    assert (await desk.appeal(report))["state"] == "held"


async def test_a_recorded_breach_stays(desk: Desk, report: str) -> None:
    await desk.at("10-23T09:00")
    answer = (await desk.clocks(report))["answer"]
    assert answer["state"] == "breached"
    found = problem(await desk.acting(report, "hold", reason="等待", at="10-20T09:00"), 409, "held-after-breach")
    assert found["milestone"] == "answer"
    problem(await desk.acting(report, "hold", reason="等待"), 409, "nothing-to-hold")
    assert (await desk.clocks(report))["answer"] == answer


async def test_what_is_past_already_cannot_wait_though_nobody_recorded_it_yet(desk: Desk, report: str) -> None:
    desk.clock.set(instant("10-23T09:00"))  # the loop is down
    problem(await desk.acting(report, "hold", reason="等待"), 409, "nothing-to-hold")
    await desk.act(report, "hold", reason="等待", at="10-22T09:00")  # but what was said in time is in time
    await desk.stack.settle()
    assert (await desk.clocks(report))["answer"]["state"] == "held"


async def test_a_held_appeal_is_contacted_and_goes_back_to_where_that_led(desk: Desk, report: str) -> None:
    await desk.act(report, "hold", reason="等待")
    await desk.contact(report, "10-09T09:50")
    assert (await desk.appeal(report))["state"] == "held"
    assert (await desk.clocks(report))["contact"]["state"] == "met"
    assert (await desk.act(report, "resume"))["state"] == "contacted"


TO_CONTACT = [
    {"milestone": "contact", "within": "24 hours", "clause": "企标 1", "holdable": True},
    {"milestone": "answer", "within": "10 working days", "clause": "企标 2"},
]
IN_VAIN = ("10-10T14:00", "10-10T17:00", "10-10T20:00")


@pytest.mark.clause("7.2.3")
@pytest.mark.parametrize("order", ["as it happened", "the end of the hold first", "the hold last"])
async def test_attempts_in_vain_count_up_to_the_deadline_that_a_hold_puts_off(desk: Desk, order: str) -> None:
    """In whatever order all is recorded: 48 hours were held, and the contact was due on 10-12 at 09:30."""
    await desk.publish(id="own", appeals={"report": TO_CONTACT})
    await desk.assign("37401", "own")
    case = await desk.raised(appeal_type="report")
    desk.clock.set(instant("10-11T13:00"))  # nobody has recorded the breach
    acts = ["hold", "tried", "resume"]
    if order == "the end of the hold first":
        acts = ["hold", "resume", "tried"]
    if order == "the hold last":
        acts = ["tried", "hold", "resume"]
    for act in acts:
        if act == "tried":
            for at in IN_VAIN:
                await desk.contact(case, at, "no_answer")
        else:
            its = {"reason": "等待", "milestones": ["contact"]} if act == "hold" else {}
            await desk.act(case, act, at={"hold": "10-09T12:00", "resume": "10-11T12:00"}[act], **its)
    appeal, contact = await desk.appeal(case), (await desk.clocks(case))["contact"]
    assert (appeal["state"], contact["state"], contact["met_at"]) == ("contacted", "met", due(IN_VAIN[-1]))
    await desk.at("10-13T12:00")
    assert "contact" not in {event["milestone"] for event in await desk.told("deadline.breached.v1")}
    assert await look(desk) == {}


async def test_attempts_in_vain_count_though_the_hold_turns_out_to_have_ended_before_them(desk: Desk) -> None:
    await desk.publish(id="own", appeals={"report": TO_CONTACT})
    await desk.assign("37401", "own")
    case = await desk.raised(appeal_type="report")
    await desk.act(case, "hold", reason="等待", milestones=["contact"])
    await desk.at("10-10T20:00")
    for at in ("10-10T05:00", "10-10T08:00", "10-10T11:00"):
        await desk.contact(case, at, "no_answer")
    await desk.act(case, "resume", at="10-10T09:00")
    contact = (await desk.clocks(case))["contact"]
    assert (contact["state"], contact["met_at"]) == ("met", due("10-10T11:00"))
    assert contact["met_at"] <= contact["due_at"]


async def test_what_starts_while_the_appeal_is_held_waits_too(desk: Desk, report: str) -> None:
    await desk.act(report, "hold", reason="等待")
    await desk.at("10-09T15:00")
    await desk.contact(report, "10-09T14:00")
    survey = (await desk.clocks(report))["survey"]
    assert survey["state"] == "held"
    assert {row["state"] for row in await timers(desk, survey)} == {"held"}
    await desk.at("10-13T09:00")
    await desk.act(report, "resume")
    survey = (await desk.clocks(report))["survey"]
    assert (survey["state"], survey["due_at"]) == ("running", due("10-16T00:00"))  # 10-13, 14, 15; not 10-10 and 12
    assert {row["state"] for row in await timers(desk, survey)} == {"pending"}


async def test_what_starts_late_counts_the_holds_of_its_past(desk: Desk, report: str) -> None:
    await held(desk, report, "10-09T16:00", "10-13T09:00")
    await desk.contact(report, "10-09T15:00")  # recorded after the fact
    survey = (await desk.clocks(report))["survey"]
    assert (survey["state"], survey["due_at"]) == ("running", due("10-16T00:00"))


async def timers(desk: Desk, clock: dict[str, Any]) -> list[Any]:
    return await desk.rows("SELECT * FROM timers WHERE clock_id = $1", UUID(clock["id"]))


async def test_an_answer_ends_the_hold_and_is_in_time(desk: Desk, report: str) -> None:
    await desk.at("10-16T10:00")
    await desk.act(report, "hold", reason="等待", milestones=["answer", "callback"])
    await desk.at("11-20T10:00")
    await desk.answer(report, "11-20T09:00")
    appeal = await desk.appeal(report)
    its = {clock["milestone"]: clock for clock in appeal["clocks"]}
    assert appeal["state"] == "answered"
    assert (its["answer"]["state"], its["answer"]["met_at"]) == ("met", due("11-20T09:00"))
    assert its["answer"]["met_at"] <= its["answer"]["due_at"] == due("11-26T00:00")
    assert (its["callback"]["state"], its["callback"]["due_at"]) == ("running", due("11-25T00:00"))
    (hold,) = await desk.rows("SELECT * FROM holds")
    assert (hold["until"], hold["resumed_by"]) == (instant("11-20T09:00"), "E101")
    kinds = [entry["kind"] for entry in await desk.timeline(report)]
    assert kinds.count("resumed") == 1
    await desk.at("12-31T00:00")
    assert "answer" not in {event["milestone"] for event in await desk.told("deadline.breached.v1")}


async def test_a_late_act_of_before_the_hold_ends_it_where_it_began(desk: Desk, report: str) -> None:
    await desk.act(report, "hold", reason="等待")
    await desk.at("10-12T10:00")
    await desk.answer(report, "10-09T09:50")
    answer = (await desk.clocks(report))["answer"]
    assert (answer["state"], answer["due_at"]) == ("met", due(DUE))
    (hold,) = await desk.rows("SELECT * FROM holds")
    assert hold["until"] == hold["since"]


async def test_a_hold_of_a_closed_appeal_ends_with_it(desk: Desk, report: str) -> None:
    await desk.answer(report, "10-09T10:00")
    assert (await desk.act(report, "hold", reason="客户外出", milestones=["callback"]))["state"] == "held"
    assert (await desk.clocks(report))["callback"]["state"] == "held"
    desk.later(hours=1)
    closed = await desk.act(report, "close")
    assert closed["state"] == "closed"
    assert {clock["milestone"]: clock["state"] for clock in closed["clocks"]}["callback"] == "cancelled"
    (hold,) = await desk.rows("SELECT * FROM holds")
    assert hold["until"] == instant("10-09T11:00")
    assert not await desk.rows("SELECT * FROM timers WHERE state IN ('pending', 'held')")


async def test_a_callback_ends_the_hold(desk: Desk, report: str) -> None:
    await desk.answer(report, "10-09T10:00")
    await desk.act(report, "hold", reason="客户外出")
    body = {"at": "2026-10-09T10:00:00+08:00", "result": "completed"}
    await made(desk.first.post(f"/appeals/{report}/callbacks", json=body))
    assert (await desk.appeal(report))["state"] == "called_back"
    assert (await desk.clocks(report))["callback"]["state"] == "met"


async def test_a_hold_is_not_lost_when_the_policy_changes(desk: Desk, report: str) -> None:
    """Bug class: hold lost on policy change."""
    await desk.at("10-16T10:00")
    await desk.act(report, "hold", reason="等待", milestones=["answer"])
    shorter = [{**REPORT[1], "within": "8 working days", "holdable": False}]
    await desk.publish(id="other", appeals={"report": shorter})
    await swap(desk, report, "other@1")
    answer = (await desk.clocks(report))["answer"]
    assert (answer["state"], answer["policy"], answer["due_at"]) == ("held", "other@1", due("10-21T00:00"))
    await desk.at("10-21T10:00")
    assert {event["milestone"] for event in await desk.told("deadline.breached.v1")} == {"contact"}
    await desk.act(report, "resume")
    answer = (await desk.clocks(report))["answer"]
    assert (answer["state"], answer["due_at"]) == ("running", due("10-23T00:00"))  # 10-19 and 10-20 were held


async def swap(desk: Desk, case: str, label: str) -> None:
    """Has the clocks of an appeal run by another policy."""
    async with desk.runtime.db.transaction() as tx:
        policy = (await policies.shelf(tx)).labelled(label)
        its = await clocks.of_subject(tx, SUBJECT, UUID(case), lock=True)
        await recalculation.recalculate(tx, its, desk.clock.now(), {clock.id: Target(policy=policy) for clock in its})


async def test_what_waited_as_a_report_does_not_put_off_what_a_complaint_may_not_let_wait(
    desk: Desk, report: str
) -> None:
    """It was a complaint from the beginning, and the floor lets none of its deadlines wait; an opinion's may."""
    other = await desk.raised(appeal_type="report")
    await desk.at("10-09T17:00")
    for case in (report, other):
        await desk.act(case, "hold", reason="等待客户材料")
    await desk.at("10-14T09:00")
    for case, becomes in ((report, "complaint"), (other, "opinion")):
        await desk.act(case, "resume")
        await desk.act(case, "reclassify", type=becomes, reason="客户明确表示")
    complaint, opinion = [(await desk.clocks(case))["answer"] for case in (report, other)]
    assert complaint["due_at"] == due("10-20T00:00"), "seven working days since the customer spoke"
    assert opinion["due_at"] == due("10-16T01:30"), "48 hours, without 112 that were held"
    assert await look(desk) == {}
    explained = await got(desk.supervisor.get(f"/deadlines/{complaint['id']}/explanation"))
    assert explained["holds"] == []


async def test_each_hold_counts_and_the_order_of_its_recording_does_not(desk: Desk, report: str) -> None:
    other = await desk.raised(appeal_type="report")
    await held(desk, report, "10-13T00:00", "10-14T00:00")
    await held(desk, report, "10-15T00:00", "10-16T00:00")
    for since, until in (("10-15T00:00", "10-16T00:00"), ("10-13T00:00", "10-14T00:00")):
        await desk.act(other, "hold", reason="补记", at=since)
        await desk.act(other, "resume", at=until)
    for case in (report, other):
        assert (await desk.clocks(case))["answer"]["due_at"] == due("10-27T00:00")


async def test_held_from_the_very_beginning(desk: Desk, report: str) -> None:
    """Bug class: created already held or closed: the first state goes through the same rule as a change."""
    await desk.at("10-12T10:00")
    late = await desk.raised(appeal_type="report")
    for case in (report, late):
        await desk.act(case, "hold", reason="等待", at="10-09T09:30")
        await desk.act(case, "resume", at="10-12T00:00")  # the working Saturday was held
    answers = [(await desk.clocks(case))["answer"] for case in (report, late)]
    assert {(answer["state"], answer["due_at"]) for answer in answers} == {("running", due("10-24T00:00"))}


async def test_who_may_hold(desk: Desk, report: str) -> None:
    for client in (desk.first, desk.client("auditor", unit="374")):
        assert (await desk.acting(report, "hold", client, reason="等待")).status_code == 403
    assert (await desk.acting(report, "hold", desk.stranger, reason="等待")).status_code == 404
