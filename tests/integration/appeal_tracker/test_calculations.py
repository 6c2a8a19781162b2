"""Deadlines on demand, by the same rules as an appeal's, and nothing stored."""

from typing import Any

import pytest

from tests.integration.appeal_tracker.desk import Desk, got, problem

# From the start to the 24:00 of the 7th working day, around every turn of 2026.
WORKED = {
    "2026-02-13": "2026-03-02",
    "2026-09-30": "2026-10-15",
    "2026-10-01": "2026-10-15",
    "2026-10-09": "2026-10-19",
    "2026-10-10": "2026-10-20",
}


async def calculated(desk: Desk, explain: bool = False, **case: Any) -> dict[str, Any]:
    body = {"appeal_type": "complaint", "received_at": "2026-10-09T09:30:00+08:00", **case}
    params = {"explain": "true"} if explain else {}
    return await got(desk.first.post("/deadline-calculations", json=body, params=params))


@pytest.mark.clause("7.2.3")
@pytest.mark.parametrize(("start", "seventh"), WORKED.items())
@pytest.mark.parametrize("hour", ["00:00:00", "12:00:00", "23:59:59"])
async def test_seven_working_days(desk: Desk, start: str, seventh: str, hour: str) -> None:
    answer = (await calculated(desk, received_at=f"{start}T{hour}+08:00"))["clocks"][1]
    assert (answer["milestone"], answer["clause"], answer["within"]) == ("answer", "7.2.3", "7 working days")
    assert answer["due_at"] == f"{seventh}T16:00:00Z"
    assert (answer["provisional"], "days" in answer) == (False, False)


async def test_days_are_listed_when_asked_for(desk: Desk) -> None:
    result = await calculated(desk, explain=True)
    days = result["clocks"][1]["days"]
    assert (days[0]["date"], days[0]["counted"], days[0]["reason"]) == ("2026-10-09", False, "start_day")
    assert (days[1]["date"], days[1]["counted"], days[1]["reason"]) == ("2026-10-10", True, "make_up")
    assert (days[-1]["date"], sum(day["counted"] for day in days)) == ("2026-10-19", 7)
    assert (result["policy"], result["calendar"]) == ("t-sdpea@1", "cn-statutory@1")


async def test_a_pack_or_a_unit_may_be_named_and_the_callers_own_plays_no_part(desk: Desk) -> None:
    await desk.assign("374", "state-grid")
    assert (await calculated(desk))["policy"] == "t-sdpea@1"  # though E101 is in 37401
    at = {"received_at": "2026-10-09T23:00:00+08:00"}
    assert (await calculated(desk, unit_code="37401", **at))["policy"] == "state-grid@1"
    assert (await calculated(desk, unit_code="nowhere", **at))["policy"] == "t-sdpea@1"
    assert (await calculated(desk, policy="service-window"))["policy"] == "service-window@1"


async def test_any_instant_the_calendars_cover(desk: Desk) -> None:
    (_, answer) = (await calculated(desk, received_at="2030-05-05T05:05:05Z"))["clocks"]
    assert answer["provisional"]
    assert (await calculated(desk, received_at="2007-01-01T00:00:00+08:00"))["clocks"]
    for outside in ("2006-12-31T23:59:59+08:00", "2060-12-31T12:00:00+08:00", "9999-01-01T00:00:00Z"):
        body = {"appeal_type": "complaint", "received_at": outside}
        found = problem(await desk.first.post("/deadline-calculations", json=body), 422, "outside-calendars")
        assert found["errors"][0]["pointer"] == "/received_at"


async def test_a_type_without_clocks_says_why(desk: Desk) -> None:
    result = await calculated(desk, appeal_type="report")
    assert (result["clocks"], result["no_clock_reason"]) == ([], "as_prescribed")


async def test_another_units_pack_is_not_given_away(desk: Desk) -> None:
    await desk.assign("374", "state-grid")
    body = {"appeal_type": "complaint", "received_at": "2026-10-09T23:00:00+08:00", "unit_code": "37401"}
    stranger = desk.stack.client("appeal_tracker", "visitor", unit="999", sub="X1")
    answer = await stranger.post("/deadline-calculations", json=body)
    assert (answer.status_code, answer.json()["policy"]) == (200, "t-sdpea@1")
    many = await stranger.post("/deadline-calculations", json={"cases": [body]})
    assert many.json()["results"][0]["policy"] == "t-sdpea@1"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"appeal_type": "complaint"}, "/received_at"),
        ({"appeal_type": "complaint", "received_at": "2026-10-09T09:30:00"}, "/received_at"),
        ({"appeal_type": "praise", "received_at": "2026-10-09T09:30:00Z"}, "/appeal_type"),
        ({"appeal_type": 7, "received_at": "2026-10-09T09:30:00Z"}, "/appeal_type"),
        ({"appeal_type": "complaint", "received_at": "2026-10-09T09:30:00Z", "colour": "red"}, "/colour"),
        ({"cases": [], "policy": "t-sdpea"}, "/policy"),
        ({"cases": "all"}, "/cases"),
        ({"cases": [{}] * 10_001}, "/cases"),
    ],
)
async def test_a_fault_is_pointed_at(desk: Desk, body: dict[str, Any], pointer: str) -> None:
    found = problem(await desk.first.post("/deadline-calculations", json=body), 422, "unprocessable")
    assert [error["pointer"] for error in found["errors"]] == [pointer]


async def test_many_cases_each_by_itself(desk: Desk) -> None:
    cases: list[Any] = [{"appeal_type": "complaint", "received_at": f"{start}T08:00:00+08:00"} for start in WORKED]
    cases += [
        {"appeal_type": "complaint", "received_at": "2026-10-09T08:00:00"},
        {"appeal_type": "complaint", "received_at": "2026-10-09T08:00:00Z", "policy": "none-such"},
        "nonsense",
    ]
    results = (await got(desk.first.post("/deadline-calculations", json={"cases": cases})))["results"]
    assert [result["clocks"][1]["due_at"][:10] for result in results[:5]] == list(WORKED.values())
    assert [result["error"]["type"] for result in results[5:]] == [
        "/problems/unprocessable",
        "/problems/unknown-policy",
        "/problems/unprocessable",
    ]
    assert results[5]["error"]["errors"][0]["pointer"] == "/received_at"


async def test_ten_thousand_cases_are_answered_at_once_and_nothing_is_stored(desk: Desk) -> None:
    case = {"appeal_type": "complaint", "received_at": "2026-10-09T08:00:00+08:00", "unit_code": "37401"}
    results = (await got(desk.first.post("/deadline-calculations", json={"cases": [case] * 10_000})))["results"]
    assert len(results) == 10_000
    assert not await desk.rows("SELECT FROM clocks UNION ALL SELECT FROM appeals UNION ALL SELECT FROM outbox")


async def test_a_calculation_agrees_with_the_appeals_own_clocks(desk: Desk) -> None:
    clocks = await desk.clocks(await desk.raised())
    calculation = await calculated(desk)
    assert {clock["milestone"]: clock["due_at"] for clock in calculation["clocks"]} == {
        milestone: clock["due_at"] for milestone, clock in clocks.items()
    }


@pytest.mark.clause("7.2.3")
async def test_a_deadline_is_explained_day_by_day(desk: Desk) -> None:
    case = await desk.raised()
    deadlines = (await got(desk.supervisor.get(f"/appeals/{case}/deadlines")))["items"]
    contact, answer = deadlines
    assert (answer["within"], answer["clause"], answer["due_text"]) == ("7 working days", "7.2.3", "2026-10-19 24:00")
    assert contact["due_text"] == "2026-10-10 09:30"
    assert [timer["step"] for timer in contact["timers"]] == ["0.5", "0.75", "due", "+2h"]
    explained = await got(desk.supervisor.get(f"/deadlines/{answer['id']}/explanation"))
    assert (explained["appeal_id"], explained["clock"]["policy"]) == (case, "t-sdpea@1")
    assert sum(day["counted"] for day in explained["days"]) == 7
    makeup = next(day for day in explained["days"] if day["date"] == "2026-10-10")
    assert (makeup["counted"], makeup["reason"], makeup["name"]) == (True, "make_up", "国庆节")
    problem(await desk.stranger.get(f"/deadlines/{answer['id']}/explanation"), 404, "deadline-not-found")
    problem(await desk.supervisor.get(f"/deadlines/{case}/explanation"), 404, "deadline-not-found")
