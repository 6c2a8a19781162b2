"""Why a deadline is where it is, over REST: as data, and as a page that an auditor can keep and print."""

import re
from typing import Any

import pytest

from appeal_tracker.explanations import page
from chassis.ids import new_id
from contracts.visits import VisitAppointed
from tests.integration.appeal_tracker.desk import Desk, got, instant, made, problem
from tests.integration.appeal_tracker.test_recalculations import recalculate

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def explained(desk: Desk, case: str, milestone: str = "answer") -> dict[str, Any]:
    return await got(desk.supervisor.get(await path(desk, case, milestone)))


async def path(desk: Desk, case: str, milestone: str = "answer") -> str:
    return f"/deadlines/{(await desk.clocks(case))[milestone]['id']}/explanation"


async def seen(desk: Desk, case: str, milestone: str = "answer", **headers: str) -> str:
    """What somebody who opens the page reads."""
    answer = await desk.supervisor.get(await path(desk, case, milestone), headers={**HTML, **headers})
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text[answer.text.index("<body>") :]))


@pytest.mark.clause("7.2.3")
async def test_every_day_is_told_with_the_rules_it_was_counted_by(desk: Desk) -> None:
    its = await explained(desk, await desk.raised())
    assert (its["within"], its["clause"], its["stated_by"]) == ("7 working days", "7.2.3", "t-sdpea@1")
    assert (its["policy_lineage"], its["clock"]["calendar"]) == (["t-sdpea@1"], "cn-statutory@1")
    assert (its["due_text"], its["starts"]) == ("2026-10-19 24:00", "received")
    assert its["standard"] == "电力用户走访服务规范 T/SDPEA"
    days = {day["date"]: (day["counted"], day["reason"], day["name"]) for day in its["days"]}
    assert list(days) == [f"2026-10-{number:02}" for number in range(9, 20)]
    assert days["2026-10-09"] == (False, "start_day", "")
    assert days["2026-10-10"] == (True, "make_up", "国庆节")
    assert days["2026-10-11"] == (False, "weekend", "")
    assert sum(counted for counted, _, _ in days.values()) == 7
    assert [timer["step"] for timer in its["timers"]] == ["0.5", "0.75", "-1wd", "due", "+1wd"]
    assert (its["holds"], its["promise"], its["recalculations"], its["facts"]) == ([], None, [], [])


async def test_a_pack_that_extends_another_says_which_of_the_two_states_the_figure(desk: Desk) -> None:
    await desk.assign("37401", "state-grid")
    case = await desk.raised(received_at=instant("10-09T10:00"))
    contact, answer = await explained(desk, case, "contact"), await explained(desk, case)
    assert answer["stated_by"] == "state-grid@1"
    assert answer["policy_lineage"] == ["state-grid@1", "t-sdpea@1"]
    assert (answer["within"], answer["due_text"]) == ("5 working days", "2026-10-15 24:00")
    assert contact["within"] == "24 hours"


async def test_breach_stop_and_correction_are_told_with_both_times(desk: Desk) -> None:
    case = await desk.raised()
    await desk.at("10-20T10:00")
    await desk.answer(case, "10-19T17:00")
    its = await explained(desk, case)
    breach, correction = its["facts"]
    assert (breach["kind"], breach["actor"]) == ("deadline_breached", None)
    assert (correction["kind"], correction["actor"]) == ("deadline_corrected", "E101")
    assert (correction["at"], correction["recorded_at"]) == ("2026-10-19T09:00:00Z", "2026-10-20T02:00:00Z")
    due = next(timer for timer in its["timers"] if timer["step"] == "due")
    assert (due["state"], due["late"], due["fired_at"]) == ("fired", True, "2026-10-20T02:00:00Z")
    text = await seen(desk, case)
    assert "更正：实为按时完成 2026-10-19 17:00:00 2026-10-20 10:00:00 E101" in text
    assert "截止时 2026-10-19 24:00 责任人、本单位主管 已触发 2026-10-20 10:00:00 迟于应触发时间" in text


async def test_every_recalculation_of_this_clock_is_told(desk: Desk) -> None:
    case = await desk.raised()
    listed = await desk.rows(
        "SELECT name, date, NOT working AS off FROM calendar_days"
        " WHERE calendar = 'cn-statutory' AND extract(year FROM date) = 2026"
    )
    days = [{"name": each["name"], "date": str(each["date"]), "isOffDay": each["off"]} for each in listed]
    days.append({"name": "台风停工", "date": "2026-10-12", "isOffDay": True})
    published = {"year": 2026, "papers": ["国办发明电〔2026〕1号"], "days": days}
    job = await made(desk.admin.post("/calendars/cn-statutory/versions", json=published))
    await desk.stack.settle()
    its = await explained(desk, case)
    assert its["due_text"] == "2026-10-20 24:00"
    (off,) = [day for day in its["days"] if day["date"] == "2026-10-12"]
    assert (off["counted"], off["reason"], off["name"]) == (False, "festival", "台风停工")
    (moved,) = its["recalculations"]
    assert (moved["cause"], moved["recalculation_id"]) == ("calendar_version", job["recalculation"]["id"])
    assert (moved["old_due_at"], moved["due_at"]) == ("2026-10-19T16:00:00Z", "2026-10-20T16:00:00Z")
    assert (moved["old_calendar"], moved["calendar"]) == ("cn-statutory@1", "cn-statutory@2")
    assert (await explained(desk, case, "contact"))["recalculations"] == [], "24 hours stay where they were"
    assert "日历新版本 2026-10-19 24:00 2026-10-20 24:00" in await seen(desk, case)


async def test_what_another_policy_ended_and_began_again_is_told_with_its_cause_and_versions(desk: Desk) -> None:
    """002 sets ten working days for the answer to a report, 000 sets none."""
    await desk.assign("37401", "state-grid")
    case = await desk.raised(received_at=desk.clock.now(), appeal_type="report")
    way = (("state-grid", "t-sdpea"), ("t-sdpea", "state-grid"))
    jobs = []
    for policy, to in way:
        desk.later(hours=1)
        jobs.append(await recalculate(desk, cause="policy_version", policy=policy, to=to))
    its = await explained(desk, case)
    assert its["clock"]["state"] == "running"
    ended, begun = its["recalculations"]
    assert [(each["at"], each["actor"]) for each in (ended, begun)] == [
        ("2026-10-09T03:00:00Z", "E009"),
        ("2026-10-09T04:00:00Z", "E009"),
    ]
    for each, job in zip((ended, begun), jobs, strict=True):
        assert (each["cause"], each["recalculation_id"]) == ("policy_version", job["id"])
    due, names = "2026-10-22T16:00:00Z", ("due_at", "provisional", "policy", "calendar")
    known, unknown = (due, False, "state-grid@1", "cn-statutory@1"), (None,) * 4
    assert tuple(ended[f"old_{name}"] for name in names) == tuple(begun[name] for name in names) == known
    assert tuple(ended[name] for name in names) == tuple(begun[f"old_{name}"] for name in names) == unknown
    (cancelled,) = its["facts"]
    assert (cancelled["kind"], cancelled["recorded_at"]) == ("deadline_cancelled", ended["at"])
    chinese, english = await seen(desk, case), await seen(desk, case, **{"Accept-Language": "en"})
    said = "2026-10-22 24:00 {none} state-grid@1 cn-statutory@1 E009"
    assert f"11:00:00 策略新版本 {said.format(none='无')}" in chinese
    assert f"11:00:00 new policy version {said.format(none='none')}" in english
    said = "{none} 2026-10-22 24:00 state-grid@1 cn-statutory@1 E009"
    assert f"12:00:00 策略新版本 {said.format(none='无')}" in chinese
    assert f"12:00:00 new policy version {said.format(none='none')}" in english


async def test_a_deadline_of_a_type_that_an_appeal_was_taken_for_says_so(desk: Desk) -> None:
    case = await desk.raised(appeal_type="consultation")
    old = (await desk.clocks(case))["answer"]["id"]
    await desk.act(case, "reclassify", type="complaint", reason="客户明确表示投诉")
    new = next(each["id"] for each in (await desk.appeal(case))["clocks"] if each["milestone"] == "contact")
    told = {each: await got(desk.supervisor.get(f"/deadlines/{each}/explanation")) for each in (old, new)}
    assert [told[each]["appeal_type"] for each in (old, new)] == ["consultation", "complaint"]
    assert [fact["kind"] for fact in told[old]["facts"]] == ["deadline_cancelled"]
    shown = await desk.supervisor.get(f"/deadlines/{old}/explanation", headers=HTML, params={"lang": "zh-CN"})
    assert "<td>取消</td>" in shown.text


async def test_holds_are_left_out_of_the_days(desk: Desk) -> None:
    limit = {"milestone": "answer", "within": "10 working days", "clause": "企标 2", "holdable": True}
    await desk.publish(id="own", appeals={"report": [limit]})
    await desk.assign("37401", "own")
    case = await desk.raised(appeal_type="report")
    await desk.at("10-12T08:00")
    await desk.act(case, "hold", reason="等待客户材料")
    assert "自 2026-10-12 08:00:00 起暂停" in await seen(desk, case)
    await desk.at("10-14T18:00")
    await desk.act(case, "resume")
    its = await explained(desk, case)
    assert [day["date"] for day in its["days"] if day["reason"] == "held"] == ["2026-10-13"]
    assert (its["due_text"], its["days"][-1]["date"]) == ("2026-10-23 24:00", "2026-10-23")
    (hold,) = its["holds"]
    assert (hold["since"], hold["until"]) == ("2026-10-12T00:00:00Z", "2026-10-14T10:00:00Z")
    assert (hold["reason"], hold["held_by"], hold["resumed_by"]) == ("等待客户材料", "E001", "E001")
    assert [each["cause"] for each in its["recalculations"]] == ["resume"]


@pytest.fixture
async def patient(desk: Desk) -> str:
    """A report of Friday 10-09 09:30 all of whose milestones may wait."""
    within = {"contact": "24 hours", "answer": "10 working days", "callback": "2 working days"}
    limits = [
        {"milestone": milestone, "within": period, "clause": "企标 2", "holdable": True}
        for milestone, period in within.items()
    ]
    await desk.publish(id="own", appeals={"report": limits})
    await desk.assign("37401", "own")
    return await desk.raised(appeal_type="report")


async def test_a_hold_is_none_of_what_was_done_before(desk: Desk, patient: str) -> None:
    """Whether it names that or not: what is written of holds now does not."""
    await desk.answer(patient, "10-09T10:00")
    await desk.at("10-10T08:00")
    await desk.act(patient, "hold", reason="客户外出", at="10-09T10:00")
    (kept,) = [entry for entry in await desk.timeline(patient) if entry["kind"] == "held"]
    (told,) = await desk.told("appeal.held.v1")
    assert kept["data"]["milestones"] == told["milestones"] == ["callback"]
    await desk.rows("UPDATE holds SET milestones = '{answer,callback,contact}'")
    assert "起暂停" not in await seen(desk, patient), "it does not stand still: it was done"
    assert "自 2026-10-09 10:00:00 起暂停" in await seen(desk, patient, "callback")
    await desk.at("10-20T08:00")
    await desk.act(patient, "resume")
    for milestone in ("contact", "answer"):
        its = await explained(desk, patient, milestone)
        assert (its["holds"], {day["reason"] for day in its["days"]} & {"held"}) == ([], set())
        assert its["due_text"].startswith(its["days"][-1]["date"])
    callback = await explained(desk, patient, "callback")
    assert sum(day["reason"] == "held" for day in callback["days"]) == 10  # 10-10 to 10-19
    assert callback["due_text"] == "2026-10-21 24:00"


async def test_what_was_done_during_a_hold_was_held_up_to_then(desk: Desk, patient: str) -> None:
    await desk.act(patient, "hold", reason="等待客户材料")
    await desk.at("10-12T15:00")
    await desk.contact(patient, "10-12T15:00")
    await desk.at("10-14T08:00")
    assert "起暂停" not in await seen(desk, patient, "contact")
    await desk.act(patient, "resume")
    contact, answer = [await explained(desk, patient, milestone) for milestone in ("contact", "answer")]
    assert contact["due_text"] == "2026-10-13 14:30", "24 hours, without the 77 from 10-09 10:00 on"
    assert contact["days"][-1]["date"] == "2026-10-13"
    assert [day["date"] for day in contact["days"] if day["reason"] == "held"] == ["2026-10-10", "2026-10-11"]
    (hold,) = contact["holds"]
    assert (hold["until"], hold["resumed_by"], hold["counted"]) == ("2026-10-12T07:00:00Z", None, True)
    assert [(hold["until"], hold["resumed_by"]) for hold in answer["holds"]] == [("2026-10-14T00:00:00Z", "E001")]
    assert answer["due_text"].startswith(answer["days"][-1]["date"])


@pytest.mark.parametrize("resumed_before", [True, False])
async def test_what_was_cancelled_in_a_hold_is_due_when_it_was(desk: Desk, patient: str, resumed_before: bool) -> None:
    await desk.answer(patient, "10-09T10:00")
    await desk.act(patient, "hold", reason="客户外出")
    await desk.at("10-16T12:00")
    if resumed_before:
        await desk.act(patient, "resume")
    await desk.act(patient, "close")
    its = await explained(desk, patient, "callback")
    assert its["clock"]["state"] == "cancelled"
    assert its["due_text"] == ("2026-10-19 24:00" if resumed_before else "2026-10-12 24:00")
    assert its["days"][-1]["date"] == its["due_text"][:10]
    (hold,) = its["holds"]
    assert (hold["until"], hold["counted"]) == ("2026-10-16T04:00:00Z", resumed_before)
    assert ("取消时仍未恢复" in await seen(desk, patient, "callback")) is not resumed_before


async def test_the_promise_of_a_merged_appeal_is_told_with_its_own_days(desk: Desk) -> None:
    customer = new_id()
    leader = await desk.raised(appeal_no="V1", customer_id=customer)
    await desk.at("10-12T11:00")
    child = await desk.raised(appeal_no="V2", customer_id=customer, received_at=instant("10-12T10:00"))
    await desk.act(child, "merge", into=leader)
    its = await explained(desk, child)
    assert its["due_text"] == "2026-10-19 24:00"
    assert its["days"][-1]["date"] == "2026-10-21", "its own period"
    promise = its["promise"]
    assert (promise["appeal_id"], promise["appeal_no"]) == (leader, "V1")
    assert (promise["due_at"], promise["days"][-1]["date"]) == ("2026-10-19T16:00:00Z", "2026-10-19")
    assert [each["cause"] for each in its["recalculations"]] == ["merge"]
    assert "与诉求 V1 合并办理，保留其中最早的截止时间：2026-10-19 24:00" in await seen(desk, child)
    await desk.rows("UPDATE appeals SET unit_code = '375', handling_unit_code = '375' WHERE id = $1::uuid", leader)
    assert (await explained(desk, child))["promise"]["appeal_no"] is None, "it is another unit's now"


async def test_the_deadline_of_a_visit_is_explained_too(desk: Desk) -> None:
    await desk.assign("37401", "service-window")
    facts: dict[str, Any] = {"visit_id": new_id(), "unit_code": "37401"}
    window = {"window_from": instant("10-09T14:00"), "window_to": instant("10-09T15:00")}
    await desk.hear(VisitAppointed(**facts, **window))
    (arrival,) = (await got(desk.supervisor.get(f"/visits/{facts['visit_id']}/deadlines")))["items"]
    place = f"/deadlines/{arrival['id']}/explanation"
    its = await got(desk.supervisor.get(place))
    assert (its["subject_kind"], its["subject_id"]) == ("visit", str(facts["visit_id"]))
    assert (its["appeal_id"], its["appeal_no"], its["unit_code"]) == (None, None, "37401")
    assert (its["starts"], its["within"], its["due_text"]) == ("appointed", "1 hour", "2026-10-09 15:00")
    page = await desk.supervisor.get(place, headers={**HTML, "Accept-Language": "en"})
    assert str(facts["visit_id"]) in page.text
    problem(await desk.stranger.get(place), 404, "deadline-not-found")


async def test_who_asks_for_a_page_is_given_one_that_needs_nothing_else(desk: Desk) -> None:
    answer = await desk.supervisor.get(await path(desk, await desk.raised()), headers=HTML)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == f"{page.policy()}; frame-ancestors 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["vary"] == "Accept, Accept-Language"
    assert answer.text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("headers", "query", "language"),
    [
        ({}, {}, "zh-CN"),
        ({"Accept-Language": "en-GB,en;q=0.9,zh;q=0.5"}, {}, "en"),
        ({"Accept-Language": "zh-CN"}, {"lang": "en"}, "en"),
        ({"Accept-Language": "en"}, {"lang": "zh-CN"}, "zh-CN"),
    ],
)
async def test_the_page_speaks_the_language_that_is_asked_for(
    desk: Desk, headers: dict[str, str], query: dict[str, str], language: str
) -> None:
    place = await path(desk, await desk.raised())
    answer = await desk.supervisor.get(place, headers={**HTML, **headers}, params=query)
    assert f'<html lang="{language}">' in answer.text
    assert answer.headers["content-language"] == language
    assert ("截止时间" in answer.text) is (language == "zh-CN")
    problem(await desk.supervisor.get(place, params={"lang": "fr"}), 422, "unprocessable")


async def test_another_units_deadline_has_neither_form(desk: Desk) -> None:
    place = await path(desk, await desk.raised())
    for headers in ({}, HTML):
        problem(await desk.stranger.get(place, headers=headers), 404, "deadline-not-found")
        missing = await desk.supervisor.get(f"/deadlines/{new_id()}/explanation", headers=headers)
        problem(missing, 404, "deadline-not-found")


async def test_the_days_lead_to_the_deadline_of_every_type_and_milestone(desk: Desk) -> None:
    await desk.assign("37401", "service-window")
    for appeal_type in ("complaint", "report", "consultation"):
        case = await desk.raised(appeal_type=appeal_type, received_at=instant("10-09T10:00"))
        for milestone, clock in (await desk.clocks(case)).items():
            its = await explained(desk, case, milestone)
            assert its["due_text"].startswith(its["days"][-1]["date"]), (appeal_type, milestone, clock["due_at"])
