"""Callbacks where a pack requires them: which close an appeal, and what is told of them."""

import pytest

from tests.integration.appeal_tracker.desk import Desk, got, instant, made, problem


@pytest.mark.clause("7.2.5.1", "002 6.4.5.4")
async def test_a_required_callback_that_failed_is_one_once_its_reason_is_recorded(desk: Desk) -> None:
    await desk.assign("37401", "state-grid")
    case = await desk.raised(received_at=desk.clock.now())
    desk.later(hours=1)
    await desk.answer(case, "10-09T10:30")
    path = f"/appeals/{case}/callbacks"
    lacks = problem(await desk.first.post(f"/appeals/{case}/close", json={}), 409, "appeal-incomplete")["missing"]
    assert lacks == [{"what": "callback", "clause": "6.4.5.4"}]
    failed = {"at": instant("10-09T10:40").isoformat(), "result": "unreachable"}
    supervisor = desk.client("supervisor", unit="37401", sub="E109")
    problem(await supervisor.post(path, json=failed), 422, "failure-reason-missing")
    problem(await desk.first.post(f"/appeals/{case}/close", json={}), 409, "appeal-incomplete")
    for reason in ("无人接听", "号码停机"):  # and whoever wants to calls again
        await made(supervisor.post(path, json={**failed, "failure_reason": reason}))
    assert (await got(desk.first.post(f"/appeals/{case}/close", json={})))["state"] == "closed"
    kept = (await got(desk.supervisor.get(path)))["items"]
    assert [callback["failure_reason"] for callback in kept] == ["无人接听", "号码停机"]
    assert [told["result"] for told in await desk.told("appeal.called_back.v1")] == ["unreachable"] * 2


async def test_a_rating_is_a_number_wherever_it_is_read_over_http(desk: Desk) -> None:
    case = await desk.raised()
    await desk.answer(case, "10-09T09:45")
    for rating in (4, "not_rated"):
        body = {"at": instant("10-09T09:50").isoformat(), "result": "completed", "satisfaction": rating}
        assert (await made(desk.first.post(f"/appeals/{case}/callbacks", json=body)))["satisfaction"] == rating
    entries = [entry["data"] for entry in await desk.timeline(case) if entry["kind"] == "called_back"]
    listed = (await got(desk.first.get(f"/appeals/{case}/callbacks")))["items"]
    assert [each["satisfaction"] for each in entries] == [each["satisfaction"] for each in listed] == [4, "not_rated"]
    # A topic's codes are text, and a released one does not change its type.
    assert [told["satisfaction"] for told in await desk.told("appeal.called_back.v1")] == ["4", "not_rated"]
