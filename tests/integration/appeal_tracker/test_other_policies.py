"""What is open is brought to another policy: on purpose, or because the units turn out to be others."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from chassis.ids import new_id
from tests.integration.appeal_tracker.desk import RECEIVED, Desk, got, instant, made, staff, unit
from tests.integration.appeal_tracker.test_audit import look
from tests.integration.appeal_tracker.test_recalculations import changes, recalculate, stop_work, worker

SUPERVISOR = staff("E701", "377", "supervisor")


async def pack(desk: Desk, id: str = "own", **limits: Any) -> dict[str, Any]:
    """A pack of one's own, from tomorrow on."""
    document = {"id": id, "title": "自有策略", "extends": "t-sdpea", "effective_from": "2026-10-10", **limits}
    return await made(desk.admin.post("/policies", json=document))


def answer(within: str) -> list[dict[str, str]]:
    return [{"milestone": "answer", "within": within, "clause": "1"}]


async def state(desk: Desk, case: str) -> Any:
    (row,) = await desk.rows("SELECT policy, policy_assumed, no_clock_reason FROM appeals WHERE id = $1", UUID(case))
    return tuple(row)


async def test_an_appeal_keeps_its_version_unless_it_is_recalculated_on_purpose(desk: Desk) -> None:
    case = await desk.raised()
    before = await desk.clocks(case)
    await pack(desk, appeals={"complaint": answer("5 working days")})
    assert await desk.clocks(case) == before
    said = await got(
        desk.admin.post(
            "/recalculations",
            json={"cause": "policy_version", "policy": "t-sdpea", "to": "own"},
            params={"dry_run": "true"},
        )
    )
    assert await desk.clocks(case) == before
    job = await recalculate(desk, cause="policy_version", policy="t-sdpea", to="own")
    assert (job["state"], job["target"], job["total"], job["done"], job["moved"]) == ("done", "own@1", 1, 1, 1)
    assert (said["total"], said["moved"], said["items"]) == (1, 1, await changes(desk, job))
    after = await desk.clocks(case)
    assert (after["answer"]["due_at"], after["answer"]["policy"]) == ("2026-10-15T16:00:00Z", "own@1")
    assert after["contact"]["due_at"] == before["contact"]["due_at"]
    assert after["contact"]["policy"] == "own@1"
    assert await state(desk, case) == ("own@1", False, None)
    (told,) = await desk.told("deadline.recalculated.v1")
    assert (told["cause"], told["milestone"]) == ("policy_version", "answer")
    assert (told["actor"], told["recalculation_id"]) == ("E009", job["id"])
    assert (told["old_policy"], told["policy"]) == ("t-sdpea@1", "own@1")
    assert told["old_calendar"] == told["calendar"] == "cn-statutory@1"


async def test_what_another_policy_leaves_in_its_place_is_on_record_all_the_same(desk: Desk) -> None:
    """Who had it run by other rules, and when: of each deadline, and of an appeal without any."""
    timed, untimed = await desk.raised(), await desk.raised(appeal_type="report")
    before = (await desk.clocks(timed))["contact"]
    await pack(desk, appeals={"complaint": answer("5 working days")})
    desk.later(minutes=5)
    job = await recalculate(desk, cause="policy_version", policy="t-sdpea", to="own")
    explained = await got(desk.supervisor.get(f"/deadlines/{before['id']}/explanation"))
    (kept,) = explained["recalculations"]
    assert (kept["cause"], kept["actor"], kept["recalculation_id"]) == ("policy_version", "E009", job["id"])
    assert (kept["old_policy"], kept["policy"]) == ("t-sdpea@1", "own@1")
    assert kept["old_due_at"] == kept["due_at"] == before["due_at"]
    assert kept["at"] == "2026-10-09T02:05:00Z"
    (line,) = [entry for entry in await desk.timeline(untimed) if entry["kind"] == "policy_changed"]
    assert (line["actor"], line["at"], line["data"]["cause"]) == ("E009", "2026-10-09T02:05:00Z", "policy_version")
    assert (line["data"]["old_policy"], line["data"]["policy"]) == ("t-sdpea@1", "own@1")
    assert line["data"]["recalculation"] == job["id"]
    assert [change["milestone"] for change in await changes(desk, job)] == ["answer"], "these are no changes of its"
    assert "policy_changed" not in [entry["kind"] for entry in await desk.timeline(timed)]


async def test_only_the_units_that_are_named(desk: Desk) -> None:
    named, other = [await desk.raised(unit_code=code) for code in ("37401", "37402")]
    job = await recalculate(desk, cause="policy_version", policy="t-sdpea", to="state-grid", unit_code="37401")
    assert job["done"] == 1
    assert (await desk.appeal(named))["policy"] == "state-grid@1"
    assert (await desk.appeal(other))["policy"] == "t-sdpea@1"


async def test_a_milestone_that_is_timed_besides_begins_where_it_would_have_begun(desk: Desk) -> None:
    """000 sets no time for the answer to a report, 002 sets ten working days."""
    case, answered = [await desk.raised(appeal_type="report") for _ in range(2)]
    assert await desk.clocks(case) == {}
    assert (await state(desk, case))[2] == "as_prescribed"
    await desk.answer(answered, "10-09T10:00")
    job = await recalculate(desk, cause="policy_version", policy="t-sdpea", to="state-grid")
    clock = (await desk.clocks(case))["answer"]
    assert (clock["started_at"], clock["due_at"]) == ("2026-10-09T01:30:00Z", "2026-10-22T16:00:00Z")
    assert clock["state"] == "running"
    assert await state(desk, case) == ("state-grid@1", False, None)
    done = (await desk.clocks(answered))["answer"]
    assert (done["state"], done["met_at"]) == ("met", "2026-10-09T02:00:00Z")
    found = {change["subject_id"]: change for change in await changes(desk, job)}
    assert found[case]["old_due_at"] is None
    assert (job["moved"], job["breaching"]) == (2, 0)
    told = {event["subject_id"]: event for event in await desk.told("deadline.started.v1")}
    assert told.keys() == {case, answered}
    its = told[case]
    assert (its["clock_id"], its["due_at"], its["started_at"]) == (clock["id"], clock["due_at"], clock["started_at"])
    assert (its["policy"], its["calendar"], its["cause"]) == ("state-grid@1", "cn-statutory@1", "policy_version")
    assert (its["actor"], its["recalculation_id"], its["round"]) == ("E009", job["id"], 1)
    kinds = [entry["kind"] for entry in await desk.timeline(answered)]
    assert kinds[-3:] == ["deadline_started", "deadline_met", "callback_asked"]  # which 002 requires


async def test_one_that_is_past_with_that_is_breached_at_once_and_told_of_once(desk: Desk) -> None:
    case = await desk.raised(appeal_type="report")
    await desk.at("11-20T10:00")
    job = await recalculate(desk, cause="policy_version", policy="t-sdpea", to="state-grid")
    assert job["breaching"] == 1
    answered = (await desk.clocks(case))["answer"]
    assert (answered["state"], answered["late_arrival"]) == ("breached", True)
    steps = [event for event in await desk.told() if event["type"].startswith("deadline.") and "step" in event]
    assert {event["late"] for event in steps} == {True}
    assert len([event for event in steps if event["audience"]]) == 1, "the highest step tells all"


async def test_a_milestone_that_is_timed_no_more_ends(desk: Desk) -> None:
    await desk.assign("37401", "state-grid")
    case = await desk.raised(received_at=desk.clock.now(), appeal_type="report")
    assert (await desk.clocks(case))["answer"]["state"] == "running"
    job = await recalculate(desk, cause="policy_version", policy="state-grid", to="t-sdpea")
    assert (await desk.clocks(case))["answer"]["state"] == "cancelled"
    assert await state(desk, case) == ("t-sdpea@1", False, "as_prescribed")
    (change,) = await changes(desk, job)
    assert (change["due_at"], change["old_policy"]) == (None, "state-grid@1")
    (entry,) = [entry for entry in await desk.timeline(case) if entry["kind"] == "deadline_cancelled"]
    assert (entry["data"]["cause"], entry["actor"]) == ("policy_version", "E009")
    (told,) = await desk.told("deadline.cancelled.v1")
    assert (told["subject_id"], told["milestone"], told["clock_id"]) == (case, "answer", entry["data"]["clock_id"])
    await desk.at("11-20T10:00")
    assert not [event for event in await desk.told() if "step" in event]


async def test_what_is_past_when_it_is_timed_no_more_is_breached_all_the_same(desk: Desk) -> None:
    """Also where nobody has recorded it yet."""
    await desk.assign("37401", "state-grid")
    case = await desk.raised(received_at=desk.clock.now(), appeal_type="report")
    desk.clock.set(instant("11-20T10:00"))
    body = {"cause": "policy_version", "policy": "state-grid", "to": "t-sdpea"}
    said = await got(desk.admin.post("/recalculations", json=body, params={"dry_run": "true"}))
    assert (said["total"], said["moved"], said["items"]) == (1, 0, []), "it does not end"
    job = await made(desk.admin.post("/recalculations", json=body))
    while await worker(desk).run_once():
        pass
    assert (await got(desk.admin.get(f"/recalculations/{job['id']}")))["moved"] == 0
    assert (await desk.clocks(case))["answer"]["state"] == "running"
    await desk.stack.settle()
    assert (await desk.clocks(case))["answer"]["state"] == "breached"
    assert len(await desk.told("deadline.breached.v1")) == 1
    assert not await desk.told("deadline.cancelled.v1")


async def test_a_milestone_that_is_timed_again_runs_again_and_tells_nothing_twice(desk: Desk) -> None:
    await desk.assign("37401", "state-grid")
    case = await desk.raised(received_at=desk.clock.now(), appeal_type="report")
    await desk.at("10-19T12:00")
    before = (await desk.clocks(case))["answer"]
    warned = [event["step"] for event in await desk.told("deadline.warned.v1")]
    assert warned == ["0.5"]
    await recalculate(desk, cause="policy_version", policy="state-grid", to="t-sdpea")
    assert (await desk.clocks(case))["answer"]["state"] == "cancelled"
    assert await look(desk) == {}
    body = {"cause": "policy_version", "policy": "t-sdpea", "to": "state-grid"}
    said = await got(desk.admin.post("/recalculations", json=body, params={"dry_run": "true"}))
    job = await recalculate(desk, **body)
    assert (await desk.clocks(case))["answer"] == before
    assert (job["moved"], said["items"]) == (1, await changes(desk, job))
    assert await look(desk) == {}
    (cancelled,), (again,) = await desk.told("deadline.cancelled.v1"), await desk.told("deadline.recalculated.v1")
    assert (again["clock_id"], again["cause"]) == (cancelled["clock_id"], "policy_version")
    assert (again["old_due_at"], again["due_at"]) == (cancelled["due_at"], before["due_at"])
    await desk.at("10-23T00:00")
    assert (await desk.clocks(case))["answer"]["state"] == "breached"
    warned = [event["step"] for event in await desk.told("deadline.warned.v1")]
    assert warned == ["0.5", "0.75", "-1wd"]


async def test_who_need_not_be_contacted_again_need_not_by_another_policy(desk: Desk) -> None:
    contact = {"milestone": "contact", "within": "24 hours", "clause": "2"}
    survey = {"milestone": "survey", "within": "3 working days", "clause": "3", "starts": "contacted"}
    await desk.publish(id="own", reopen="restart", reopen_for=["report"], appeals={"report": answer("10 working days")})
    await desk.publish(
        id="more",
        reopen="restart",
        reopen_for=["report"],
        appeals={"report": [contact, *answer("9 working days"), survey]},
    )
    await desk.assign("37401", "own")
    case = await desk.raised(appeal_type="report")
    await desk.answer(case, "10-09T09:50")
    await desk.act(case, "close")
    await desk.act(case, "reopen", reason="客户再次反映")
    await recalculate(desk, cause="policy_version", policy="own", to="more")
    its = {clock["milestone"]: clock for clock in (await desk.appeal(case))["clocks"] if clock["round"] == 2}
    assert {name: clock["started_at"] for name, clock in its.items()} == dict.fromkeys(
        ("answer", "survey"), "2026-10-09T02:00:00Z"
    )
    await desk.at("10-12T00:00")
    assert not await desk.told("deadline.breached.v1")
    assert await look(desk) == {}


async def test_attempts_in_vain_that_were_enough_are_a_contact_by_another_policy_too(desk: Desk) -> None:
    contact = {"milestone": "contact", "within": "24 hours", "clause": "2"}
    await desk.publish(id="own", appeals={"report": [contact, *answer("10 working days")]})
    case = await desk.raised(appeal_type="report")
    await desk.at("10-09T20:00")
    for at in ("10-09T10:00", "10-09T12:00", "10-09T14:00"):
        await desk.contact(case, at, "no_answer")
    assert (await desk.appeal(case))["state"] == "contacted"
    await recalculate(desk, cause="policy_version", policy="t-sdpea", to="own")
    clock = (await desk.clocks(case))["contact"]
    assert (clock["state"], clock["met_at"]) == ("met", "2026-10-09T06:00:00Z")


async def test_each_appeal_counts_as_contacted_by_its_own_policy(desk: Desk) -> None:
    contact = {"milestone": "contact", "within": "24 hours", "clause": "2"}
    limits = {"report": [contact, *answer("10 working days")]}
    await desk.publish(id="loose", appeals=limits)
    await desk.publish(id="strict", contact={"accepts": ["reached"], "attempts": 3, "hours_apart": 2}, appeals=limits)
    cases = {}
    for code, name in (("37401", "strict"), ("37402", "loose")):
        cases[name] = await desk.raised(appeal_type="report", unit_code=code)
        await desk.contact(cases[name], "10-09T09:50", "refused", by=desk.supervisor)
        await desk.assign(code, name)
    await recalculate(desk, cause="assignment", unit_code="374")
    states = {name: (await desk.clocks(case))["contact"]["state"] for name, case in cases.items()}
    assert states == {"strict": "running", "loose": "met"}


async def merged_reports(desk: Desk) -> tuple[str, str]:
    """A report of 37401, and one of 37402 that is merged into it."""
    customer = new_id()
    leader = await desk.raised(appeal_type="report", customer_id=customer)
    child = await desk.raised(
        appeal_type="report", customer_id=customer, unit_code="37402", received_at=desk.clock.now()
    )
    await desk.act(child, "merge", into=leader)
    return leader, child


async def follows(desk: Desk, case: str) -> Any:
    (row,) = await desk.rows("SELECT follows FROM clocks WHERE subject_id = $1 AND milestone = 'answer'", UUID(case))
    return row["follows"] and str(row["follows"])


@pytest.mark.parametrize("units", [["374"], ["37401", "37402"], ["37402", "37401"]])
async def test_what_begins_on_merged_appeals_is_merged_too(desk: Desk, units: list[str]) -> None:
    """In whatever order they are come to."""
    await desk.publish(id="own", appeals={"report": answer("10 working days")})
    leader, child = await merged_reports(desk)
    for code in units:
        await recalculate(desk, cause="policy_version", policy="t-sdpea", to="own", unit_code=code)
    leading, its = [(await desk.clocks(case))["answer"] for case in (leader, child)]
    assert (await follows(desk, child), await follows(desk, leader)) == (leading["id"], None)
    assert its["due_at"] == leading["due_at"]
    await desk.at("11-20T10:00")
    told = [event for event in await desk.told() if "step" in event and event["audience"]]
    assert {event["subject_id"] for event in told} == {leader}
    assert await look(desk) == {}


async def test_what_begins_while_its_milestone_is_held_stands_still(desk: Desk) -> None:
    within = {"milestone": "answer", "within": "10 working days", "clause": "1", "holdable": True}
    await desk.publish(id="own", appeals={"report": [within]})
    await desk.assign("37401", "own")
    case = await desk.raised(received_at=desk.clock.now(), appeal_type="report")
    await desk.act(case, "hold", reason="awaiting_customer")
    before = (await desk.clocks(case))["answer"]
    assert before["state"] == "held"
    await recalculate(desk, cause="policy_version", policy="own", to="t-sdpea")
    await recalculate(desk, cause="policy_version", policy="t-sdpea", to="own")
    assert (await desk.clocks(case))["answer"] == before
    assert {timer["state"] for timer in await timers(desk, case)} == {"held"}


async def timers(desk: Desk, case: str) -> list[dict[str, Any]]:
    (its,) = (await got(desk.supervisor.get(f"/appeals/{case}/deadlines")))["items"]
    found: list[dict[str, Any]] = its["timers"]
    return found


async def test_what_followed_a_milestone_that_ends_runs_by_itself_again(desk: Desk) -> None:
    await desk.publish(id="own", appeals={"report": answer("10 working days")})
    for code in ("37401", "37402"):
        await desk.assign(code, "own")
    customer = new_id()
    leader = await desk.raised(appeal_type="report", customer_id=customer)
    await desk.at("10-12T10:00")
    fields = {"customer_id": customer, "unit_code": "37402", "received_at": desk.clock.now()}
    child = await desk.raised(appeal_type="report", **fields)
    own = (await desk.clocks(child))["answer"]
    await desk.act(child, "merge", into=leader)
    assert (await desk.clocks(child))["answer"]["due_at"] < own["due_at"]
    await recalculate(desk, cause="policy_version", policy="own", to="t-sdpea", unit_code="37401")
    assert (await desk.clocks(leader))["answer"]["state"] == "cancelled"
    assert ((await desk.clocks(child))["answer"], await follows(desk, child)) == (own, None)
    assert await look(desk) == {}
    await desk.at("11-20T10:00")
    told = [event["type"] for event in await desk.told() if "step" in event and event["audience"]]
    assert told
    assert (await desk.clocks(child))["answer"]["state"] == "breached"


async def test_what_runs_by_a_withdrawn_pack_can_be_brought_to_another(desk: Desk) -> None:
    await pack(desk, appeals={"complaint": answer("5 working days")})
    await desk.at("10-10T09:00")
    await desk.assign("37401", "own")
    case = await desk.raised(received_at=desk.clock.now())
    await got(desk.admin.post("/policies/own/withdraw", json={"reason": "改用上级策略"}))
    job = await recalculate(desk, cause="policy_version", policy="own", to="t-sdpea")
    assert job["moved"] == 1
    assert (await desk.clocks(case))["answer"]["due_at"] == "2026-10-20T16:00:00Z"
    answered = await desk.admin.post("/recalculations", json={"cause": "policy_version", "policy": "own"})
    assert answered.status_code == 422, "nothing is brought to it"
    await desk.at("10-20T09:00")
    assert [event for event in await desk.told("deadline.warned.v1") if event["milestone"] == "answer"], "told again"


async def test_nothing_that_is_open_is_brought_to_a_withdrawn_pack(desk: Desk) -> None:
    """It was in force when the appeal was received, and would be silent now."""
    case = await desk.raised()
    before = await desk.clocks(case)
    await desk.publish(id="own", appeals={"complaint": answer("5 working days")})
    await desk.assign("37401", "own")
    theirs = await desk.raised(received_at=desk.clock.now())
    await desk.at("10-09T11:00")
    await got(desk.admin.post("/policies/own/withdraw", json={"reason": "改用上级策略"}))
    await recalculate(desk, cause="assignment", unit_code="37401")
    assert await desk.clocks(case) == before
    assert [(await desk.appeal(each))["policy"] for each in (case, theirs)] == ["t-sdpea@1"] * 2
    await desk.at("10-19T09:00")
    told = await desk.told("deadline.warned.v1")
    assert {event["subject_id"] for event in told if event["milestone"] == "answer"} == {case, theirs}


@pytest.mark.parametrize("holdable", [True, False])
async def test_a_hold_is_not_lost_when_the_policy_changes(desk: Desk, holdable: bool) -> None:
    """Bug class: hold lost on policy change: it was a fact when it began, whether or not it could begin now."""
    within = {"milestone": "answer", "within": "10 working days", "clause": "1", "holdable": True}
    faster = {**within, "within": "8 working days", "holdable": holdable}
    await pack(desk, appeals={"report": [within]})
    await pack(desk, id="faster", appeals={"report": [faster]})
    await desk.at("10-10T09:00")
    await desk.assign("37401", "own")
    case = await desk.raised(received_at=desk.clock.now(), appeal_type="report")
    assert (await desk.clocks(case))["answer"]["due_at"] == "2026-10-23T16:00:00Z"
    desk.clock.set(instant("10-12T00:00"))
    await desk.act(case, "hold", reason="awaiting_customer")
    assert (await desk.clocks(case))["answer"]["state"] == "held"
    await recalculate(desk, cause="policy_version", policy="own", to="faster")
    clock = (await desk.clocks(case))["answer"]
    assert (clock["state"], clock["policy"]) == ("held", "faster@1")
    await desk.at("10-14T00:00")
    await desk.act(case, "resume")
    clock = (await desk.clocks(case))["answer"]  # 8 from 10-12 on, but for the 12th and the 13th
    assert (clock["state"], clock["due_at"]) == ("running", "2026-10-23T16:00:00Z")
    explained = await got(desk.supervisor.get(f"/deadlines/{clock['id']}/explanation"))
    (hold,) = explained["holds"]
    assert (hold["since"], hold["until"], hold["counted"]) == ("2026-10-11T16:00:00Z", "2026-10-13T16:00:00Z", True)
    assert (hold["reason"], hold["held_by"]) == ("awaiting_customer", "E001")
    again = await desk.acting(case, "hold", reason="awaiting_customer")
    assert again.status_code == (200 if holdable else 422)


@pytest.mark.parametrize("upwards", [True, False], ids=["from below", "from above"])
async def test_units_are_heard_of_after_the_appeal(desk: Desk, upwards: bool) -> None:
    """Until then it runs by the floor; then by what somebody up the line had picked."""
    await desk.hear(unit("377"))
    top = desk.client("admin", unit="377", sub="E709")
    etag = (await top.get("/units/377/policy")).headers["etag"]
    await got(top.put("/units/377/policy", json={"policy": "state-grid"}, headers={"If-Match": etag}))
    received = desk.clock.now()
    case = await desk.raised(unit_code="3770101", received_at=received)
    assert await state(desk, case) == ("t-sdpea@1", True, None)
    line = [unit("3770101", "37701"), unit("37701", "377")]
    first, last = line if upwards else line[::-1]
    await desk.hear(first)
    assert await state(desk, case) == ("t-sdpea@1", True, None)
    await desk.hear(last)
    assert await state(desk, case) == ("state-grid@1", False, None)
    clocks = await desk.rows("SELECT milestone, due_at, policy FROM clocks WHERE subject_id = $1", UUID(case))
    due = {row["milestone"]: row["due_at"] for row in clocks}
    assert due["answer"] == datetime.fromisoformat("2026-10-16T00:00:00+08:00")
    (told,) = [event for event in await desk.told("deadline.recalculated.v1") if event["subject_id"] == case]
    assert told["cause"] == "assignment"


async def test_a_line_that_is_known_and_picked_nothing_is_certain(desk: Desk) -> None:
    case = await desk.raised(unit_code="3780101")
    await desk.hear(unit("3780101", "378"))
    assert (await state(desk, case))[1]
    await desk.hear(unit("378"))
    assert await state(desk, case) == ("t-sdpea@1", False, None)
    assert not await desk.told("deadline.recalculated.v1"), "nothing moved, so nothing is told"


async def test_a_line_that_runs_in_a_circle_for_a_while_is_not_known(desk: Desk) -> None:
    """Units come in any order: one is heard to be below another before that is heard to have left its place."""
    top, below = unit("376", "37601"), unit("37601", "376")
    await desk.hear(top, below)
    case = await desk.raised(unit_code="37601")
    assert await state(desk, case) == ("t-sdpea@1", True, None)
    await desk.hear(unit("376", version=2, id=top.id))
    assert await state(desk, case) == ("t-sdpea@1", False, None)


async def test_a_choice_below_the_gap_is_certain(desk: Desk) -> None:
    await desk.hear(unit("37901", "379"))
    own = desk.client("admin", unit="37901", sub="E909")
    etag = (await own.get("/units/37901/policy")).headers["etag"]
    await got(own.put("/units/37901/policy", json={"policy": "service-window"}, headers={"If-Match": etag}))
    case = await desk.raised(unit_code="37901", received_at=desk.clock.now())
    assert await state(desk, case) == ("service-window@1", False, None)


async def test_an_overlay_that_the_line_counts_on_is_found_too(desk: Desk) -> None:
    """The pack is the floor all the same; the calendar is another."""
    await desk.hear(unit("377"))
    await made(desk.admin.post("/calendars/qingdao/versions", json=stop_work("2026-10-13")))
    top = desk.client("admin", unit="377", sub="E709")
    etag = (await top.get("/units/377/policy")).headers["etag"]
    body = {"policy": "t-sdpea", "calendar": "qingdao"}
    await got(top.put("/units/377/policy", json=body, headers={"If-Match": etag}))
    case = await desk.raised(unit_code="37701", received_at=desk.clock.now())
    await desk.hear(unit("37701", "377"))
    rows = await desk.rows("SELECT calendar, due_at FROM clocks WHERE subject_id = $1 ORDER BY due_at", UUID(case))
    assert rows[-1]["calendar"] == "qingdao@1+cn-statutory@1"
    assert rows[-1]["due_at"] == datetime.fromisoformat("2026-10-21T00:00:00+08:00")


async def test_an_assignment_changes_nothing_that_is_open_but_on_purpose(desk: Desk) -> None:
    earlier, today = [await desk.raised(received_at=at) for at in (instant("10-08T10:00"), RECEIVED)]
    await desk.assign("37401", "state-grid")
    assert (await desk.appeal(today))["policy"] == "t-sdpea@1"
    job = await recalculate(desk, cause="assignment", unit_code="37401")
    assert (job["state"], job["total"], job["done"]) == ("done", 2, 2)
    assert (await desk.appeal(today))["policy"] == "state-grid@1", "it was received on the first day of the choice"
    assert (await desk.appeal(earlier))["policy"] == "t-sdpea@1", "and this one before"
