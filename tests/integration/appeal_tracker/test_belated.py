"""Acts that are recorded out of order: clocks run from when the customer was in truth contacted or answered."""

from typing import Any
from uuid import UUID

import pytest

from chassis.ids import new_id
from tests.integration.appeal_tracker.desk import Desk, got, instant, made
from tests.integration.appeal_tracker.test_audit import look

CALLBACK = {"milestone": "callback", "within": "24 hours", "clause": "1"}
SURVEY = {"milestone": "survey", "within": "24 hours", "clause": "2", "starts": "contacted"}


@pytest.fixture
async def timed(desk: Desk) -> Desk:
    """The desk, where a unit has limits that run from the answer and from the contact."""
    await desk.publish(id="own", appeals={"complaint": [CALLBACK, SURVEY]})
    for code in ("37401", "37402"):
        await desk.assign(code, "own")
    return desk


async def call_back(desk: Desk, case: str, at: str) -> None:
    body = {"at": instant(at).isoformat(), "result": "completed"}
    await made(desk.first.post(f"/appeals/{case}/callbacks", json=body))


async def clock(desk: Desk, case: str, milestone: str) -> tuple[Any, ...]:
    its = (await desk.clocks(case))[milestone]
    return its["state"], its["started_at"], its["due_at"]


async def stands(desk: Desk, case: str) -> tuple[str, str]:
    """The state of an appeal, and of the task to call its customer."""
    (task,) = (await got(desk.supervisor.get("/callback-tasks")))["items"]
    return (await desk.appeal(case))["state"], task["state"]


async def test_the_callback_runs_from_the_earlier_answer(timed: Desk) -> None:
    case = await timed.raised()
    await timed.at("10-09T15:00")
    await timed.answer(case, "10-09T14:00")
    assert await clock(timed, case, "callback") == ("running", "2026-10-09T06:00:00Z", "2026-10-10T06:00:00Z")
    await timed.answer(case, "10-09T11:00")
    assert await clock(timed, case, "callback") == ("running", "2026-10-09T03:00:00Z", "2026-10-10T03:00:00Z")
    told = [event for event in await timed.told("deadline.recalculated.v1") if event["milestone"] == "callback"]
    assert [(event["cause"], event["old_due_at"], event["due_at"]) for event in told] == [
        ("correction", "2026-10-10T06:00:00Z", "2026-10-10T03:00:00Z")
    ]
    answers = [each for each in await timed.timeline(case) if each["kind"] == "answered"]
    assert [each["at"] for each in answers] == ["2026-10-09T06:00:00Z", "2026-10-09T03:00:00Z"], "both are kept"
    await timed.at("10-10T11:00")
    assert (await clock(timed, case, "callback"))[0] == "breached"
    assert await look(timed) == {}


async def test_what_runs_from_an_answer_recorded_too_late_is_breached_at_once_and_marked(timed: Desk) -> None:
    case, other = [await timed.raised() for _ in "ab"]
    await timed.at("10-26T10:00")
    await timed.answer(case, "10-12T09:00")
    await timed.answer(other, "10-25T11:00")
    await timed.at("10-26T12:00")
    callbacks = [(await timed.clocks(each))["callback"] for each in (case, other)]
    assert [each["state"] for each in callbacks] == ["breached", "breached"]
    assert [each["late_arrival"] for each in callbacks] == [True, False], "of the other they had an hour left"
    told = {
        each["subject_id"]: each for each in await timed.told("deadline.breached.v1") if each["milestone"] == "callback"
    }
    assert [told[each]["late_arrival"] for each in (case, other)] == [True, False]


async def test_what_is_held_from_its_beginning_on_is_no_late_arrival(desk: Desk) -> None:
    limits = [{**SURVEY, "holdable": True}, {**SURVEY, "milestone": "answer", "starts": "received", "holdable": True}]
    await desk.publish(id="patient", appeals={"report": limits})
    await desk.assign("37401", "patient")
    case = await desk.raised(appeal_type="report")
    await desk.act(case, "hold", reason="等待")
    await desk.at("10-26T10:00")
    await desk.contact(case, "10-09T14:00")
    survey = (await desk.clocks(case))["survey"]
    assert (survey["state"], survey["late_arrival"]) == ("held", False)


async def test_a_later_answer_moves_nothing(timed: Desk) -> None:
    case = await timed.raised()
    await timed.at("10-09T15:00")
    await timed.answer(case, "10-09T11:00")
    before = await timed.clocks(case)
    await timed.answer(case, "10-09T14:00")
    await timed.contact(case, "10-09T14:30")
    assert await timed.clocks(case) == before
    assert not await timed.told("deadline.recalculated.v1")


@pytest.mark.parametrize("act", ["contact", "answer"])
async def test_what_runs_from_the_contact_runs_from_the_earlier_one(timed: Desk, act: str) -> None:
    """An answer given to the customer is also a contact."""
    case = await timed.raised()
    await timed.at("10-09T15:00")
    await timed.contact(case, "10-09T14:00")
    await getattr(timed, act)(case, "10-09T11:00")
    assert await clock(timed, case, "survey") == ("running", "2026-10-09T03:00:00Z", "2026-10-10T03:00:00Z")


async def test_what_was_held_between_the_two_is_left_out(desk: Desk) -> None:
    held = {"within": "48 hours", "holdable": True}
    its = [SURVEY | held, {"milestone": "probe", "clause": "3"} | held]
    await desk.publish(id="own", appeals={"complaint": its})
    await desk.assign("37401", "own")
    case = await desk.raised()
    await desk.at("10-09T11:00")
    await desk.act(case, "hold", reason="等待客户材料")
    await desk.at("10-09T13:00")
    await desk.act(case, "resume")
    await desk.at("10-09T15:00")
    await desk.contact(case, "10-09T14:00")
    assert await clock(desk, case, "survey") == ("running", "2026-10-09T06:00:00Z", "2026-10-11T06:00:00Z")
    await desk.contact(case, "10-09T10:30")
    assert await clock(desk, case, "survey") == ("running", "2026-10-09T02:30:00Z", "2026-10-11T04:30:00Z")
    assert await look(desk) == {}


async def test_a_hold_that_then_began_past_the_earliest_promise_of_the_merged_holds_nobody(desk: Desk) -> None:
    customer = new_id()
    for code, within in (("37401", "72 hours"), ("37402", "24 hours")):
        pack = f"own-{code}"
        await desk.publish(id=pack, appeals={"complaint": [CALLBACK | {"within": within, "holdable": True}]})
        await desk.assign(code, pack)
    case, quick = [await desk.raised(unit_code=code, customer_id=customer) for code in ("37401", "37402")]
    await desk.act(quick, "merge", into=case)
    await desk.at("10-12T15:00")
    await desk.answer(case, "10-12T14:00")
    await desk.act(case, "hold", at="10-12T14:30", reason="等待客户材料")
    assert [(await clock(desk, each, "callback"))[0] for each in (case, quick)] == ["held", "held"]
    await desk.answer(case, "10-11T10:00")
    await desk.at("10-12T16:00")
    for each in (case, quick):
        assert await clock(desk, each, "callback") == ("breached", "2026-10-11T02:00:00Z", "2026-10-12T02:00:00Z")
    assert await look(desk) == {}


async def test_a_contact_that_is_recorded_after_the_answer(timed: Desk) -> None:
    case = await timed.raised()
    await timed.at("10-09T15:00")
    await timed.answer(case, "10-09T14:00")
    await timed.contact(case, "10-09T11:00")
    assert (await clock(timed, case, "survey"))[1] == "2026-10-09T03:00:00Z"
    assert (await clock(timed, case, "callback"))[1] == "2026-10-09T06:00:00Z", "this one waits for the answer"


async def test_what_was_done_in_between_stops_the_clock_that_now_ran_by_then(timed: Desk) -> None:
    case = await timed.raised()
    await timed.at("10-09T15:00")
    await timed.answer(case, "10-09T14:00")
    await made(timed.supervisor.post(f"/appeals/{case}/callback-tasks"))
    await call_back(timed, case, "10-09T13:00")
    assert (await clock(timed, case, "callback"))[0] == "running", "it cannot have been about that answer"
    assert await stands(timed, case) == ("answered", "open"), "and moves the appeal no more than its clock"
    await timed.answer(case, "10-09T11:00")
    assert await stands(timed, case) == ("called_back", "done")
    assert await clock(timed, case, "callback") == ("met", "2026-10-09T03:00:00Z", "2026-10-10T03:00:00Z")
    kept = [each["kind"] for each in await timed.timeline(case) if each["data"].get("milestone") == "callback"]
    assert kept == ["deadline_started", "deadline_recalculated", "deadline_met"]
    assert await look(timed) == {}


async def test_a_call_of_before_the_answer_keeps_none_since_from_stopping_its_clock(timed: Desk) -> None:
    case = await timed.raised()
    await timed.at("10-09T18:00")
    await timed.answer(case, "10-09T14:00")
    await call_back(timed, case, "10-09T13:00")
    assert (await timed.appeal(case))["state"] == "answered"
    await call_back(timed, case, "10-09T17:00")
    told = await timed.told("appeal.called_back.v1")
    assert [each["counts"] for each in told] == [False, True], "whoever waits for a call waits for one that does"
    assert (await timed.appeal(case))["state"] == "called_back"
    its = (await timed.clocks(case))["callback"]
    assert (its["state"], its["met_at"]) == ("met", "2026-10-09T09:00:00Z")


async def test_what_has_ended_stays_as_it_was(timed: Desk) -> None:
    case = await timed.raised()
    await timed.at("10-09T15:00")
    await timed.answer(case, "10-09T14:00")
    await call_back(timed, case, "10-09T14:30")
    before = await timed.clocks(case)
    await timed.answer(case, "10-09T11:00")
    assert (await timed.clocks(case))["callback"] == before["callback"]


async def test_merged_appeals_are_put_right_together(timed: Desk) -> None:
    customer = new_id()
    leader = await timed.raised(customer_id=customer)
    child = await timed.raised(customer_id=customer, unit_code="37402")
    await timed.act(child, "merge", into=leader)
    await timed.at("10-09T15:00")
    await timed.answer(leader, "10-09T14:00")
    await timed.answer(leader, "10-09T11:00")
    for case in (leader, child):
        assert (await clock(timed, case, "callback"))[1:] == ("2026-10-09T03:00:00Z", "2026-10-10T03:00:00Z")
    rows = await timed.rows("SELECT follows FROM clocks WHERE subject_id = $1 AND milestone = 'callback'", UUID(child))
    assert rows[0]["follows"] is not None
    assert await look(timed) == {}


async def test_a_call_of_an_earlier_round_is_about_no_answer_of_a_later_one_were_both_at_one_instant(
    timed: Desk,
) -> None:
    case = await timed.raised()
    timed.clock.set(instant("10-09T11:00"))
    await timed.answer(case, "10-09T11:00")
    await call_back(timed, case, "10-09T11:00")
    await got(timed.first.post(f"/appeals/{case}/close", json={}))
    await timed.act(case, "reopen", reason="客户仍有异议")
    for _ in range(2):
        await timed.answer(case, "10-09T11:00")
    assert (await timed.appeal(case))["state"] == "answered"
    assert (await clock(timed, case, "callback"))[0] == "running"
