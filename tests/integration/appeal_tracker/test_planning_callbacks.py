"""Callbacks are planned for somebody who can make them, and for a time that somebody has in mind."""

import pytest

from chassis.ids import new_id
from tests.integration.appeal_tracker.desk import Desk, got, instant, made, problem, staff


@pytest.mark.clause("002 6.4.5.4")
async def test_a_callback_is_given_to_somebody_who_may_make_it(desk: Desk) -> None:
    """Else it is in nobody's day."""
    others = [("E105", "37401"), ("E106", "37401"), ("E201", "37402"), ("E301", "375"), ("E007", "374")]
    await desk.hear(*(staff(number, code, "visitor") for number, code in others), staff("E002", "374", "supervisor"))
    await desk.assign("37401", "state-grid")
    case = await desk.raised(received_at=desk.clock.now())
    desk.later(hours=1)
    await desk.act(case, "dispatch", handler="E105")
    given = {"at": desk.clock.now().isoformat(), "content": "已处理"}
    await made(desk.supervisor.post(f"/appeals/{case}/answers", json=given))
    (task,) = (await got(desk.supervisor.get("/callback-tasks")))["items"]
    plan = f"/callback-tasks/{task['id']}/schedule"

    async def refused(person: str, slug: str) -> None:
        answer = await desk.supervisor.post(plan, json={"at": instant("10-10T10:00").isoformat(), "person": person})
        assert problem(answer, 422, slug)["errors"][0]["pointer"] == "/person"

    await refused("E105", "not-theirs-to-call-back")  # who handles it
    await refused("E007", "not-theirs-to-call-back")  # of another unit than took it
    for stranger in ("E201", "E301", "E777"):  # beside it, elsewhere, and nobody at all
        await refused(stranger, "unknown-staff")
    assert (await got(desk.supervisor.get(f"/callback-tasks/{task['id']}")))["person"] == "E101"
    for person in ("E106", "E002", "E001"):  # of the unit that took it, a supervisor, and whoever plans it
        its = {"at": instant("10-10T10:00").isoformat(), "person": person}
        assert (await got(desk.supervisor.post(plan, json=its)))["person"] == person


@pytest.mark.clause("002 6.4.5.4")
async def test_nobody_calls_back_who_gave_no_name_nor_is_timed_to(desk: Desk) -> None:
    timed = [{"milestone": "callback", "within": "2 working days", "clause": "1"}]
    packs = [{"id": each, "extends": "state-grid", "title": "企标"} for each in ("soon", "sooner")]
    for pack in packs:
        await desk.publish(**pack, appeals={"complaint": timed, "report": timed})
    await desk.assign("37401", "soon")
    named, case = [await desk.raised(received_at=desk.clock.now(), anonymous=each) for each in (False, True)]
    desk.later(hours=1)
    for each in (named, case):
        await desk.answer(each, "10-09T10:30")
    assert "callback" in await desk.clocks(named)
    appeal = await desk.appeal(case)
    assert ([each["milestone"] for each in appeal["clocks"]], appeal["no_callback_reason"]) == (["answer"], "anonymous")
    assert (await desk.appeal(named))["no_callback_reason"] is None
    assert (await desk.timeline(case))[0]["data"]["no_callback_reason"] == "anonymous"
    called = {"at": instant("10-09T10:40").isoformat(), "result": "completed"}
    for path, body in (("callbacks", called), ("callback-links", {}), ("callback-tasks", None)):
        problem(await desk.supervisor.post(f"/appeals/{case}/{path}", json=body), 409, "nobody-to-call")
    # Nor by other rules.
    its = {"cause": "policy_version", "policy": "soon", "to": "sooner"}
    assert (await desk.admin.post("/recalculations", json=its)).status_code in (201, 202)
    await desk.stack.settle()
    await desk.act(case, "reclassify", type="report", reason="实为举报")
    assert "callback" not in await desk.clocks(case)
    await desk.act(case, "close")


async def test_a_callback_is_planned_for_90_days_ahead_at_most(desk: Desk) -> None:
    case = await desk.raised()
    await desk.answer(case, "10-09T09:45")
    task = await made(desk.supervisor.post(f"/appeals/{case}/callback-tasks"))
    plan = f"/callback-tasks/{task['id']}/schedule"
    answer = await desk.first.post(plan, json={"at": "2027-01-08T10:00:00+08:00"})
    assert problem(answer, 422, "callback-too-far")["errors"][0]["pointer"] == "/at"
    await got(desk.first.post(plan, json={"at": "2027-01-07T09:00:00+08:00"}))


@pytest.mark.clause("002 6.4.5.4")
async def test_who_speaks_for_an_appeal_that_is_called_back_has_its_task(desk: Desk) -> None:
    """Closing demands it of both."""
    timed = [{"milestone": "callback", "within": "2 working days", "clause": "1"}]
    await desk.publish(id="soon", extends="state-grid", title="企标", appeals={"complaint": timed})
    await desk.assign("37401", "soon")
    of_one = {"customer_id": new_id(), "received_at": desk.clock.now()}
    leader, other = [await desk.raised(appeal_type="suggestion", **of_one) for _ in range(2)]
    child = await desk.raised(**of_one)
    desk.later(hours=1)
    await desk.answer(child, "10-09T10:30")
    await desk.answer(leader, "10-09T10:40")

    async def open_tasks() -> dict[str, str | None]:
        items = (await got(desk.supervisor.get("/callback-tasks", params={"state": "open"})))["items"]
        return {each["appeal_id"]: each["due_at"] for each in items}

    due = (await desk.clocks(child))["callback"]["due_at"]
    assert await open_tasks() == {child: due}
    await desk.act(child, "merge", into=leader)
    assert await open_tasks() == {leader: due}
    await desk.act(child, "unmerge")
    assert await open_tasks() == {child: due}
    # Also where the leader is called back already, and where it was merged before the answer.
    called = {"at": instant("10-09T10:45").isoformat(), "result": "completed"}
    await made(desk.supervisor.post(f"/appeals/{leader}/callbacks", json=called))
    await desk.act(child, "merge", into=leader)
    early = await desk.raised(**of_one)
    await desk.act(early, "merge", into=other)
    await desk.answer(other, "10-09T10:50")
    assert set(await open_tasks()) == {leader, other}
    for case in (leader, other):
        problem(await desk.acting(case, "close"), 409, "appeal-incomplete")
        now = {"at": desk.clock.now().isoformat(), "result": "completed"}
        await made(desk.supervisor.post(f"/appeals/{case}/callbacks", json=now))
        assert case not in await open_tasks()
        await desk.act(case, "close")
    # By the deadline of the one that waits, not of the one that was called back before.
    done, waiting = [await desk.raised(**of_one) for _ in range(2)]
    await desk.answer(done, "10-09T10:50")
    await made(desk.supervisor.post(f"/appeals/{done}/callbacks", json=now))
    await desk.at("10-10T10:30")
    await desk.answer(waiting, "10-10T10:20")
    await desk.act(waiting, "merge", into=done)
    due, over = [(await desk.clocks(case))["callback"]["due_at"] for case in (waiting, done)]
    assert over < due
    assert await open_tasks() == {done: due}


@pytest.mark.clause("7.2.5.2")
async def test_a_call_by_night_is_excused_by_the_time_that_the_customer_agreed_on_and_by_no_other(desk: Desk) -> None:
    case = await desk.raised()
    await desk.answer(case, "10-09T09:45")
    await desk.at("10-09T23:59")
    agreed = {"21:30": False, "21:00": False, "22:00": False, "20:59": True, "22:01": True, "09:50": True}
    for local, marked in agreed.items():
        body = {"at": instant("10-09T21:30").isoformat(), "result": "unreachable", "failure_reason": "无人接听"}
        body["agreed_at"] = instant(f"10-09T{local}").isoformat()
        made_at_night = await made(desk.first.post(f"/appeals/{case}/callbacks", json=body))
        assert made_at_night["quiet_hours"] is marked, local


async def test_a_callback_that_a_supervisor_asked_for_is_dropped_by_a_supervisor_alone(desk: Desk) -> None:
    called, dropped = await desk.raised(), await desk.raised()
    tasks = {}
    for case in (called, dropped):
        await desk.answer(case, "10-09T09:45")
        tasks[case] = await made(desk.supervisor.post(f"/appeals/{case}/callback-tasks"))
        refused = problem(await desk.acting(case, "close", desk.first), 409, "callback-asked-for")
        assert (refused["task_id"], refused["asked_by"]) == (tasks[case]["id"], "E001")
    now = {"at": desk.clock.now().isoformat(), "result": "completed"}
    await made(desk.first.post(f"/appeals/{called}/callbacks", json=now))
    await desk.act(called, "close", desk.first)
    await desk.act(dropped, "close")
    ended = [(await got(desk.first.get(f"/callback-tasks/{tasks[case]['id']}")))["state"] for case in (called, dropped)]
    assert ended == ["done", "cancelled"]


async def test_what_a_supervisor_asked_for_is_asked_of_whatever_speaks_for_the_appeal(desk: Desk) -> None:
    """Else whoever is to call would drop it by merging."""
    of_one = {"customer_id": new_id()}
    handler = desk.client("handler", unit="37401", sub="E105")
    leader, other, *children = [await desk.raised(**of_one) for _ in range(4)]
    for case in (leader, *children):
        await desk.answer(case, "10-09T09:45")
    for child, into in zip(children, (leader, other), strict=True):
        await made(desk.supervisor.post(f"/appeals/{child}/callback-tasks"))
        await desk.act(child, "merge", handler, into=into)

    async def asked() -> dict[str, str]:
        items = (await got(desk.supervisor.get("/callback-tasks", params={"state": "open"})))["items"]
        return {each["appeal_id"]: each["asked_by"] for each in items}

    assert await asked() == {leader: "E001", children[1]: "E001"}, "the other one is not answered yet"
    to_call_back = {each["id"] for each in (await got(desk.first.get("/my-day")))["to_call_back"]}
    assert leader in to_call_back
    assert children[1] not in to_call_back, "nobody calls about what is merged"
    await desk.answer(other, "10-09T09:50")
    assert await asked() == {leader: "E001", other: "E001"}
    for case in (leader, other):
        problem(await desk.acting(case, "close", desk.first), 409, "callback-asked-for")
    now = {"at": desk.clock.now().isoformat(), "result": "completed"}
    await made(desk.first.post(f"/appeals/{leader}/callbacks", json=now))
    await desk.act(leader, "close", desk.first)
    assert await asked() == {other: "E001"}
