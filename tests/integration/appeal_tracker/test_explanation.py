"""Why a deadline is where it is, over REST: as data, and as a page that an auditor can keep and print."""

import re
from typing import Any

import pytest

from appeal_tracker.explanations import page
from chassis.ids import new_id
from tests.integration.appeal_tracker.desk import Desk, got, instant, problem

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


async def recalculated(desk: Desk, case: str, old: str, cause: str = "calendar_version") -> None:
    """Has the timeline say that the answer's deadline was another one, `old`, until now."""
    clock = (await desk.clocks(case))["answer"]
    policy, calendar = clock["policy"], clock["calendar"]
    data = f"""{{"clock_id": "{clock["id"]}", "milestone": "answer", "cause": "{cause}",
        "old_due_at": "{instant(old).isoformat()}", "due_at": "{clock["due_at"]}", "old_provisional": true,
        "provisional": false, "old_policy": "{policy}", "policy": "{policy}", "old_calendar": "cn-statutory@0",
        "calendar": "{calendar}", "recalculation_id": "{new_id()}"}}"""
    await desk.rows(
        "INSERT INTO timeline (appeal_id, at, recorded_at, kind, actor, data)"
        " VALUES ($1::uuid, $2, $2, 'deadline_recalculated', 'E009', $3::text::jsonb)",
        case,
        desk.clock.now(),
        data,
    )


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
    assert "due 2026-10-19 24:00 责任人、本单位主管 已触发 2026-10-20 10:00:00 迟于应触发时间" in text


async def test_every_recalculation_of_this_clock_is_told(desk: Desk) -> None:
    case = await desk.raised()
    await recalculated(desk, case, "10-21T00:00")
    (moved,) = (await explained(desk, case))["recalculations"]
    assert (moved["cause"], moved["actor"], moved["at"]) == ("calendar_version", "E009", "2026-10-09T02:00:00Z")
    assert (moved["old_due_at"], moved["due_at"]) == ("2026-10-20T16:00:00Z", "2026-10-19T16:00:00Z")
    assert (moved["old_provisional"], moved["provisional"]) == (True, False)
    assert (moved["old_calendar"], moved["calendar"]) == ("cn-statutory@0", "cn-statutory@1")
    assert (await explained(desk, case, "contact"))["recalculations"] == [], "another clock's"
    assert "日历新版本 2026-10-20 24:00 (暂定) 2026-10-19 24:00" in await seen(desk, case)


async def test_holds_are_left_out_of_the_days(desk: Desk) -> None:
    case = await desk.raised()
    await desk.rows(
        "INSERT INTO holds (id, subject_id, round, milestones, since, until, reason, held_by, resumed_by, recorded_at)"
        " VALUES ($1, $2::uuid, 1, '{answer}', $3, $4, 'report', 'E110', 'E110', $3)",
        new_id(),
        case,
        instant("10-12T08:00"),
        instant("10-14T18:00"),
    )
    its = await explained(desk, case)
    assert [day["date"] for day in its["days"] if day["reason"] == "held"] == ["2026-10-13"]
    assert its["days"][-1]["date"] == "2026-10-20"
    assert [(hold["reason"], hold["held_by"]) for hold in its["holds"]] == [("report", "E110")]
    assert (await explained(desk, case, "contact"))["holds"] == [], "it does not stand still"


async def test_the_promise_of_a_merged_appeal_is_told_with_its_own_days(desk: Desk) -> None:
    early = await desk.raised(received_at=instant("10-08T10:00"), appeal_no="V1")
    case = await desk.raised(appeal_no="V2")
    promising = (await desk.clocks(early))["answer"]
    await desk.rows(
        "UPDATE clocks SET promised_by = $1::uuid, due_at = $2 WHERE subject_id = $3::uuid AND milestone = 'answer'",
        promising["id"],
        instant("10-17T00:00"),
        case,
    )
    promise = (await explained(desk, case))["promise"]
    assert (promise["clock_id"], promise["appeal_no"]) == (promising["id"], "V1")
    assert (promise["due_at"], promise["days"][-1]["date"]) == ("2026-10-16T16:00:00Z", "2026-10-16")
    await desk.rows("UPDATE appeals SET unit_code = '375', handling_unit_code = '375' WHERE id = $1::uuid", early)
    assert (await explained(desk, case))["promise"]["appeal_no"] is None, "it is another unit's now"


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
