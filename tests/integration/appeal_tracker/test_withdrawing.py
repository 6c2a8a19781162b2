"""A pack that is withdrawn: nothing begins under it, what runs by it tells nobody, and its history stays."""

from datetime import datetime
from typing import Any

import pytest

from chassis.ids import new_id
from tests.integration.appeal_tracker.desk import Desk, got, made, problem
from tests.integration.appeal_tracker.test_audit import look
from tests.integration.appeal_tracker.test_publishing_packs import answer

ANY = {"If-Match": "*"}
REASON = {"reason": "已由新的企业标准取代"}
REFUSING = {"accepts": ["reached", "refused"], "attempts": 3, "hours_apart": 2}
LADDER = ("deadline.warned.v1", "deadline.breached.v1", "deadline.escalated.v1")


@pytest.fixture
async def running(desk: Desk) -> str:
    """A complaint of 37401 under a pack of its own, while the province goes by state-grid."""
    await desk.publish(id="own", extends="state-grid", appeals=answer("3 working days"))
    await desk.assign("374", "state-grid")
    await desk.assign("37401", "own")
    return await desk.raised(received_at=desk.clock.now())


async def withdraw(desk: Desk, policy: str = "own") -> dict[str, Any]:
    return await got(desk.admin.post(f"/policies/{policy}/withdraw", json=REASON))


async def test_its_alerts_stop_and_a_breach_is_recorded_and_tells_nobody(desk: Desk, running: str) -> None:
    """Bug class: policy off or withdrawn: alerts stop."""
    other = await desk.raised(unit_code="37402", received_at=desk.clock.now())
    await desk.at("10-10T07:00")
    told = len(await desk.told(*LADDER))
    withdrawn = await withdraw(desk)
    assert (withdrawn["policy"], withdrawn["open_appeals"], withdrawn["withdrawn_by"]) == ("own", 1, "E009")
    shown = (await got(desk.supervisor.get(f"/appeals/{running}/deadlines")))["items"]
    left = [timer for each in shown for timer in each["timers"] if timer["state"] == "pending"]
    assert [(timer["step"], timer["tell"]) for timer in left] == [("due", []), ("due", [])]
    await desk.at("12-01T00:00")
    its = [each for each in (await desk.told(*LADDER))[told:] if each["subject_id"] == running]
    assert {(each["type"], each["milestone"], tuple(each["audience"])) for each in its} == {
        ("deadline.breached.v1", "contact", ()),
        ("deadline.breached.v1", "answer", ()),
    }
    assert {clock["state"] for clock in (await desk.clocks(running)).values()} == {"breached"}
    assert [each["audience"] for each in await desk.told("deadline.escalated.v1") if each["subject_id"] == other]


ONCE = {"milestone": "answer", "clause": "1", "within": "5 working days"}
BY_ITSELF = [
    {"at": 0.25, "tell": ["unit_supervisors"]},
    {"at": 0.75, "tell": ["owner", "unit_supervisors"]},
    {"at": "due", "tell": ["owner", "unit_supervisors", "parent_unit_supervisors"]},
    {"at": "+1wd", "tell": ["unit_supervisors", "parent_unit_supervisors"]},
    {"at": "+2wd", "tell": ["parent_unit_supervisors"]},
]


async def merged(desk: Desk, *units: str) -> list[str]:
    """Complaints of one customer, of several units, all merged into the first; 37402 goes by a pack of its own, with
    two steps more than the floor's ladder, which promises the earlier answer. 37401 goes by the floor."""
    await desk.publish(id="own", appeals={"complaint": [{**ONCE, "ladder": BY_ITSELF}]})
    await desk.assign("37402", "own")
    customer, now = new_id(), desk.clock.now()
    cases = [await desk.raised(unit_code=unit, customer_id=customer, received_at=now) for unit in units]
    for child in cases[1:]:
        await desk.act(child, "merge", into=cases[0])
    return cases


async def of_the_answer(desk: Desk, since: int = 0) -> list[tuple[str, str, tuple[str, ...]]]:
    """Who was told of what about the answers, in the order of the steps' names."""
    its = [each for each in (await desk.told(*LADDER))[since:] if each["milestone"] == "answer" and each["audience"]]
    return sorted((each["subject_id"], each["step"], tuple(sorted(each["audience"]))) for each in its)


@pytest.mark.parametrize("units", [("37401", "37402"), ("37402", "37401"), ("37402", "37402", "37401")])
async def test_what_is_merged_with_it_goes_on_to_warn_by_the_other_packs(desk: Desk, units: tuple[str, ...]) -> None:
    """Be its clock the promiser that another one speaks for, or the leader itself; no deadline moves."""
    leader, *others = await merged(desk, *units)
    before = {case: (await desk.clocks(case))["answer"] for case in (leader, *others)}
    withdrawn = await withdraw(desk)
    assert withdrawn["open_appeals"] == units.count("37402")
    for day in range(9, 24):
        await desk.at(f"10-{day:02}T20:00")
    assert await of_the_answer(desk) == [
        (leader, "+1wd", ("parent_unit_supervisors", "unit_supervisors")),
        (leader, "-1wd", ("owner", "unit_supervisors")),
        (leader, "0.5", ("owner",)),
        (leader, "0.75", ("owner", "unit_supervisors")),
        (leader, "due", ("owner", "unit_supervisors")),
    ]
    for case, clock in before.items():
        its = (await desk.clocks(case))["answer"]
        assert (its["due_at"], its["state"]) == (clock["due_at"], "breached")
    assert not [each for each in await desk.told("deadline.recalculated.v1") if each["cause"] != "merge"]
    assert await look(desk) == {}


@pytest.mark.parametrize("units", [("37401", "37402"), ("37402", "37401")])
async def test_what_is_merged_with_it_and_was_breached_goes_up_by_the_other_packs(
    desk: Desk, units: tuple[str, str]
) -> None:
    leader, _ = await merged(desk, *units)
    await desk.at("10-16T00:00")
    told = len(await desk.told(*LADDER))
    await withdraw(desk)
    await desk.at("10-30T10:00")
    assert await of_the_answer(desk, told) == [(leader, "+1wd", ("parent_unit_supervisors", "unit_supervisors"))]


async def test_taken_out_of_the_group_it_is_silent_again(desk: Desk) -> None:
    leader, child = await merged(desk, "37401", "37402")
    await withdraw(desk)
    await desk.act(child, "unmerge")
    await desk.at("11-30T10:00")
    assert {case for case, _, _ in await of_the_answer(desk)} == {leader}
    assert (await desk.clocks(child))["answer"]["state"] == "breached"


async def test_taken_out_after_the_breach_each_goes_up_its_own_ladder(desk: Desk) -> None:
    leader, child = await merged(desk, "37401", "37402")
    await desk.at("10-16T00:00")
    told = len(await desk.told(*LADDER))
    await desk.act(child, "unmerge")
    for day in (17, 20, 21):
        await desk.at(f"10-{day}T00:00")
    steps = [(case, step) for case, step, _ in await of_the_answer(desk, told)]
    assert sorted(steps) == sorted([(leader, "+1wd"), (child, "+1wd"), (child, "+2wd")])


async def test_however_much_runs_by_it_nothing_is_written_but_of_what_is_merged(desk: Desk) -> None:
    """A hundred thousand appeals would be a million timers to write while everybody who acts on them waits."""
    leader, child = await merged(desk, "37401", "37402")
    alone = await desk.raised(unit_code="37402", received_at=desk.clock.now())
    written = "SELECT subject_id, t.step, t.xmin, t.state FROM timers t JOIN clocks c ON c.id = clock_id"
    before = {*map(tuple, await desk.rows(written))}
    assert (await withdraw(desk))["open_appeals"] == 2
    changed = {*map(tuple, await desk.rows(written))} - before
    assert {str(row[0]) for row in changed} == {leader, child}
    await desk.at("12-01T00:00")
    (step,) = {(row[1], row[3]) for row in await desk.rows(written) if str(row[0]) == alone and row[3] != "cancelled"}
    assert step == ("due", "fired")


async def test_each_step_names_the_packs_it_is_told_by_and_the_withdrawal_is_told(desk: Desk) -> None:
    """So that one which waits for the morning can be dropped, if all of them are withdrawn by then; also a breach that
    an act records."""
    leader, _ = await merged(desk, "37401", "37402")
    alone, acted = [await desk.raised(unit_code="37402", received_at=desk.clock.now()) for _ in "ab"]
    await desk.at("10-15T23:00")
    desk.clock.set(datetime.fromisoformat("2026-10-16T00:00:20+08:00"))
    body = {"at": "2026-10-16T00:00:10+08:00", "content": "已检修线路，今日送电。"}
    await made(desk.supervisor.post(f"/appeals/{acted}/answers", json=body))
    await desk.stack.settle()
    await desk.at("10-30T10:00")
    told = [each for each in await desk.told(*LADDER) if each["milestone"] == "answer" and each["audience"]]
    packs = {(leader, "t-sdpea", "own"), (alone, "own")}
    for kind in LADDER:
        its = {(each["subject_id"], *each["packs"]) for each in told if each["type"] == kind}
        assert its - {(acted, "own")} == packs, kind
    assert (acted, "deadline.breached.v1", ["own"]) in [(e["subject_id"], e["type"], e["packs"]) for e in told]
    await withdraw(desk)
    (told,) = await desk.told("policy.withdrawn.v1")
    assert (told["policy"], told["unit_code"], told["by"]) == ("own", "374", "E009")


async def test_its_history_stays(desk: Desk, running: str) -> None:
    """Bug class: policy off or withdrawn: history remains."""
    before = await got(desk.first.get("/policies/own"))
    page = await got(desk.first.get("/policies", params={"updated_since": "2020-01-01T00:00:00Z"}))
    await withdraw(desk)
    after = await got(desk.first.get("/policies/own"))
    assert before["withdrawal"] is None
    assert (after["withdrawal"]["reason"], after["withdrawal"]["withdrawn_by"]) == (REASON["reason"], "E009")
    assert after["versions"] == before["versions"]
    assert (await desk.appeal(running))["policy"] == "own@1"
    changed = (await got(desk.first.get("/policies", params={"cursor": page["next"]})))["items"]
    assert [(each["id"], each["withdrawn_at"] is not None) for each in changed] == [("own", True)]


async def test_what_is_received_after_it_goes_by_the_next_choice(desk: Desk, running: str) -> None:
    desk.clock.set(datetime.fromisoformat("2026-10-10T09:00:00+08:00"))
    await withdraw(desk)
    shown = await got(desk.admin.get("/units/37401/policy"))
    assert (shown["policy"], shown["origin"], shown["assigned_to"]) == ("state-grid", "inherited", "374")
    newer = await desk.raised(received_at=desk.clock.now())
    assert (await desk.appeal(newer))["policy"] == "state-grid@1"


async def test_what_was_received_before_it_opens_under_it_in_silence(desk: Desk, running: str) -> None:
    received = desk.clock.now()
    desk.clock.set(datetime.fromisoformat("2026-10-10T09:00:00+08:00"))
    await withdraw(desk)
    late = await desk.raised(received_at=received)
    assert (await desk.appeal(late))["policy"] == "own@1"
    deadlines = (await got(desk.supervisor.get(f"/appeals/{late}/deadlines")))["items"]
    assert [[timer["step"] for timer in each["timers"]] for each in deadlines] == [["due"], ["due"]]
    await desk.answer(running, "10-10T08:00")
    assert (await desk.clocks(running))["answer"]["state"] == "met"


async def test_what_is_reopened_after_it_goes_by_the_next_choice_and_is_heard_of(desk: Desk, running: str) -> None:
    await desk.answer(running, "10-09T10:00")
    body = {"at": desk.clock.now().isoformat(), "result": "completed"}
    await made(desk.supervisor.post(f"/appeals/{running}/callbacks", json=body))
    await desk.act(running, "close")
    await withdraw(desk)
    desk.later(hours=1)
    shown = await desk.act(running, "reopen", reason="客户再次反映")
    assert shown["policy"] == "state-grid@1"
    its = [(clock["milestone"], clock["policy"]) for clock in shown["clocks"] if clock["round"] == 2]
    assert its == [("contact", "state-grid@1"), ("answer", "state-grid@1")]
    assert (await desk.timeline(running))[-1]["kind"] == "deadline_started"
    entry = next(each for each in await desk.timeline(running) if each["kind"] == "reopened")
    assert (entry["data"]["policy"], entry["data"]["mode"]) == ("state-grid@1", "new_round")
    await desk.at("10-10T23:00")
    told = [each for each in await desk.told(*LADDER) if each["audience"]]
    assert [(each["milestone"], each["step"], each["round"]) for each in told] == [("contact", "+2h", 2)]
    assert await look(desk) == {}


async def test_what_is_reclassified_after_it_goes_by_the_next_choice_and_is_heard_of(desk: Desk) -> None:
    """Who counted as contacted by it stays so, though the next one does not accept that."""
    within = [{"milestone": "answer", "within": "5 working days", "clause": "1"}]
    await desk.publish(id="own", contact=REFUSING, appeals={"consultation": within})
    await desk.publish(id="next", contact={**REFUSING, "accepts": ["reached"]})
    await desk.assign("374", "next")
    await desk.assign("37401", "own")
    now = desk.clock.now()
    asked, refused = [await desk.raised(appeal_type="consultation", received_at=now) for _ in "ab"]
    desk.later(minutes=30)
    await desk.contact(refused, "10-09T10:10", "refused")
    await withdraw(desk)
    for case in (asked, refused):
        shown = await desk.act(case, "reclassify", type="complaint", reason="客户明确表示")
        its = {
            clock["milestone"]: (clock["policy"], clock["state"]) for clock in shown["clocks"] if clock["round"] == 2
        }
        assert shown["policy"] == "next@1"
        contact = "met" if case == refused else "running"
        assert its == {"contact": ("next@1", contact), "answer": ("next@1", "running")}
        (entry,) = [each for each in await desk.timeline(case) if each["kind"] == "reclassified"]
        assert entry["data"]["policy"] == "next@1"
    await desk.at("10-10T23:00")
    told = [(each["subject_id"], each["milestone"]) for each in await desk.told(*LADDER) if each["audience"]]
    assert told == [(asked, "contact")]
    assert await look(desk) == {}


async def test_nothing_new_is_hung_on_it(desk: Desk, running: str) -> None:
    await withdraw(desk)
    assigned = await desk.admin.put("/units/37402/policy", json={"policy": "own"}, headers=ANY)
    assert problem(assigned, 422, "policy-is-withdrawn")["errors"][0]["pointer"] == "/policy"
    child = await desk.admin.post("/policies", json={"id": "child", "extends": "own"})
    assert problem(child, 422, "policy-is-withdrawn")["errors"][0]["pointer"] == "/extends"
    version = {"id": "own", "extends": "state-grid", "effective_from": "2026-10-12"}
    found = problem(await desk.admin.post("/policies", json=version), 422, "policy-is-withdrawn")
    assert found["errors"][0]["pointer"] == "/id"


async def test_what_extends_it_runs_on(desk: Desk, running: str) -> None:
    await desk.publish(id="child", extends="own")
    await desk.assign("37402", "child")
    case = await desk.raised(unit_code="37402", received_at=desk.clock.now())
    assert (await withdraw(desk))["open_appeals"] == 1
    deadlines = (await got(desk.supervisor.get(f"/appeals/{case}/deadlines")))["items"]
    assert {timer["state"] for each in deadlines for timer in each["timers"]} == {"pending"}


async def test_it_is_withdrawn_once_and_from_the_top(desk: Desk, running: str) -> None:
    for caller in (desk.supervisor, desk.client("admin", unit="37401")):
        assert (await caller.post("/policies/own/withdraw", json=REASON)).status_code == 403
    problem(await desk.admin.post("/policies/nowhere/withdraw", json=REASON), 404, "policy-not-found")
    problem(await desk.admin.post("/policies/t-sdpea/withdraw", json=REASON), 409, "floor-stays")
    problem(await desk.admin.post("/policies/own/withdraw", json={}), 422, "unprocessable")
    await withdraw(desk)
    problem(await desk.admin.post("/policies/own/withdraw", json=REASON), 409, "policy-withdrawn-before")
