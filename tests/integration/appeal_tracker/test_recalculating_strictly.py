"""What is brought to another version is timed as strictly by it as by what that extends, on every calendar."""

from typing import Any

import pytest

from contracts.visits import VisitCompleted
from tests.integration.appeal_tracker.desk import Desk, got, made, problem
from tests.integration.appeal_tracker.test_publishing_calendars import AUGUST, day, report, typhoon
from tests.integration.appeal_tracker.test_recalculations import worker
from tests.integration.appeal_tracker.test_visits import Round

# Two weekends on which the plant works: eleven calendar days end after ten working days then.
BUSY = [day(f"2026-06-{n:02}", off=False, name="迎峰度夏") for n in (6, 7, 13, 14)]
BACK = {"cause": "policy_version", "policy": "own", "version": 1}
FIRST = ("2026-05-30T16:00:00Z", "2026-06-10T16:00:00Z", "2026-06-11T16:00:00Z")


@pytest.fixture
async def plant(desk: Desk) -> Desk:
    """The desk, with a pack whose second version a unit picked on a calendar on which the first would be laxer."""
    await desk.publish_days("plant", {**typhoon(), "days": BUSY})
    await desk.publish(id="own", extends="state-grid", appeals=report("11 calendar days"))
    await desk.publish(id="own", extends="state-grid", appeals=report("5 working days"), effective_from="2026-10-10")
    await desk.at("10-10T09:00")
    await desk.assign("37401", "own", calendar="plant")
    return desk


async def reported(desk: Desk) -> str:
    return await desk.raised(appeal_type="report", received_at=desk.clock.now())


async def asked(desk: Desk, *, dry_run: bool = False, **body: Any) -> Any:
    return await desk.admin.post("/recalculations", json=body, params={"dry_run": str(dry_run).lower()})


@pytest.mark.parametrize("dry_run", [True, False])
async def test_an_older_version_that_is_laxer_on_a_picked_calendar_is_refused(plant: Desk, dry_run: bool) -> None:
    case = await reported(plant)
    found = problem(await asked(plant, dry_run=dry_run, **BACK), 422, "laxer-policy")
    assert (found["policy"], found["calendar"]) == ("own@1", "plant@1+cn-statutory@1")
    (place,) = found["laxer"]
    assert (place["than"], found["errors"][0]["pointer"]) == ("state-grid@1", "/version")
    assert (place["start"], place["parent_due_at"], place["own_due_at"]) == FIRST
    assert (await plant.appeal(case))["policy"] == "own@2"
    assert (await got(plant.admin.get("/recalculations")))["items"] == []


async def test_where_nothing_is_counted_on_that_calendar_it_is_not(plant: Desk) -> None:
    await reported(plant)
    await plant.assign("37402", "own")
    other = await plant.raised(appeal_type="report", unit_code="37402", received_at=plant.clock.now())
    problem(await asked(plant, **BACK), 422, "laxer-policy")
    assert (await asked(plant, **BACK, unit_code="37402")).status_code == 201
    await plant.stack.settle()
    assert (await plant.appeal(other))["policy"] == "own@1"


async def test_a_pack_that_its_own_calendar_left_laxer_takes_nothing_in(desk: Desk) -> None:
    await desk.publish_days("plant", typhoon("2026-10-12"))
    await desk.publish(id="own", extends="state-grid", calendar="plant", appeals=report("11 calendar days"))
    await desk.publish_days("plant", {**typhoon(), "days": BUSY})
    await reported(desk)
    found = problem(await asked(desk, cause="policy_version", policy="t-sdpea", to="own"), 422, "laxer-policy")
    assert (found["calendar"], found["errors"][0]["pointer"]) == ("plant@2+cn-statutory@1", "/to")


def archive(within: str) -> list[dict[str, str]]:
    return [{"milestone": "archive", "within": within, "clause": "企标 4", "starts": "completed"}]


async def test_visits_are_concerned_too(desk: Desk) -> None:
    await desk.publish_days("plant", {**typhoon(), "days": BUSY})
    await desk.publish(id="base", visits=archive("10 working days"))
    await desk.publish(id="own", extends="base", visits=archive("11 calendar days"))
    await desk.publish(id="own", extends="base", visits=archive("5 working days"), effective_from="2026-10-10")
    await desk.at("10-10T09:00")
    await desk.assign("37401", "own", calendar="plant")
    visit = Round(desk)
    await desk.hear(visit.planned("E101"), visit.did(VisitCompleted, "10-10T08:30"))
    found = problem(await asked(desk, **BACK), 422, "laxer-policy")
    assert [each["place"] for each in found["laxer"]] == ["/visits/archive/within"]


async def test_a_calendar_that_is_published_before_the_job_begins_is_seen_by_it(desk: Desk) -> None:
    await desk.publish_days("plant", typhoon("2026-10-12"))
    await desk.publish(id="own", extends="state-grid", appeals=report("11 calendar days"))
    await desk.assign("37401", "own", calendar="plant")
    await desk.publish(id="own", extends="state-grid", appeals=report("5 working days"), effective_from="2026-10-10")
    await desk.at("10-10T09:00")
    case = await reported(desk)
    job = await made(asked(desk, **BACK))
    await desk.publish_days("plant", {**typhoon(), "days": BUSY})
    while await worker(desk).run_once():
        pass
    shown = await got(desk.admin.get(f"/recalculations/{job['id']}"))
    assert shown["state"] == "failed"
    assert shown["failure"].startswith("LaxerPolicy: own@1 on plant@2+cn-statutory@1: /appeals/report/answer/within: ")
    assert "started 2026-05-30T16:00:00+00:00" in shown["failure"]
    assert (await desk.appeal(case))["policy"] == "own@2"


async def test_a_choice_that_is_made_while_a_job_is_under_way_is_seen_by_it(plant: Desk) -> None:
    await plant.assign("37401", "own")
    case = await reported(plant)
    job = await made(asked(plant, **BACK))
    its = worker(plant)
    assert await its.run_once()
    assert its._turn is not None, "it has read the rules"
    await plant.assign("37401", "own", calendar="plant")
    while await its.run_once():
        pass
    assert (await got(plant.admin.get(f"/recalculations/{job['id']}")))["state"] == "failed"
    assert (await plant.appeal(case))["policy"] == "own@2"


@pytest.fixture
async def stopped(desk: Desk) -> Desk:
    """The desk, with a pack that a unit is to pick on a calendar that will be published anew, and leave it laxer."""
    await desk.publish_days("plant", typhoon("2026-10-12"))
    await desk.publish(id="base", appeals=report("15 calendar days"), visits=archive("15 calendar days"))
    await desk.publish(id="own", extends="base", appeals=report("5 working days"), visits=archive("5 working days"))
    return desk


PICKED = {"cause": "assignment", "unit_code": "37401"}


async def stop(desk: Desk) -> None:
    """Has the unit pick the pack on the calendar, and work stop there for two weeks."""
    await desk.assign("37401", "own", calendar="plant")
    await desk.publish_days("plant", typhoon("2026-10-12", *AUGUST))


@pytest.mark.parametrize("dry_run", [True, False])
async def test_what_a_unit_picked_and_a_calendar_left_laxer_takes_nothing_in(stopped: Desk, dry_run: bool) -> None:
    case = await reported(stopped)
    await stop(stopped)
    found = problem(await asked(stopped, dry_run=dry_run, **PICKED), 422, "laxer-policy")
    assert (found["policy"], found["calendar"]) == ("own@1", "plant@2+cn-statutory@1")
    assert {each["pointer"] for each in found["errors"]} == {"/unit_code"}
    assert ("base@1", "2026-07-27T16:00:00Z") in [(each["than"], each["start"]) for each in found["laxer"]]
    assert (await stopped.appeal(case))["policy"] == "t-sdpea@1"
    await stopped.assign("37401", "own")
    assert (await asked(stopped, **PICKED)).status_code == 201, "on the pack's own calendar it is not laxer"
    await stopped.stack.settle()
    assert (await stopped.appeal(case))["policy"] == "own@1"


async def test_what_runs_by_it_there_already_is_not_brought_to_it(stopped: Desk) -> None:
    await stopped.assign("37401", "own", calendar="plant")
    await reported(stopped)
    visit = Round(stopped)
    await stopped.hear(visit.appointed("10-09T14:00", "10-09T15:00"), visit.did(VisitCompleted, "10-09T09:50"))
    assert [each["policy"] for each in await visit.deadlines()] == ["own@1"]
    await stop(stopped)
    assert (await asked(stopped, **PICKED)).status_code == 201


async def test_of_visits_it_counts_what_the_pack_times(stopped: Desk) -> None:
    appointed, completed = Round(stopped), Round(stopped, unit_code="37402")
    await stopped.hear(appointed.appointed("10-09T14:00", "10-09T15:00"))
    await stopped.hear(completed.planned("E101"), completed.did(VisitCompleted, "10-09T09:50"))
    await stopped.assign("37402", "own", calendar="plant")
    await stop(stopped)
    assert (await asked(stopped, **PICKED)).status_code == 201, "it times nothing from an appointment"
    found = problem(await asked(stopped, cause="assignment", unit_code="37402"), 422, "laxer-policy")
    assert "/visits/archive/within" in [each["place"] for each in found["laxer"]]


async def test_a_calendar_that_is_published_before_what_was_picked_is_brought_is_seen(stopped: Desk) -> None:
    case = await reported(stopped)
    await stopped.assign("37401", "own", calendar="plant")
    job = await made(asked(stopped, **PICKED))
    await stop(stopped)
    while await worker(stopped).run_once():
        pass
    shown = await got(stopped.admin.get(f"/recalculations/{job['id']}"))
    assert (shown["state"], shown["failure"].partition(":")[0]) == ("failed", "LaxerPolicy")
    assert (await stopped.appeal(case))["policy"] == "t-sdpea@1"
