"""What a caller may not see beside what they may: appeals merged with theirs, words in confidence, others' jobs."""

from typing import Any

import httpx
import pytest

from tests.integration.appeal_tracker.desk import Desk, got, made, problem, unit
from tests.integration.appeal_tracker.test_merging import of_kind, raised
from tests.integration.appeal_tracker.test_publishing_calendars import AUGUST, report, typhoon

HOLDABLE = {"milestone": "answer", "within": "10 working days", "clause": "企标 2", "holdable": True}


@pytest.fixture
def near(desk: Desk) -> httpx.AsyncClient:
    """Who supervises the unit of the leader, and nothing else."""
    return desk.client("supervisor", unit="37401", sub="E109")


@pytest.fixture
def far(desk: Desk) -> httpx.AsyncClient:
    """Who supervises the unit of what is merged into it."""
    return desk.client("supervisor", unit="37402", sub="E209")


@pytest.fixture
async def group(desk: Desk) -> list[str]:
    """A leader of 37401, with one of its own unit and two of 37402 merged into it by the unit above both."""
    leader = await raised(desk, "10-09T09:30", appeal_no="V1")
    await desk.answer(leader, "10-09T09:40")
    cases = [
        await raised(desk, "10-09T09:50", appeal_no=f"V{place}", unit_code=code)
        for place, code in ((2, "37401"), (3, "37402"), (4, "37402"))
    ]
    for case in cases:
        await desk.act(case, "merge", into=leader, note="同一事由")
    return [leader, *cases]


async def test_what_is_missing_elsewhere_is_counted_and_not_named(
    desk: Desk, group: list[str], near: httpx.AsyncClient
) -> None:
    leader, own, *others = group
    found = problem(await desk.acting(leader, "close", near), 409, "appeal-incomplete")
    lack = {"what": "answer", "clause": "7.2.3"}
    assert found["missing"] == [lack | {"appeal_id": own, "appeal_no": "V2"}, lack | {"elsewhere": 2}]
    whole = problem(await desk.acting(leader, "close"), 409, "appeal-incomplete")
    assert [each["appeal_id"] for each in whole["missing"]] == [own, *others]


async def test_a_timeline_names_no_appeal_that_is_out_of_sight(
    desk: Desk, group: list[str], near: httpx.AsyncClient, far: httpx.AsyncClient
) -> None:
    leader, own, other, _ = group
    await desk.act(other, "unmerge")
    seen = (await got(near.get(f"/appeals/{leader}/timeline")))["items"]
    names = [each["data"]["appeal_id"] for each in seen if each["kind"] in ("joined", "left")]
    assert names == [own, None, None, None]
    assert [each["data"]["appeal_id"] for each in await of_kind(desk, leader, "joined", "left")] == [*group[1:], other]
    seen = (await got(far.get(f"/appeals/{other}/timeline")))["items"]
    merging, unmerging = (each for each in seen if each["kind"] in ("merged", "unmerged"))
    assert (merging["data"], unmerging["data"]) == ({"into": None, "note": "同一事由"}, {"out_of": None})


async def test_that_it_is_merged_is_seen_and_not_into_which(
    desk: Desk, group: list[str], far: httpx.AsyncClient
) -> None:
    leader, _, other, _ = group
    for shown in (
        await got(far.get(f"/appeals/{other}")),
        (await got(far.get("/appeals")))["items"][0],
        await desk.act(other, "accept", far),
    ):
        assert (shown["is_merged"], shown["merged_into"]) == (True, None)
    whole = await desk.appeal(other)
    assert (whole["is_merged"], whole["merged_into"]) == (True, leader)
    assert "into" not in problem(await desk.acting(other, "close", far), 409, "appeal-merged")
    mine = await raised(desk, "10-09T09:50", unit_code="37402")
    assert "into" not in problem(await desk.acting(other, "merge", far, into=mine), 409, "appeal-merged")


async def test_a_promise_is_explained_and_not_whose_it_is(desk: Desk, far: httpx.AsyncClient) -> None:
    leader = await raised(desk, "10-09T09:30")
    await desk.at("10-12T11:00")
    child = await raised(desk, "10-12T10:00", unit_code="37402")
    await desk.act(child, "merge", into=leader)
    path = f"/deadlines/{(await desk.clocks(child))['answer']['id']}/explanation"
    promise, whole = [(await got(client.get(path)))["promise"] for client in (far, desk.supervisor)]
    assert whole["appeal_id"] == leader
    hidden = {"appeal_id": None, "appeal_no": None, "clock_id": None}
    assert promise == whole | hidden


async def test_what_may_not_wait_elsewhere_is_not_named(desk: Desk, near: httpx.AsyncClient) -> None:
    await desk.publish(id="own", appeals={"report": [HOLDABLE]})
    await desk.assign("374", "own")
    leader = await raised(desk, "10-09T09:30", appeal_type="report")
    child = await raised(desk, "10-09T09:35", unit_code="37402")  # a complaint, which waits for nothing
    await desk.act(child, "merge", into=leader)
    assert "appeal_no" not in problem(await desk.acting(leader, "hold", near, reason="等待"), 422, "not-holdable")
    assert "appeal_no" in problem(await desk.acting(leader, "hold", reason="等待"), 422, "not-holdable")


@pytest.mark.clause("002 6.4.5.5")
async def test_what_is_noted_in_confidence_is_hidden_from_the_unit_it_may_be_about(desk: Desk) -> None:
    await desk.hear(unit("3740101", "37401"))
    answer = {"milestone": "survey", "within": "5 working days", "clause": "企标 3"}
    await desk.publish(id="own", reopen="continue", reopen_for=["report"], appeals={"report": [HOLDABLE, answer]})
    await desk.assign("374", "own")
    secret = await desk.raised(appeal_type="report", confidential=True, visit_id=None, customer_id=None)
    plain = await desk.raised(appeal_type="report")
    investigator = desk.client("supervisor", unit="37402", sub="E201")
    for case in (secret, plain):
        await desk.act(case, "accept", note="绝密：受理")
        await desk.act(case, "transfer", handling_unit_code="37402", reason="绝密：转派")
        await desk.act(case, "hold", investigator, reason="绝密：等待", note="绝密：约定")
        await desk.act(case, "resume", note="绝密：已到")
        body = {"milestone": "survey", "at": desk.clock.now().isoformat(), "note": "绝密：现场"}
        assert (await desk.supervisor.post(f"/appeals/{case}/milestones", json=body)).status_code == 201
        await desk.answer(case, "10-09T09:50")
        await desk.act(case, "close")
        await desk.act(case, "reopen", reason="绝密：重办")
    accused = [("supervisor", "E109"), ("admin", "E108"), ("auditor", "E107"), ("visitor", "E101")]
    readers: list[tuple[str, str, str, bool]] = [(role, "37401", sub, False) for role, sub in accused]
    readers += [("visitor", "374", "E003", False), ("auditor", "374", "E002", True)]
    for role, unit_code, sub, readable in readers:
        client = desk.client(role, unit=unit_code, sub=sub)
        for case, expected in ((secret, readable), (plain, True)):
            assert [*{"绝密" in text for text in await _texts(desk, client, case)}] == [expected], (role, unit_code)
    own = (await got(investigator.get(f"/appeals/{secret}/timeline")))["items"]
    told = {each["kind"]: each["data"] for each in own}
    assert (told["held"]["reason"], told["accepted"]["note"]) == ("绝密：等待", "绝密：受理"), (
        "supervises who handles it"
    )


async def _texts(desk: Desk, client: httpx.AsyncClient, case: str) -> list[str]:
    """All that is shown of an appeal to somebody, page by page."""
    clocks: list[Any] = (await desk.appeal(case))["clocks"]
    paths = [f"/deadlines/{clock['id']}/explanation" for clock in clocks if clock["milestone"] == "answer"][-1:]
    answers = [await client.get(path) for path in (f"/appeals/{case}/timeline", *paths)]
    answers += [await client.get(path, headers={"Accept": "text/html"}) for path in paths]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.text for answer in answers]


async def test_a_recalculation_is_seen_where_it_belongs_and_what_belongs_to_no_unit_from_the_top_alone(
    desk: Desk,
) -> None:
    asked = (
        {"cause": "assignment", "unit_code": "37401"},
        {"cause": "policy_version", "policy": "t-sdpea", "unit_code": "37402"},
        {"cause": "calendar_version", "calendar": "cn-statutory"},
        {"cause": "policy_version", "policy": "t-sdpea"},
    )
    ours, beside, *nobodys = [(await made(desk.admin.post("/recalculations", json=each)))["id"] for each in asked]
    await desk.stack.settle()
    readers = {"374": {ours, beside, *nobodys}, "37401": {ours}, "37402": {beside}, "375": {*nobodys}, "999": set()}
    for code, seen in readers.items():
        for role in ("admin", "auditor"):
            client = desk.client(role, unit=code)
            assert {each["id"] for each in (await got(client.get("/recalculations")))["items"]} == seen, code
            for job in {ours, beside, *nobodys}:
                for path in ("", "/changes"):
                    answer = await client.get(f"/recalculations/{job}{path}")
                    assert answer.status_code == (200 if job in seen else 404), (code, job, path)


async def test_units_that_picked_a_calendar_elsewhere_are_counted(desk: Desk) -> None:
    await desk.publish(id="base", appeals=report("15 calendar days"))
    await desk.publish(id="own", extends="base", appeals=report("5 working days"))
    await desk.publish_days("plant", typhoon("2026-10-12"))
    await desk.assign("37401", "own", calendar="plant")
    body = {"policy": "own", "calendar": "plant"}
    await got(desk.stranger.put("/units/375/policy", json=body, headers={"If-Match": "*"}))
    for client, code in ((desk.admin, "37401"), (desk.stranger, "375")):
        dry = client.post("/calendars/plant/versions", json=typhoon(*AUGUST), params={"dry_run": True})
        (laxer,) = (await got(dry))["laxer"]
        assert (laxer["policy"], laxer["units"], laxer["elsewhere"]) == ("own@1", [code], 1)


async def test_what_a_unit_took_along_is_not_simulated_for_those_it_left(desk: Desk) -> None:
    for code in ("37401", "37402"):
        await desk.raised(unit_code=code)
    await desk.at("10-20T09:00")
    past = {"from": "2026-10-01", "to": "2026-10-10", "policy": "state-grid"}
    asked = await made(desk.admin.post("/simulations", json=past))
    await desk.stack.settle()
    path = f"/simulations/{asked['id']}"
    assert await _units(desk, path) == {"37401", "37402"}
    ((moved,),) = await desk.rows("SELECT id FROM units WHERE code = '37402'")
    await desk.hear(unit("37402", "375", version=2, id=moved))
    assert await _units(desk, path) == {"37401"}


async def _units(desk: Desk, path: str) -> set[str]:
    """The units whose appeals a simulation shows, in whatever form."""
    rows = [*(await got(desk.admin.get(path)))["rows"], *(await got(desk.admin.get(f"{path}/appeals")))["items"]]
    tables = [(await desk.admin.get(each, headers={"Accept": "text/csv"})).text for each in (path, f"{path}/appeals")]
    found = {row["unit_code"] for row in rows}
    assert found == {code for code in ("37401", "37402") if any(code in table for table in tables)}
    return found
