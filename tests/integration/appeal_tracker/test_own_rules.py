"""What a pack of one's own may say beyond the packaged ones: each from REST to the clocks of an appeal."""

from typing import Any

import pytest

from tests.integration.appeal_tracker.desk import Desk, got, made


async def clocks_of(desk: Desk, appeal_type: str, *limits: dict[str, Any], **pack: Any) -> dict[str, dict[str, Any]]:
    """The deadlines of an appeal of 10-09 09:30, a Friday, under a pack with these limits, by milestone."""
    written = [{"clause": "企标 1", **limit} for limit in limits]
    await desk.publish(id="own", appeals={appeal_type: written}, **pack)
    await desk.assign("37401", "own")
    case = await desk.raised(appeal_type=appeal_type)
    items = (await got(desk.supervisor.get(f"/appeals/{case}/deadlines")))["items"]
    return {each["milestone"]: each for each in items}


async def test_a_milestone_of_its_own(desk: Desk) -> None:
    survey = {"milestone": "site_survey", "within": "36 hours"}
    clocks = await clocks_of(desk, "complaint", survey)
    assert {*clocks} == {"contact", "answer", "site_survey"}
    assert (clocks["site_survey"]["within"], clocks["site_survey"]["due_text"]) == ("36 hours", "2026-10-10 21:30")
    assert [timer["step"] for timer in clocks["site_survey"]["timers"]] == ["due"], "a breach is told of at least"


async def test_what_reaches_a_milestone_of_its_own_stops_its_clock(desk: Desk) -> None:
    await clocks_of(desk, "complaint", {"milestone": "site_survey", "within": "36 hours"})
    (case,) = await desk.rows("SELECT id FROM appeals")
    reached = {"milestone": "site_survey", "at": "2026-10-10T21:30:00+08:00", "note": "已到现场"}
    await desk.at("10-10T22:00")
    (breached,) = await desk.rows("SELECT state FROM clocks WHERE milestone = 'site_survey'")
    assert breached["state"] == "breached"
    appeal = await made(desk.supervisor.post(f"/appeals/{case['id']}/milestones", json=reached))
    clock = next(each for each in appeal["clocks"] if each["milestone"] == "site_survey")
    assert (clock["state"], clock["met_at"]) == ("met", "2026-10-10T13:30:00Z"), "recorded afterwards, at its true time"
    assert appeal["state"] == "open"
    timeline = (await got(desk.supervisor.get(f"/appeals/{case['id']}/timeline")))["items"]
    assert [each["kind"] for each in timeline[-2:]] == ["milestone_reached", "deadline_corrected"]
    assert timeline[-2]["data"] == {"milestone": "site_survey", "note": "已到现场"}


@pytest.mark.parametrize("milestone", ["contact", "answer", "callback", "arrival", "site_visit"])
async def test_what_is_no_milestone_of_its_own_is_refused(desk: Desk, milestone: str) -> None:
    await clocks_of(desk, "complaint", {"milestone": "site_survey", "within": "36 hours"})
    (case,) = await desk.rows("SELECT id FROM appeals")
    reached = {"milestone": milestone, "at": "2026-10-09T09:30:00+08:00"}
    refused = await desk.supervisor.post(f"/appeals/{case['id']}/milestones", json=reached)
    assert refused.status_code == 422
    assert refused.json()["type"].endswith("no-such-milestone")


async def test_a_type_without_a_number_is_given_one(desk: Desk) -> None:
    clocks = await clocks_of(desk, "report", {"milestone": "answer", "within": "10 working days", "holdable": True})
    assert clocks["answer"]["due_text"] == "2026-10-22 24:00"


@pytest.mark.parametrize(("hour", "due"), [("17:30", "2026-10-12 17:30"), ("09:00", "2026-10-12 09:00")])
async def test_close_of_business(desk: Desk, hour: str, due: str) -> None:
    limit = {"milestone": "answer", "within": "2 working days close of business"}
    clocks = await clocks_of(desk, "complaint", limit, close_of_business=hour)
    assert (clocks["answer"]["due_text"], clocks["answer"]["within"]) == (due, "2 working days close of business")


@pytest.mark.parametrize(
    ("within", "due"),
    [
        ("1 calendar day", "2026-10-10 24:00"),
        ("2 calendar days", "2026-10-12 24:00"),
        ("4 calendar days", "2026-10-13 24:00"),
    ],
)
async def test_calendar_days_roll_off_a_day_off(desk: Desk, within: str, due: str) -> None:
    clocks = await clocks_of(desk, "complaint", {"milestone": "answer", "within": within})
    assert clocks["answer"]["due_text"] == due


async def test_a_step_that_is_repeated_so_many_times(desk: Desk) -> None:
    ladder = [
        {"at": 0.75, "tell": ["owner", "unit_supervisors"]},
        {"at": "due", "tell": ["owner", "unit_supervisors"]},
        {"at": "+1wd", "tell": ["unit_supervisors", "parent_unit_supervisors"]},
        {"at": "every 1wd, at most 5", "tell": ["parent_unit_supervisors"]},
    ]
    clocks = await clocks_of(desk, "complaint", {"milestone": "answer", "within": "2 working days", "ladder": ladder})
    answer = clocks["answer"]
    assert answer["due_text"] == "2026-10-12 24:00"
    repeated = {t["step"]: t["fire_at"] for t in answer["timers"] if t["step"].startswith("every")}
    assert repeated == {
        "every 1wd#1": "2026-10-13T16:00:00Z",
        "every 1wd#2": "2026-10-14T16:00:00Z",
        "every 1wd#3": "2026-10-15T16:00:00Z",
        "every 1wd#4": "2026-10-16T16:00:00Z",
        "every 1wd#5": "2026-10-19T16:00:00Z",
    }
    await desk.at("11-30T00:00")
    (case,) = await desk.rows("SELECT id FROM appeals")
    escalated = [
        each["step"]
        for each in await desk.told("deadline.escalated.v1")
        if each["subject_id"] == str(case["id"]) and each["milestone"] == "answer"
    ]
    assert sorted(escalated) == ["+1wd", *sorted(repeated)], "each of them once"


async def test_steps_before_the_deadline_in_hours_and_working_days(desk: Desk) -> None:
    ladder = [
        {"at": 0.25, "tell": ["owner"]},
        {"at": 0.75, "tell": ["owner", "unit_supervisors"]},
        {"at": "-4h", "tell": ["owner"]},
        {"at": "-1wd", "tell": ["owner"]},
        {"at": "due", "tell": ["owner", "unit_supervisors"]},
        {"at": "+1wd", "tell": ["unit_supervisors", "parent_unit_supervisors"]},
    ]
    limit = {"milestone": "answer", "within": "4 working days close of business", "ladder": ladder}
    clocks = await clocks_of(desk, "complaint", limit, close_of_business="17:00")
    assert {timer["step"]: timer["fire_at"] for timer in clocks["answer"]["timers"]} == {
        "0.25": "2026-10-10T14:15:00Z",  # of 89 hours 22:15, at night; it may wait, for the deadline is far
        "-1wd": "2026-10-13T09:00:00Z",
        "0.75": "2026-10-13T10:45:00Z",
        "-4h": "2026-10-14T05:00:00Z",
        "due": "2026-10-14T09:00:00Z",
        "+1wd": "2026-10-15T09:00:00Z",
    }
