"""What was tried before an appeal was brought to another policy, and counts by that."""

import time
from typing import Any

import pytest

from appeal_tracker.appeals import counting
from chassis.ids import new_id
from tests.integration.appeal_tracker.desk import Desk, got, instant, made
from tests.integration.appeal_tracker.test_audit import look
from tests.integration.appeal_tracker.test_recalculations import changes, recalculate, worker

STRICT = {"accepts": ["reached"], "attempts": 5, "hours_apart": 2}
SURVEY = {"milestone": "survey", "within": "3 working days", "clause": "企标 3", "starts": "contacted"}


async def strict(desk: Desk, **pack: Any) -> None:
    """A pack by which nobody is contacted but who was reached, or tried five times."""
    await desk.publish(id="strict", contact=STRICT, **pack)
    for code in ("37401", "37402"):
        await desk.assign(code, "strict")


@pytest.mark.clause("7.2.3")
@pytest.mark.parametrize(
    ("tried", "met_at"),
    [
        ([("10-09T10:00", "refused")], "2026-10-09T02:00:00Z"),
        ([(f"10-09T{hour}:00", "no_answer") for hour in (10, 12, 14)], "2026-10-09T06:00:00Z"),
        ([(f"10-09T{hour}:00", "no_answer") for hour in (10, 12)], None),
    ],
)
async def test_a_contact_that_the_other_policy_accepts_is_one(
    desk: Desk, tried: list[tuple[str, str]], met_at: str | None
) -> None:
    await strict(desk)
    case = await desk.raised(received_at=instant("10-09T09:59"))
    await desk.at("10-09T20:00")
    for at, result in tried:
        await desk.contact(case, at, result)
    assert ((await desk.appeal(case))["state"], (await desk.clocks(case))["contact"]["state"]) == ("open", "running")
    await got(desk.admin.post("/policies/strict/withdraw", json={"reason": "改用上级策略"}))
    await desk.publish(id="more", appeals={"complaint": [SURVEY]})
    job = await recalculate(desk, cause="policy_version", policy="strict", to="more")
    appeal, contact = await desk.appeal(case), (await desk.clocks(case))["contact"]
    assert (appeal["state"], contact["met_at"]) == ("contacted" if met_at else "open", met_at)
    surveys = [clock["started_at"] for clock in appeal["clocks"] if clock["milestone"] == "survey"]
    assert surveys == ([met_at] if met_at else []), "what runs from the contact runs since then"
    told = [(event["milestone"], event["at"]) for event in await desk.told("deadline.met.v1")]
    assert told == ([("contact", met_at)] if met_at else [])
    met = [entry["actor"] for entry in await desk.timeline(case) if entry["kind"] == "deadline_met"]
    assert met == (["E009"] if met_at else [])
    its = {"cause": "policy_version", "recalculation_id": job["id"], "actor": "E009", "policy": "more@1"}
    begun = [each for each in await desk.told("deadline.started.v1") if each["milestone"] == "survey"]
    assert [(each["started_at"], its.items() <= each.items()) for each in begun] == ([(met_at, True)] if met_at else [])
    line = {"cause": its["cause"], "recalculation": job["id"], "state": "contacted"}
    moves = [each for each in await desk.timeline(case) if each["kind"] == "judged_anew"]
    assert [(each["actor"], each["data"]) for each in moves] == ([("E009", line)] if met_at else [])
    await desk.at("10-10T12:00")
    breached = {event["milestone"] for event in await desk.told("deadline.breached.v1")}
    assert breached == (set() if met_at else {"contact"})
    assert await look(desk) == {}


@pytest.mark.clause("7.2.3")
async def test_it_is_in_time_though_the_other_deadline_is_past_by_now(desk: Desk) -> None:
    """A dry run says so as well."""
    await strict(desk)
    quicker = {"milestone": "contact", "within": "12 hours", "clause": "企标 1"}
    await desk.publish(id="quicker", appeals={"complaint": [quicker]})
    prompt, late, never = [await desk.raised() for _ in "abc"]
    await desk.at("10-10T08:00")
    await desk.contact(prompt, "10-09T10:00", "refused")
    await desk.contact(late, "10-10T07:00", "refused")
    body = {"cause": "policy_version", "policy": "strict", "to": "quicker"}
    said = await got(desk.admin.post("/recalculations", json=body, params={"dry_run": "true"}))
    breaching = {item["subject_id"] for item in said["items"] if item["breaches"]}
    assert (said["moved"], said["breaching"], breaching) == (3, 2, {late, never})
    job = await recalculate(desk, **body)
    assert (job["moved"], job["breaching"]) == (3, 2)
    assert {item["clock_id"] for item in said["items"]} == {item["clock_id"] for item in await changes(desk, job)}
    states = [(await desk.clocks(case))["contact"]["state"] for case in (prompt, late, never)]
    assert states == ["met", "breached", "breached"]
    told = await desk.told("deadline.breached.v1")
    assert {event["subject_id"] for event in told} == {late, never}
    assert (await desk.clocks(late))["contact"]["stopped_at"] == "2026-10-09T23:00:00Z"
    assert await look(desk) == {}


async def test_what_is_merged_or_held_is_contacted_each_by_its_own_policy(desk: Desk) -> None:
    limits = [
        {"milestone": "contact", "within": "24 hours", "clause": "企标 1", "holdable": True},
        {"milestone": "answer", "within": "10 working days", "clause": "企标 2"},
    ]
    await strict(desk, appeals={"report": limits})
    await desk.publish(id="loose", appeals={"report": limits})
    customer = new_id()
    leader = await desk.raised(appeal_type="report", customer_id=customer, received_at=desk.clock.now())
    its = {"appeal_type": "report", "customer_id": customer, "received_at": desk.clock.now()}
    child = await desk.raised(unit_code="37402", **its)
    held = await desk.raised(appeal_type="report", received_at=desk.clock.now())
    await desk.act(child, "merge", into=leader)
    await desk.act(held, "hold", reason="等待", milestones=["contact"])
    await desk.at("10-09T12:00")
    for case in (leader, held):
        await desk.contact(case, "10-09T11:00", "refused", by=desk.supervisor)
    await recalculate(desk, cause="policy_version", policy="strict", to="loose", unit_code="37401")
    contacts = {case: (await desk.clocks(case))["contact"] for case in (leader, child, held)}
    assert [contacts[case]["state"] for case in (leader, child, held)] == ["met", "running", "met"]
    (row,) = await desk.rows("SELECT follows FROM clocks WHERE id = $1::uuid", contacts[child]["id"])
    assert row["follows"] is None, "from now on it runs by itself"
    assert [(await desk.appeal(case))["state"] for case in (leader, child, held)] == ["contacted", "open", "held"]
    assert await look(desk) == {}
    await recalculate(desk, cause="policy_version", policy="strict", to="loose", unit_code="37402")
    assert (await desk.clocks(child))["contact"]["state"] == "met"
    await desk.act(held, "resume")
    assert (await desk.appeal(held))["state"] == "contacted"
    assert await look(desk) == {}


@pytest.mark.clause("7.2.3")
async def test_what_was_tried_in_vain_while_it_was_held_is_enough_by_the_other_policy(desk: Desk) -> None:
    limits = [{"milestone": "contact", "within": "24 hours", "clause": "企标 1", "holdable": True}]
    await strict(desk, appeals={"report": limits})
    await desk.publish(id="loose", appeals={"report": limits})
    case = await desk.raised(appeal_type="report")
    await desk.act(case, "hold", reason="等待")
    await desk.at("10-10T20:00")
    for hour in (14, 16, 18):
        await desk.contact(case, f"10-10T{hour}:00", "no_answer")
    assert (await desk.clocks(case))["contact"]["state"] == "held"
    await recalculate(desk, cause="policy_version", policy="strict", to="loose")
    assert (await desk.clocks(case))["contact"]["met_at"] == "2026-10-10T10:00:00Z"
    assert await look(desk) == {}


@pytest.mark.clause("7.2.5.1")
async def test_calls_in_vain_that_are_enough_by_the_other_policy_are_a_callback(desk: Desk) -> None:
    callback = {"milestone": "callback", "within": "2 working days", "clause": "企标 4"}
    packs = {"strict": 5, "loose": 3}
    for name, attempts in packs.items():
        tries = {"attempts": attempts, "hours_apart": 2}
        limits = {"complaint": [callback]}
        await desk.publish(
            id=name, callback="required", callback_for=["complaint"], callback_tries=tries, appeals=limits
        )
    await desk.assign("37401", "strict")
    case = await desk.raised(received_at=desk.clock.now())
    await desk.answer(case, "10-09T10:00")
    await desk.at("10-09T18:00")
    for hour in (12, 14, 16):
        body = {"at": instant(f"10-09T{hour}:00").isoformat(), "result": "unreachable", "failure_reason": "无人接听"}
        await made(desk.first.post(f"/appeals/{case}/callbacks", json=body))
    assert (await desk.appeal(case))["state"] == "answered"
    await recalculate(desk, cause="policy_version", policy="strict", to="loose")
    called = (await desk.clocks(case))["callback"]
    assert ((await desk.appeal(case))["state"], called["met_at"]) == ("called_back", "2026-10-09T08:00:00Z")
    assert [each["data"]["state"] for each in await desk.timeline(case) if each["kind"] == "judged_anew"] == [
        "called_back"
    ]
    (task,) = (await got(desk.supervisor.get("/callback-tasks")))["items"]
    assert (task["state"], task["ended_by"]) == ("done", "E009")
    assert await look(desk) == {}


async def test_much_is_judged_anew_in_several_transactions(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever acts on one of these appeals waits for few of the others, and the loop is seen to move."""
    await strict(desk)
    await desk.publish(id="loose")
    cases = [await desk.raised() for _ in range(5)]
    await desk.at("10-09T12:00")
    for case in cases:
        await desk.contact(case, "10-09T11:00", "refused")
    its = worker(desk)
    monkeypatch.setattr(its.config, "judged", 2)
    moved, count_anew = list[float](), counting.count_anew

    async def counted(*given: Any) -> None:
        moved.append(its._progress)
        its._progress = time.monotonic() - 60
        await count_anew(*given)

    monkeypatch.setattr(counting, "count_anew", counted)
    job = await recalculate(desk, cause="policy_version", policy="strict", to="loose")
    assert (job["state"], job["done"], job["undone"]) == ("done", 5, 0)
    met = await desk.rows("SELECT count(*) FROM timeline WHERE kind = 'deadline_met' GROUP BY xmin::text ORDER BY 1")
    assert [row[0] for row in met] == [1, 2, 2]
    assert sum(time.monotonic() - each < 50 for each in moved) == len(met)
