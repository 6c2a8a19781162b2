"""A stop is judged by its true time: met if and only if it came at the deadline or before, whenever it was recorded."""

import pytest

from tests.integration.appeal_tracker.desk import Desk

DUE = "10-10T09:30"  # of the contact


@pytest.mark.clause("7.2.3")
@pytest.mark.parametrize(("at", "state"), [("10-10T09:30", "met"), ("10-10T09:30:00.000001", "breached")])
async def test_the_deadline_itself_is_in_time_and_what_comes_after_it_is_not(desk: Desk, at: str, state: str) -> None:
    case = await desk.raised()
    desk.later(days=2)  # nothing fired meanwhile: the loop was down
    await desk.contact(case, at)
    contact = (await desk.clocks(case))["contact"]
    assert (contact["state"], contact["met_at"] is not None, contact["breached_at"] is not None) == (
        state,
        state == "met",
        state == "breached",
    )
    assert contact["stopped_at"] is not None


async def test_an_act_that_outruns_the_loop_records_the_breach_once(desk: Desk) -> None:
    case = await desk.raised()
    desk.later(days=2)
    await desk.contact(case, "10-10T10:00")
    await desk.stack.settle()
    (breach,) = await desk.told("deadline.breached.v1")
    assert (breach["milestone"], breach["step"], breach["late"]) == ("contact", "due", True)
    assert breach["audience"] == ["owner", "unit_supervisors"]
    contact = (await desk.clocks(case))["contact"]
    assert (contact["state"], contact["breached_at"]) == ("breached", "2026-10-11T02:00:00Z")
    assert contact["stopped_at"] == "2026-10-10T02:00:00Z"
    steps = await desk.rows("SELECT step, state, late FROM timers WHERE clock_id = $1", contact["id"])
    assert {(row["step"], row["late"]) for row in steps if row["state"] == "fired"} == {("due", True)}
    assert not any(row["state"] == "pending" for row in steps)


async def test_an_escalation_that_downtime_ate_fires_though_a_late_act_came_first(desk: Desk) -> None:
    case = await desk.raised()
    desk.later(days=2)  # nobody fired anything: the breach was at 09:30, the escalation at 11:30
    await desk.contact(case, "10-10T14:00")
    await desk.stack.settle()
    (breach,) = await desk.told("deadline.breached.v1")
    (escalated,) = await desk.told("deadline.escalated.v1")
    assert (escalated["step"], escalated["late"]) == ("+2h", True)
    assert escalated["audience"] == ["unit_supervisors", "parent_unit_supervisors"]
    assert breach["clock_id"] == escalated["clock_id"]
    contact = (await desk.clocks(case))["contact"]
    pending = await desk.rows("SELECT 1 FROM timers WHERE clock_id = $1 AND state = 'pending'", contact["id"])
    assert not pending


async def test_a_breach_writes_no_stop(desk: Desk) -> None:
    """Bug class: first-contact stop."""
    case = await desk.raised()
    await desk.at(DUE)
    contact = (await desk.clocks(case))["contact"]
    assert (contact["state"], contact["breached_at"]) == ("breached", "2026-10-10T01:30:00Z")
    assert (contact["met_at"], contact["stopped_at"]) == (None, None)


async def test_each_deadline_has_a_clock_of_its_own(desk: Desk) -> None:
    """Bug class: only the earliest deadline kept."""
    case = await desk.raised()
    answer = (await desk.clocks(case))["answer"]
    await desk.contact(case, "10-09T09:45")
    assert (await desk.clocks(case))["answer"] == answer
    await desk.at("10-20T00:00")
    breached = [event["milestone"] for event in await desk.told("deadline.breached.v1")]
    assert breached == ["answer"]


async def test_a_contact_in_time_recorded_after_the_breach_corrects_it(desk: Desk) -> None:
    case = await desk.raised()
    await desk.at("10-10T10:00")
    await desk.contact(case, "10-10T09:29")
    contact = (await desk.clocks(case))["contact"]
    assert (contact["state"], contact["met_at"]) == ("met", "2026-10-10T01:29:00Z")
    assert contact["breached_at"] == "2026-10-10T02:00:00Z"  # kept, so that it is counted apart
    (told,) = await desk.told("deadline.corrected.v1")
    assert (told["at"], told["recorded_at"], told["actor"]) == ("2026-10-10T01:29:00Z", "2026-10-10T02:00:00Z", "E101")
    assert not await desk.told("deadline.met.v1")
    entry = (await desk.timeline(case))[-1]
    assert (entry["kind"], entry["actor"]) == ("deadline_corrected", "E101")
    assert (entry["at"], entry["recorded_at"]) == ("2026-10-10T01:29:00Z", "2026-10-10T02:00:00Z")
    assert entry["data"]["breached_at"] == "2026-10-10T02:00:00Z"


async def test_a_correction_ends_the_escalation(desk: Desk) -> None:
    case = await desk.raised()
    await desk.at(DUE)
    await desk.contact(case, "10-10T09:00")
    await desk.at("10-12T00:00")
    assert not await desk.told("deadline.escalated.v1")


async def test_a_late_stop_ends_the_escalation_and_corrects_nothing(desk: Desk) -> None:
    case = await desk.raised()
    await desk.at(DUE)
    await desk.contact(case, "10-10T09:31")
    await desk.at("10-12T00:00")
    contact = (await desk.clocks(case))["contact"]
    assert (contact["state"], contact["met_at"]) == ("breached", None)
    assert contact["stopped_at"] == "2026-10-10T01:31:00Z"
    assert not await desk.told("deadline.escalated.v1", "deadline.corrected.v1", "deadline.met.v1")
    assert "deadline_ended" in [entry["kind"] for entry in await desk.timeline(case)]


async def test_a_second_stop_changes_nothing(desk: Desk) -> None:
    case = await desk.raised()
    desk.later(hours=2)
    await desk.contact(case, "10-09T11:00")
    before = await desk.clocks(case)
    await desk.contact(case, "10-09T11:30")
    assert await desk.clocks(case) == before
    assert len(await desk.told("deadline.met.v1")) == 1


@pytest.mark.clause("7.2.3")
async def test_an_answer_given_to_the_customer_is_also_a_contact(desk: Desk) -> None:
    case = await desk.raised()
    desk.later(hours=1)
    await desk.answer(case, "10-09T10:45")
    clocks = await desk.clocks(case)
    assert {clock["met_at"] for clock in clocks.values()} == {"2026-10-09T02:45:00Z"}
    assert (await desk.appeal(case))["state"] == "answered"


async def test_a_customer_who_refuses_was_contacted(desk: Desk) -> None:
    case = await desk.raised()
    await desk.contact(case, "10-09T09:45", "refused")
    assert (await desk.clocks(case))["contact"]["state"] == "met"


async def test_no_answer_counts_as_the_third_attempt_two_hours_apart_only(desk: Desk) -> None:
    case = await desk.raised()
    desk.later(hours=10)
    for at in ("10-09T10:00", "10-09T11:59", "10-09T12:00"):
        await desk.contact(case, at, "no_answer")
    assert (await desk.clocks(case))["contact"]["state"] == "running"
    assert (await desk.appeal(case))["state"] == "open"
    await desk.contact(case, "10-09T14:00", "no_answer")
    contact = (await desk.clocks(case))["contact"]
    assert (contact["state"], contact["met_at"]) == ("met", "2026-10-09T06:00:00Z")
    assert (await desk.appeal(case))["state"] == "contacted"


async def test_attempts_after_the_deadline_do_not_add_up(desk: Desk) -> None:
    case = await desk.raised()
    await desk.at("10-10T20:00")
    for at in ("10-10T09:00", "10-10T12:00", "10-10T15:00", "10-10T18:00"):
        await desk.contact(case, at, "no_answer")
    contact = (await desk.clocks(case))["contact"]
    assert (contact["state"], contact["stopped_at"]) == ("breached", None)


@pytest.mark.clause("7.2.3")
@pytest.mark.parametrize(
    ("roles", "unit", "sub", "counts"),
    [
        (["visitor"], "37401", "E101", True),  # the first-contact person, in the directory or not
        (["supervisor"], "37401", "E110", True),
        (["supervisor"], "374", "E001", True),
        (["admin"], "374", "E009", True),
        (["handler"], "37401", "E150", True),  # no handler is named yet
        (["handler"], "374", "E151", False),
        (["visitor"], "37401", "E102", False),
        (["callback"], "37401", "E103", False),
    ],
)
async def test_a_contact_counts_when_somebody_responsible_made_it(
    desk: Desk, roles: list[str], unit: str, sub: str, counts: bool
) -> None:
    case = await desk.raised()
    made = await desk.contact(case, "10-09T09:45", by=desk.client(*roles, unit=unit, sub=sub))
    assert made["counts"] is counts
    assert (await desk.clocks(case))["contact"]["state"] == ("met" if counts else "running")
    assert (await desk.timeline(case))[1]["data"]["counts"] is counts


async def test_once_a_handler_is_named_another_does_not_count(desk: Desk) -> None:
    case = await desk.raised()
    await desk.supervisor.post(f"/appeals/{case}/dispatch", json={"handler": "E160"})
    other, named = (desk.client("handler", unit="37401", sub=sub) for sub in ("E150", "E160"))
    assert not (await desk.contact(case, "10-09T09:45", by=other))["counts"]
    assert (await desk.contact(case, "10-09T09:46", by=named))["counts"]


async def test_roles_that_do_not_work_on_appeals_may_not_act(desk: Desk) -> None:
    case = await desk.raised()
    body = {"at": "2026-10-09T09:45:00+08:00", "channel": "phone", "result": "reached"}
    for role in ("auditor", "integration", "service"):
        answer = await desk.client(role, unit="374", sub="E777").post(f"/appeals/{case}/contacts", json=body)
        assert answer.status_code == 403
