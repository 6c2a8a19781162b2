"""The life of an appeal over REST: contact, answer, callback, close; each act one transaction with its event."""

from typing import Any

import pytest

from tests.integration.appeal_tracker.desk import Desk, got, made, problem

ACTS = {
    "contacts": {"at": "2026-10-09T10:00:00+08:00", "channel": "phone", "result": "reached"},
    "answers": {"at": "2026-10-09T10:00:00+08:00", "content": "已答复"},
    "callbacks": {"at": "2026-10-09T10:00:00+08:00", "result": "completed"},
    "accept": {},
    "dispatch": {"handler": "E102"},
    "close": {},
}


async def test_the_whole_life_of_a_complaint(desk: Desk) -> None:
    case = await desk.raised()
    desk.later(days=3)
    assert (await desk.contact(case, "10-09T15:00"))["counts"]
    assert (await desk.appeal(case))["state"] == "contacted"
    await desk.answer(case, "10-12T09:00")
    assert (await desk.appeal(case))["state"] == "answered"
    body = {"at": "2026-10-12T09:30:00+08:00", "result": "completed", "satisfaction": 5, "opinion": "很及时，\n谢谢"}
    callback = await made(desk.first.post(f"/appeals/{case}/callbacks", json=body))
    assert (callback["satisfaction"], callback["opinion"], callback["quiet_hours"]) == (5, "很及时，\n谢谢", False)
    assert (await desk.appeal(case))["state"] == "called_back"
    closed = await got(desk.first.post(f"/appeals/{case}/close", json={}))
    assert (closed["state"], closed["outcome"]) == ("closed", "resolved")
    assert closed["closed_at"] == "2026-10-12T02:00:00Z"
    assert {clock["milestone"]: (clock["state"], clock["met_at"]) for clock in closed["clocks"]} == {
        "contact": ("met", "2026-10-09T07:00:00Z"),
        "answer": ("met", "2026-10-12T01:00:00Z"),
    }
    assert {row["state"] for row in await desk.rows("SELECT state FROM timers")} == {"cancelled"}


async def test_each_act_is_told_and_stands_in_the_timeline_in_order(desk: Desk) -> None:
    case = await desk.raised()
    desk.later(hours=1)
    await desk.contact(case, "10-09T10:30")
    await desk.answer(case, "10-09T10:40")
    callback = {"at": "2026-10-09T10:50:00+08:00", "result": "refused"}
    await made(desk.first.post(f"/appeals/{case}/callbacks", json=callback))
    await got(desk.first.post(f"/appeals/{case}/close", json={}))
    assert [event["type"] for event in await desk.told()] == [
        "appeal.opened.v1",
        "appeal.contacted.v1",
        "deadline.met.v1",
        "appeal.answered.v1",
        "deadline.met.v1",
        "appeal.called_back.v1",
        "appeal.closed.v1",
    ]
    timeline = await desk.timeline(case)
    kinds = ["opened", "contacted", "deadline_met", "answered", "deadline_met", "called_back", "closed"]
    assert [entry["kind"] for entry in timeline] == kinds
    assert {entry["actor"] for entry in timeline} == {"E101"}
    assert timeline[1]["at"] == "2026-10-09T02:30:00Z"
    assert timeline[1]["recorded_at"] == "2026-10-09T03:00:00Z"
    assert timeline[1]["data"]["result"] == "reached"


async def test_what_was_said_stays_off_the_bus_and_out_of_the_timeline(desk: Desk) -> None:
    case = await desk.raised()
    await desk.answer(case, "10-09T09:45")
    body = {"at": "2026-10-09T09:50:00+08:00", "result": "completed", "opinion": "换一位检修工"}
    await made(desk.first.post(f"/appeals/{case}/callbacks", json=body))
    said = str(await desk.told()) + str(await desk.timeline(case))
    assert "检修" not in said
    (answer,) = (await got(desk.supervisor.get(f"/appeals/{case}/answers")))["items"]
    (callback,) = (await got(desk.supervisor.get(f"/appeals/{case}/callbacks")))["items"]
    assert (answer["content"], callback["opinion"]) == ("已检修线路，今日送电。", "换一位检修工")


@pytest.mark.parametrize("act", ACTS)
async def test_a_closed_appeal_takes_no_more_acts(desk: Desk, act: str) -> None:
    case = await desk.raised()
    await desk.answer(case, "10-09T09:45")
    await got(desk.first.post(f"/appeals/{case}/close", json={}))
    before = (await desk.appeal(case), await desk.timeline(case))
    answer = await desk.supervisor.post(f"/appeals/{case}/{act}", json=ACTS[act])
    assert problem(answer, 409, "appeal-closed")["rule"] == "closed"
    assert (await desk.appeal(case), await desk.timeline(case)) == before


@pytest.mark.clause("5.5", "7.2.3", "7.2.4")
async def test_closing_without_an_answer_lists_what_is_missing_by_clause(desk: Desk) -> None:
    missing = {"complaint": "7.2.3", "suggestion": "5.5"}
    for appeal_type, clause in missing.items():
        case = await desk.raised(appeal_type=appeal_type)
        answer = await desk.first.post(f"/appeals/{case}/close", json={})
        found = problem(answer, 409, "appeal-incomplete")
        assert found["missing"] == [{"what": "answer", "clause": clause}]
        assert (await desk.appeal(case))["state"] == "open"


@pytest.mark.clause("002 6.4.5.4")
async def test_closing_asks_for_the_callback_that_the_policy_requires(desk: Desk) -> None:
    await desk.assign("37401", "state-grid")
    case = await desk.raised(received_at=desk.clock.now())
    await desk.answer(case, "10-09T10:00")
    found = problem(await desk.first.post(f"/appeals/{case}/close", json={}), 409, "appeal-incomplete")
    assert found["missing"] == [{"what": "callback", "clause": "6.4.5.4"}]
    nameless = await desk.raised(received_at=desk.clock.now(), anonymous=True)
    await desk.answer(nameless, "10-09T10:00")
    await desk.act(nameless, "close")  # nobody to call


@pytest.mark.clause("002 6.4.5.4")
async def test_who_accepted_the_appeal_calls_back_and_not_who_handled_it(desk: Desk) -> None:
    await desk.assign("37401", "state-grid")
    case = await desk.raised(received_at=desk.clock.now())
    await desk.answer(case, "10-09T10:00")  # by E101, who raised it
    body = {"at": "2026-10-09T10:00:00+08:00", "result": "completed"}
    problem(await desk.first.post(f"/appeals/{case}/callbacks", json=body), 403, "not-yours-to-call-back")
    elsewhere = desk.client("callback", unit="374", sub="E002")
    problem(await elsewhere.post(f"/appeals/{case}/callbacks", json=body), 403, "not-yours-to-call-back")
    await made(desk.client("callback", unit="37401", sub="E102").post(f"/appeals/{case}/callbacks", json=body))


@pytest.mark.clause("7.2.5.1")
async def test_a_callback_follows_an_answer(desk: Desk) -> None:
    case = await desk.raised()
    found = problem(
        await desk.first.post(f"/appeals/{case}/callbacks", json=ACTS["callbacks"]), 409, "appeal-unanswered"
    )
    assert found["rule"] == "unanswered"


@pytest.mark.clause("7.2.5.1")
async def test_the_reason_of_a_callback_that_failed_is_recorded(desk: Desk) -> None:
    case = await desk.raised()
    await desk.answer(case, "10-09T09:45")
    body = {"at": "2026-10-09T09:50:00+08:00", "result": "unreachable"}
    found = problem(await desk.first.post(f"/appeals/{case}/callbacks", json=body), 422, "failure-reason-missing")
    assert found["errors"][0]["pointer"] == "/failure_reason"
    await made(desk.first.post(f"/appeals/{case}/callbacks", json={**body, "failure_reason": "号码停机"}))
    assert (await desk.appeal(case))["state"] == "answered"  # one call that nobody took is not enough


async def test_only_a_completed_callback_is_rated(desk: Desk) -> None:
    case = await desk.raised()
    await desk.answer(case, "10-09T09:45")
    body = {"at": "2026-10-09T09:50:00+08:00", "result": "refused", "satisfaction": 3}
    problem(await desk.first.post(f"/appeals/{case}/callbacks", json=body), 422, "nothing-to-rate")
    for rating in (0, 6, "5", True, "good"):
        worse = {**body, "result": "completed", "satisfaction": rating}
        problem(await desk.first.post(f"/appeals/{case}/callbacks", json=worse), 422, "unprocessable")
    for rating in (1, "not_rated"):
        better = {**body, "result": "completed", "satisfaction": rating}
        better |= {"failure_reason": "客户不愿评价"} if rating == "not_rated" else {}
        assert (await made(desk.first.post(f"/appeals/{case}/callbacks", json=better)))["satisfaction"] == rating


@pytest.mark.clause("7.2.5.2")
@pytest.mark.parametrize(
    ("at", "agreed_at", "marked"),
    [
        ("2026-10-09T20:59:59+08:00", None, False),
        ("2026-10-09T21:00:00+08:00", None, True),
        ("2026-10-10T07:59:59+08:00", None, True),
        ("2026-10-10T08:00:00+08:00", None, False),
        ("2026-10-09T21:30:00+08:00", "2026-10-09T21:30:00+08:00", False),
    ],
)
async def test_a_callback_by_night_is_stored_and_marked_unless_agreed(
    desk: Desk, at: str, agreed_at: str | None, marked: bool
) -> None:
    case = await desk.raised()
    await desk.answer(case, "10-09T09:45")
    desk.later(days=1)
    body = {"at": at, "result": "completed", "agreed_at": agreed_at}
    callback = await made(desk.first.post(f"/appeals/{case}/callbacks", json=body))
    assert callback["quiet_hours"] is marked
    (told,) = (await desk.timeline(case))[-1:]
    assert told["data"]["quiet_hours"] is marked


@pytest.mark.parametrize("act", ["contacts", "answers", "callbacks"])
async def test_an_act_lies_between_the_receipt_and_now(desk: Desk, act: str) -> None:
    case = await desk.raised()
    await desk.answer(case, "10-09T09:45")

    async def told_at(at: str) -> Any:
        return await desk.first.post(f"/appeals/{case}/{act}", json={**ACTS[act], "at": at})

    for at, slug in (
        ("2026-10-09T09:29:59.999999+08:00", "before-received"),
        ("2026-10-09T10:02:00.000001+08:00", "in-the-future"),
    ):
        assert problem(await told_at(at), 422, slug)["errors"][0]["pointer"] == "/at"
    problem(await told_at("2026-10-09T09:45:00"), 422, "unprocessable")  # no offset, no instant
    for at in ("2026-10-09T09:30:00+08:00", "2026-10-09T10:02:00+08:00"):
        assert (await told_at(at)).status_code == 201


async def test_accepting_and_dispatching_move_no_clock_and_keep_the_first_contact_person(desk: Desk) -> None:
    case = await desk.raised()
    clocks = await desk.clocks(case)
    desk.later(hours=2)
    accepted = await got(desk.first.post(f"/appeals/{case}/accept", json={"note": "已受理"}))
    assert accepted["state"] == "open"
    (told,) = await desk.told("appeal.accepted.v1")
    assert (told["by"], told["at"]) == ("E101", "2026-10-09T04:00:00Z")
    body = {"handler": "E201", "handling_unit_code": "37402"}
    dispatched = await got(desk.supervisor.post(f"/appeals/{case}/dispatch", json=body))
    assert (dispatched["handler"], dispatched["handling_unit_code"]) == ("E201", "37402")
    assert (dispatched["first_contact"], dispatched["unit_code"]) == ("E101", "37401")
    assert await desk.clocks(case) == clocks
    assert (await got(desk.client("handler", unit="37402", sub="E201").get(f"/appeals/{case}")))["id"] == case


async def test_a_handler_named_alone_takes_the_appeal_to_their_unit(desk: Desk) -> None:
    case = await desk.raised(unit_code="37402", raised_by="E201")
    dispatched = await got(desk.supervisor.post(f"/appeals/{case}/dispatch", json={"handler": "E101"}))
    assert (dispatched["handler"], dispatched["handling_unit_code"]) == ("E101", "37401")
    problem(await desk.supervisor.post(f"/appeals/{case}/dispatch", json={}), 422, "nobody-named")
    nowhere = {"handling_unit_code": "99999"}
    problem(await desk.supervisor.post(f"/appeals/{case}/dispatch", json=nowhere), 422, "unknown-handling-unit")


async def test_a_repeated_act_is_answered_as_the_first_time(desk: Desk) -> None:
    case = await desk.raised()
    key = {"Idempotency-Key": "contact-1"}
    first = await desk.first.post(f"/appeals/{case}/contacts", json=ACTS["contacts"], headers=key)
    again = await desk.first.post(f"/appeals/{case}/contacts", json=ACTS["contacts"], headers=key)
    assert (first.status_code, again.status_code, first.content) == (201, 201, again.content)
    assert len(await desk.told("appeal.contacted.v1")) == 1
