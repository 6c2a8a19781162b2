"""Which policy an appeal runs by: the nearest choice up the unit tree on the day it was received."""

import json
from datetime import date, datetime
from typing import Any

import asyncpg
import pytest
from prometheus_client import REGISTRY

from appeal_tracker.calendars import service as calendars
from appeal_tracker.policies import service as policies
from appeal_tracker.policies.loader import packaged_packs
from tests.integration.appeal_tracker.desk import Desk, got, problem, unit

LATER = {"If-Match": "*"}


async def policy_of(desk: Desk, unit_code: str = "37401") -> str:
    case = await desk.raised(received_at=desk.clock.now(), unit_code=unit_code)
    (told,) = [event for event in await desk.told("appeal.opened.v1") if event["appeal_id"] == case]
    return str(told["policy"])


async def test_the_packaged_packs_are_published_with_all_their_rules(desk: Desk) -> None:
    listed = (await got(desk.first.get("/policies")))["items"]
    assert {(item["id"], item["version"]) for item in listed} == {(p.id, p.version) for p in packaged_packs().values()}
    (version,) = (await got(desk.first.get("/policies/state-grid")))["versions"]
    assert version["lineage"] == ["state-grid@1", "t-sdpea@1"]
    answer = next(limit for limit in version["appeals"]["complaint"] if limit["milestone"] == "answer")
    assert (answer["within"], answer["clause"], answer["stated_by"]) == ("5 working days", "6.4.5.1", "state-grid@1")
    assert {"at": "due", "tell": ["owner", "unit_supervisors"], "mandatory": True} in answer["ladder"]
    assert version["callback"] == {
        "required_for": ["complaint", "opinion", "report"],
        "by": "acceptor",
        "clause": "6.4.5.4",
        "attempts": 3,
        "hours_apart": 2,
        "dissatisfied": "follow_up",
    }
    problem(await desk.first.get("/policies/none-such"), 404, "policy-not-found")


async def test_publishing_again_changes_nothing(desk: Desk) -> None:
    async def published() -> list[Any]:
        return [await desk.rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in ("policies", "calendar_days")]

    before = await published()
    async with desk.runtime.db.engine.begin() as connection:
        await connection.run_sync(policies.publish_packaged)
        await connection.run_sync(calendars.publish_packaged)
    assert await published() == before


NEWER = """
INSERT INTO policies (id, version, extends, extends_version, body, published_by)
VALUES ('newer', 1, 't-sdpea', 1, $1::text::jsonb, 'E009')
"""


PICKED = """
INSERT INTO policy_assignments (unit_code, effective_from, policy, assigned_by, assigned_at)
VALUES ('37401', '2026-10-01', 'newer', 'E009', now())
"""


async def test_a_pack_that_a_newer_version_stored_is_gone_by_and_stops_nothing(
    desk: Desk, owner: asyncpg.Connection
) -> None:
    """One that is uploaded may name nothing that is unknown; one that is stored was accepted by who knows it."""
    contact = {"milestone": "contact", "within": "2 hours", "clause": "企标 1"}
    limits = {"complaint": [{**contact, "unheard_of": 1}]}
    body = {"id": "newer", "extends": "t-sdpea", "appeals": limits, "unheard_of": {"a": ["b"]}}
    problem(await desk.admin.post("/policies", json=body), 422, "malformed-pack")
    await owner.execute(NEWER, json.dumps({**body, "version": 1}))
    await desk.assign("37401", "newer")
    assert await policy_of(desk) == "newer@1"
    (version,) = (await got(desk.first.get("/policies/newer")))["versions"]
    assert version["appeals"]["complaint"][0]["within"] == "2 hours"
    own = await desk.publish(id="own", extends="newer", appeals={"complaint": [{**contact, "within": "1 hour"}]})
    assert own["lineage"] == ["own@1", "newer@1", "t-sdpea@1"]


@pytest.mark.parametrize(
    "said",
    [
        {"appeals": {"praise": []}},
        {
            "appeals": {
                "complaint": [{"milestone": "contact", "within": "1 hour", "clause": "企标 1", "starts": "wished"}]
            }
        },
        {"ladders": {"contact": [{"at": "due", "tell": ["regulator"]}]}},
    ],
)
async def test_a_pack_that_cannot_be_read_counts_for_nobody_and_stops_nothing(
    desk: Desk, owner: asyncpg.Connection, said: dict[str, Any]
) -> None:
    """While a newer version takes the place of this one. What is above it counts meanwhile, and it is seen."""
    body = {"id": "newer", "extends": "t-sdpea", **said}
    problem(await desk.admin.post("/policies", json=body), 422, "malformed-pack")
    await owner.execute(NEWER, json.dumps({**body, "version": 1}))
    await desk.assign("374", "state-grid")
    await owner.execute(PICKED)
    assert await policy_of(desk) == "state-grid@1"
    assert REGISTRY.get_sample_value("policies_unread") == 1
    listed = (await got(desk.first.get("/policies")))["items"]
    assert "newer" not in [each["id"] for each in listed]
    problem(await desk.first.get("/policies/newer"), 404, "policy-not-found")


async def test_a_unit_without_a_choice_goes_by_the_floor(desk: Desk) -> None:
    shown = await got(desk.supervisor.get("/units/37401/policy"))
    assert (shown["policy"], shown["version"], shown["origin"], shown["own"]) == ("t-sdpea", 1, "default", [])
    assert await policy_of(desk) == "t-sdpea@1"


async def test_the_nearest_choice_up_the_tree_counts(desk: Desk) -> None:
    await desk.assign("374", "state-grid")
    inherited = await got(desk.supervisor.get("/units/37401/policy"))
    assert (inherited["policy"], inherited["origin"], inherited["assigned_to"]) == ("state-grid", "inherited", "374")
    assert await policy_of(desk) == "state-grid@1"
    await desk.assign("37401", "service-window")
    assert [await policy_of(desk, unit_code=code) for code in ("37401", "37402", "375")] == [
        "service-window@1",
        "state-grid@1",
        "t-sdpea@1",
    ]


@pytest.mark.clause("002 6.4.5.1")
async def test_an_appeal_keeps_the_policy_it_began_with(desk: Desk) -> None:
    case = await desk.raised()
    before = await desk.clocks(case)
    await desk.assign("37401", "state-grid")
    assert await desk.clocks(case) == before
    newer = await desk.clocks(await desk.raised(received_at=desk.clock.now()))
    assert newer["answer"]["due_at"] == "2026-10-15T16:00:00Z"  # 5 working days


async def test_a_choice_counts_from_its_day_on_for_what_was_received_then(desk: Desk) -> None:
    shown = await desk.assign("37401", "state-grid", "2026-10-12")
    assert shown["policy"] == "t-sdpea"
    assert [each["effective_from"] for each in shown["own"]] == ["2026-10-12"]
    desk.clock.set(datetime.fromisoformat("2026-10-13T10:00:00+08:00"))
    for received, policy in (
        ("2026-10-11T23:59:59+08:00", "t-sdpea@1"),  # heard of late
        ("2026-10-12T00:00:00+08:00", "state-grid@1"),
    ):
        case = await desk.raised(received_at=datetime.fromisoformat(received))
        assert (await desk.appeal(case))["policy"] == policy


async def test_a_pack_that_was_not_in_force_yet_is_passed_over(desk: Desk) -> None:
    await desk.assign("374", "state-grid")
    await desk.rows(
        "INSERT INTO policy_assignments VALUES ('37401', '2020-01-01', 'marketing-guide-2025', 'E009', now())"
    )
    received = {"2024-12-31T23:59:59+08:00": "t-sdpea@1", "2025-01-01T00:00:00+08:00": "marketing-guide-2025@1"}
    for at, policy in received.items():
        case = await desk.raised(received_at=datetime.fromisoformat(at))
        assert (await desk.appeal(case))["policy"] == policy


async def test_an_older_choice_of_a_unit_does_not_come_back_when_its_newer_one_counts_no_more(desk: Desk) -> None:
    """It was replaced: the choice above counts, though it may be the laxer one."""
    await desk.publish(id="older", extends="state-grid")
    await desk.publish(id="newer", extends="state-grid")
    await desk.assign("374", "service-window")
    await desk.assign("37401", "older")
    assert await policy_of(desk) == "older@1"
    await desk.at("10-12T09:00")
    await desk.assign("37401", "newer")
    assert await policy_of(desk) == "newer@1"
    desk.later(hours=1)
    await got(desk.admin.post("/policies/newer/withdraw", json={"reason": "改用上级策略"}))
    shown = await got(desk.admin.get("/units/37401/policy"))
    assert (shown["policy"], shown["origin"], shown["assigned_to"]) == ("service-window", "inherited", "374")
    assert await policy_of(desk) == "service-window@1"
    choice = "INSERT INTO policy_assignments VALUES ('37402', $1::date, $2, 'E009', now())"
    for since, policy in ((date(2019, 1, 1), "state-grid"), (date(2020, 1, 1), "marketing-guide-2025")):
        await desk.rows(choice, since, policy)
    received = datetime.fromisoformat("2024-12-31T12:00:00+08:00")  # when the newer one's pack was not in force yet
    case = await desk.raised(unit_code="37402", received_at=received)
    assert (await desk.appeal(case))["policy"] == "t-sdpea@1"


async def test_a_choice_is_overwritten_only_by_whoever_has_seen_it(desk: Desk) -> None:
    path, body = "/units/37401/policy", {"policy": "state-grid"}
    first = await desk.admin.get(path)
    tag = {"If-Match": first.headers["etag"]}
    problem(await desk.admin.put(path, json=body), 428, "precondition-required")
    changed = await desk.admin.put(path, json=body, headers=tag)
    assert changed.status_code == 200
    problem(await desk.admin.put(path, json={"policy": "t-sdpea"}, headers=tag), 412, "precondition-failed")
    assert (await got(desk.admin.get(path)))["policy"] == "state-grid"
    seen = {"If-Match": (await desk.admin.get(path)).headers["etag"]}
    assert (await got(desk.admin.put(path, json={"policy": "t-sdpea"}, headers=seen)))["origin"] == "own"


async def test_what_an_inherited_choice_is_seen_as_changes_with_it(desk: Desk) -> None:
    before = (await desk.admin.get("/units/37401/policy")).headers["etag"]
    await desk.assign("374", "state-grid")
    stale = await desk.admin.put("/units/37401/policy", json={"policy": "t-sdpea"}, headers={"If-Match": before})
    problem(stale, 412, "precondition-failed")


async def test_a_choice_names_a_pack_there_is_from_today_on(desk: Desk) -> None:
    path = "/units/37401/policy"
    unknown = await desk.admin.put(path, json={"policy": "none-such"}, headers=LATER)
    assert problem(unknown, 422, "unknown-policy")["errors"][0]["pointer"] == "/policy"
    past = {"policy": "state-grid", "effective_from": "2026-10-08"}
    found = problem(await desk.admin.put(path, json=past, headers=LATER), 422, "assignment-in-the-past")
    assert (found["today"], found["errors"][0]["pointer"]) == ("2026-10-09", "/effective_from")


async def test_a_pack_is_picked_for_a_day_on_which_it_is_in_force(desk: Desk) -> None:
    pack = {"id": "own", "effective_from": "2026-12-01", "appeals": {}}
    await desk.publish(**pack)
    path = "/units/37401/policy"
    for since in (None, "2026-11-30"):
        early = {"policy": "own", "effective_from": since}
        problem(await desk.admin.put(path, json=early, headers=LATER), 422, "policy-not-in-force")
    shown = await desk.assign("37401", "own", "2026-12-01")
    assert (shown["policy"], shown["own"][0]["effective_from"]) == ("t-sdpea", "2026-12-01")
    await desk.at("12-01T00:00")
    assert (await got(desk.admin.get(path)))["policy"] == "own"


async def test_a_unit_is_assigned_by_its_admin_only(desk: Desk) -> None:
    path, body = "/units/37401/policy", {"policy": "state-grid"}
    assert (await desk.supervisor.put(path, json=body, headers=LATER)).status_code == 403
    for caller in (desk.stranger, desk.client("admin", unit="37402")):
        problem(await caller.put(path, json=body, headers=LATER), 404, "not-found")
        problem(await caller.get(path), 404, "not-found")
    problem(await desk.admin.get("/units/99999/policy"), 404, "not-found")


async def test_a_unit_not_heard_of_has_no_choice_yet(desk: Desk) -> None:
    newcomer = desk.client("admin", unit="376")
    path = "/units/376/policy"
    assert (await got(newcomer.get(path)))["origin"] == "default"
    problem(await newcomer.put(path, json={"policy": "state-grid"}, headers=LATER), 404, "not-found")
    await desk.hear(unit("376"))
    assert (await got(newcomer.put(path, json={"policy": "state-grid"}, headers=LATER)))["origin"] == "own"
