"""Callbacks where a pack requires them: which close an appeal, and what is told of them."""

import pytest

from chassis.ids import new_id
from tests.integration.appeal_tracker.desk import Desk, got, instant, made, problem


@pytest.mark.clause("7.2.5.1", "002 6.4.5.4")
async def test_a_required_callback_that_failed_is_one_once_enough_of_them_are_documented(desk: Desk) -> None:
    await desk.assign("37401", "state-grid")
    case = await desk.raised(received_at=desk.clock.now())
    desk.later(hours=8)
    await desk.answer(case, "10-09T10:30")
    path = f"/appeals/{case}/callbacks"
    lacks = problem(await desk.first.post(f"/appeals/{case}/close", json={}), 409, "appeal-incomplete")["missing"]
    assert lacks == [{"what": "callback", "clause": "6.4.5.4"}]
    supervisor = desk.client("supervisor", unit="37401", sub="E109")
    failed = {"result": "unreachable", "failure_reason": "无人接听"}
    missing = {"result": "unreachable", "at": instant("10-09T10:40").isoformat()}
    problem(await supervisor.post(path, json=missing), 422, "failure-reason-missing")
    for at in ("10:40", "11:00", "12:40", "14:40"):  # the second is too soon after the first to count
        problem(await desk.first.post(f"/appeals/{case}/close", json={}), 409, "appeal-incomplete")
        await made(supervisor.post(path, json={**failed, "at": instant(f"10-09T{at}").isoformat()}))
    (task,) = (await got(desk.first.get("/callback-tasks", params={"state": "done"})))["items"]
    assert (task["appeal_id"], task["attempts"], task["ended_by"]) == (case, 4, "E109")
    assert (await got(desk.first.post(f"/appeals/{case}/close", json={})))["state"] == "closed"
    assert [told["result"] for told in await desk.told("appeal.called_back.v1")] == ["unreachable"] * 4


@pytest.mark.clause("002 6.4.5.4")
async def test_a_required_callback_is_a_task_of_whoever_accepted_the_appeal(desk: Desk) -> None:
    await desk.publish(
        id="soon",
        extends="state-grid",
        title="企标",
        appeals={"complaint": [{"milestone": "callback", "within": "2 working days", "clause": "1"}]},
    )
    await desk.assign("37401", "soon")
    case, mine = await desk.raised(received_at=desk.clock.now()), await desk.raised(received_at=desk.clock.now())
    desk.later(hours=1)
    handler = desk.client("supervisor", unit="37401", sub="E105")
    body = {"at": instant("10-09T10:30").isoformat(), "content": "已处理"}
    await made(handler.post(f"/appeals/{case}/answers", json=body))
    await desk.answer(mine, "10-09T10:30")  # who heard it answered it: their supervisor calls
    tasks = {each["appeal_id"]: each for each in (await got(desk.first.get("/callback-tasks")))["items"]}
    assert (tasks[case]["whose"], tasks[case]["person"]) == ("acceptor", "E101")
    assert (tasks[mine]["whose"], tasks[mine]["person"]) == ("supervisor", None)
    clock = (await desk.clocks(case))["callback"]
    assert tasks[case]["required"]
    assert tasks[case]["due_at"] == clock["due_at"]
    (ours,) = (await got(desk.first.get("/callback-tasks", params={"person": "E101", "state": "open"})))["items"]
    early = (await got(desk.first.get("/callback-tasks", params={"due_before": clock["started_at"]})))["items"]
    assert ours["id"] == tasks[case]["id"]
    assert not early
    told = await desk.told("appeal.callback_asked.v1")
    assert [(each["person"], each["due_at"] is None) for each in told] == [("E101", False), (None, False)]
    await desk.act(mine, "void", reason="重复登记")
    assert (await got(desk.first.get(f"/callback-tasks/{tasks[mine]['id']}")))["state"] == "cancelled"
    problem(await desk.stranger.get(f"/callback-tasks/{tasks[case]['id']}"), 404, "callback-task-not-found")


@pytest.mark.clause("7.2.5.1", "7.2.5.2")
async def test_a_supervisor_asks_for_a_callback_which_is_not_planned_by_night_unless_agreed(desk: Desk) -> None:
    case = await desk.raised()
    path = f"/appeals/{case}/callback-tasks"
    problem(await desk.supervisor.post(path), 409, "appeal-unanswered")
    await desk.answer(case, "10-09T09:45")
    assert not (await got(desk.first.get("/callback-tasks")))["items"]  # the floor asks for none
    task = await made(desk.supervisor.post(path))
    assert (await made(desk.supervisor.post(path)))["id"] == task["id"]
    assert task["asked_by"] == "E001"
    plan = f"/callback-tasks/{task['id']}/schedule"
    night, day = ({"at": instant(f"10-{at}").isoformat()} for at in ("09T21:00", "10T08:00"))
    problem(await desk.first.post(plan, json=night), 422, "callback-at-night")
    problem(await desk.first.post(plan, json={"at": instant("10-09T09:00").isoformat()}), 422, "callback-past")
    problem(await desk.first.post(plan, json={**day, "person": "E777"}), 403, "callback-not-yours-to-give")
    await got(desk.first.post(plan, json={**night, "agreed": True}))
    assert (await got(desk.first.post(plan, json=day)))["scheduled_at"] == "2026-10-10T00:00:00Z"
    assert [told["agreed"] for told in await desk.told("appeal.callback_scheduled.v1")] == [True, False]
    body = {"at": instant("10-09T09:55").isoformat(), "result": "completed", "satisfaction": 4}
    callback = await made(desk.first.post(f"/appeals/{case}/callbacks", json=body))
    done = await got(desk.first.get(f"/callback-tasks/{task['id']}"))
    assert (done["state"], done["callback_id"]) == ("done", callback["id"])
    problem(await desk.first.post(plan, json=day), 409, "callback-task-ended")


@pytest.mark.clause("9.4")
async def test_who_is_dissatisfied_is_followed_up(desk: Desk) -> None:
    case = await desk.raised()
    await desk.answer(case, "10-09T09:45")
    await rated(desk, case, 2, opinion="答非所问")
    await rated(desk, case, 2)  # which is followed up once
    (task,) = (await got(desk.first.get("/callback-tasks", params={"state": "open"})))["items"]
    assert (task["kind"], task["required"]) == ("follow_up", True)
    await desk.act(case, "close", desk.first)  # which does not make it satisfied
    done = await got(desk.supervisor.post(f"/callback-tasks/{task['id']}/complete", json={"note": "已上门说明"}))
    assert (done["state"], done["ended_by"]) == ("done", "E001")
    assert "followed_up" in [entry["kind"] for entry in await desk.timeline(case)]
    (row, _) = await desk.rows("SELECT * FROM callbacks ORDER BY recorded_at, id")
    assert row["opinion"] is None
    assert "答非所问".encode() not in row["opinion_sealed"]
    opinions = [each["opinion"] for each in (await got(desk.first.get(f"/appeals/{case}/callbacks")))["items"]]
    assert sorted(opinions, key=str) == [None, "答非所问"]


@pytest.mark.clause("9.4")
async def test_who_is_dissatisfied_has_a_new_round_where_the_policy_says_so(desk: Desk) -> None:
    await desk.publish(id="anew", title="企标", dissatisfied="new_round")
    await desk.assign("37401", "anew")
    case = await desk.raised(received_at=desk.clock.now())
    desk.later(hours=1)
    await desk.answer(case, "10-09T10:30")
    await rated(desk, case, 1)
    appeal = await desk.appeal(case)
    assert (appeal["state"], appeal["round"], appeal["outcome"]) == ("open", 2, None)
    assert [clock["state"] for clock in appeal["clocks"] if clock["round"] == 2] == ["running"] * 2
    kinds = [told["type"] for told in await desk.told("appeal.closed.v1", "appeal.reopened.v1")]
    assert kinds == ["appeal.closed.v1", "appeal.reopened.v1"]
    assert not (await got(desk.first.get("/callback-tasks", params={"state": "open"})))["items"]


@pytest.mark.clause("7.2.5.1", "002 6.4.5.4")
async def test_a_call_that_nobody_answered_is_no_callback_by_other_rules_either(desk: Desk) -> None:
    timed = [{"milestone": "callback", "within": "2 working days", "clause": "1"}]
    pack = {"extends": "state-grid", "title": "企标"}
    await desk.publish(id="soon", **pack, appeals={"complaint": timed, "report": timed})
    await desk.assign("37401", "soon")
    case = await desk.raised(received_at=desk.clock.now())
    await desk.assign("37402", "state-grid")
    other = await desk.raised(unit_code="37402", received_at=desk.clock.now())
    desk.later(hours=1)
    for each in (case, other):
        body = {"at": desk.clock.now().isoformat(), "content": "已处理"}
        await made(desk.supervisor.post(f"/appeals/{each}/answers", json=body))
        failed = {"at": desk.clock.now().isoformat(), "result": "unreachable", "failure_reason": "无人接听"}
        await made(desk.supervisor.post(f"/appeals/{each}/callbacks", json=failed))
    await desk.act(case, "reclassify", type="report", reason="实为举报")
    assert (await desk.clocks(case))["callback"]["state"] == "running"
    its = {"cause": "policy_version", "policy": "state-grid", "to": "soon"}
    assert (await desk.admin.post("/recalculations", json=its)).status_code in (201, 202)
    await desk.stack.settle()
    assert (await desk.clocks(other))["callback"]["state"] == "running"


@pytest.mark.clause("7.2.5.1")
async def test_by_other_rules_too_a_callback_that_failed_is_one_when_enough_were_tried(desk: Desk) -> None:
    """Not when the first of them was."""
    timed = [{"milestone": "callback", "within": "4 hours", "clause": "1"}]
    await desk.publish(id="soon", extends="state-grid", title="企标", appeals={"complaint": timed, "report": timed})
    await desk.assign("37401", "soon")
    case = await desk.raised(received_at=desk.clock.now())
    await desk.assign("37402", "state-grid")
    other = await desk.raised(unit_code="37402", received_at=desk.clock.now())
    await desk.at("10-09T17:00")
    for each in (case, other):
        await made(desk.supervisor.post(f"/appeals/{each}/answers", json=_body("10-09T11:00", content="已处理")))
        for hour in ("12", "14", "16"):
            failed = _body(f"10-09T{hour}:00", result="unreachable", failure_reason="无人接听")
            await made(desk.supervisor.post(f"/appeals/{each}/callbacks", json=failed))
    first = (await desk.clocks(case))["callback"]
    assert (first["state"], first["stopped_at"]) == ("breached", "2026-10-09T08:00:00Z")
    await desk.act(case, "reclassify", type="report", reason="实为举报")
    await made(
        desk.admin.post("/recalculations", json={"cause": "policy_version", "policy": "state-grid", "to": "soon"})
    )
    await desk.stack.settle()
    for each in (case, other):
        clock = (await desk.clocks(each))["callback"]
        assert (clock["state"], clock["stopped_at"]) == ("breached", "2026-10-09T08:00:00Z")


def _body(at: str, **more: str) -> dict[str, str]:
    return {"at": instant(at).isoformat(), **more}


@pytest.mark.clause("9.4")
async def test_a_low_rating_is_taken_though_what_is_merged_with_it_keeps_the_appeal_open(desk: Desk) -> None:
    await desk.publish(id="anew", title="企标", dissatisfied="new_round")
    await desk.assign("37401", "anew")
    of_one = {"customer_id": new_id(), "received_at": desk.clock.now()}
    leader, merged = await desk.raised(**of_one), await desk.raised(**of_one)
    desk.later(hours=1)
    await desk.answer(leader, "10-09T10:30")
    await desk.act(merged, "merge", into=leader)
    await rated(desk, leader, 1)
    assert [(await desk.appeal(case))["state"] for case in (leader, merged)] == ["called_back", "open"]
    (task,) = (await got(desk.first.get("/callback-tasks", params={"state": "open"})))["items"]
    assert (task["kind"], task["appeal_id"]) == ("follow_up", leader)


async def rated(desk: Desk, case: str, satisfaction: int, **fields: str) -> None:
    """Records what the customer thinks, now."""
    body = {"at": desk.clock.now().isoformat(), "result": "completed", "satisfaction": satisfaction, **fields}
    await made(desk.first.post(f"/appeals/{case}/callbacks", json=body))


async def test_a_rating_is_a_number_wherever_it_is_read_over_http(desk: Desk) -> None:
    case = await desk.raised()
    await desk.answer(case, "10-09T09:45")
    for rating in (4, "not_rated"):
        body = {"at": instant("10-09T09:50").isoformat(), "result": "completed", "satisfaction": rating}
        if rating == "not_rated":
            problem(await desk.first.post(f"/appeals/{case}/callbacks", json=body), 422, "not-rated-reason-missing")
            body["failure_reason"] = "客户不愿评价"
        assert (await made(desk.first.post(f"/appeals/{case}/callbacks", json=body)))["satisfaction"] == rating
    entries = [entry["data"] for entry in await desk.timeline(case) if entry["kind"] == "called_back"]
    listed = (await got(desk.first.get(f"/appeals/{case}/callbacks")))["items"]
    assert [each["satisfaction"] for each in entries] == [each["satisfaction"] for each in listed] == [4, "not_rated"]
    # A topic's codes are text, and a released one does not change its type.
    assert [told["satisfaction"] for told in await desk.told("appeal.called_back.v1")] == ["4", "not_rated"]


@pytest.mark.clause("7.2.5.1", "9.4")
@pytest.mark.parametrize("then", ["follow_up", "new_round"])
async def test_a_callback_of_before_the_answer_is_kept_and_counts_for_nothing(desk: Desk, then: str) -> None:
    await desk.publish(id="its-own", extends="state-grid", title="企标", dissatisfied=then)
    await desk.assign("37401", "its-own")
    case = await desk.raised(received_at=desk.clock.now())
    desk.later(hours=2)
    await desk.answer(case, "10-09T11:00")
    path = f"/appeals/{case}/callbacks"
    early = await made(desk.supervisor.post(path, json=_rated("10-09T10:50")))
    assert early["counts"] is False
    appeal = await desk.appeal(case)
    assert (appeal["state"], appeal["round"]) == ("answered", 1)
    kinds = {"state": "open", "kind": "follow_up"}
    assert (await got(desk.supervisor.get("/callback-tasks", params=kinds)))["items"] == []
    # It was about an answer that somebody recorded later.
    await desk.answer(case, "10-09T10:40")
    assert [each["counts"] for each in (await got(desk.first.get(path)))["items"]] == [True]
    assert (await desk.appeal(case))["state"] == "called_back"
    assert (await made(desk.supervisor.post(path, json=_rated("10-09T11:10"))))["counts"] is True
    assert (await desk.appeal(case))["round"] == (2 if then == "new_round" else 1)
    assert [each["counts"] for each in (await got(desk.first.get(path)))["items"]] == [True, True]


def _rated(at: str) -> dict[str, object]:
    return {"at": instant(at).isoformat(), "result": "completed", "satisfaction": 1}
