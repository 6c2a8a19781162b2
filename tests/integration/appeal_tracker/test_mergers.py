"""A unit merged into another: what it has open is transferred, appeal by appeal, and nothing is reset by that."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from contracts.directory import UnitChanged
from tests.integration.appeal_tracker.desk import Desk, got, instant, made, problem, staff
from tests.integration.appeal_tracker.test_handing import everything
from tests.integration.appeal_tracker.test_simulations import simulated

UNIT = uuid4()


def closed(into: str = "37402", version: int = 2) -> UnitChanged:
    """37401, as visit_api tells of it since it merged."""
    return UnitChanged(id=UNIT, unit_code="37401", parent_code=into, merged_into=into, version=version)


@pytest.fixture
async def known(desk: Desk) -> Desk:
    """The desk, where 37401 has an id of ours."""
    await desk.hear(UnitChanged(id=UNIT, unit_code="37401", parent_code="374", version=1))
    return desk


@pytest.mark.clause("7.2.3", "8.2.4")
async def test_open_appeals_of_a_merged_unit_go_to_the_other_one_by_one(known: Desk) -> None:
    desk = known
    customer = uuid4()
    cases = [await desk.raised(customer_id=customer) for _ in range(6)]
    mine, handled, elsewhere, ended, leader, merged = cases
    await desk.act(handled, "dispatch", handler="E101")
    await desk.act(elsewhere, "dispatch", handling_unit_code="374")
    await desk.act(ended, "void", reason="重复录入")
    await desk.act(merged, "merge", into=leader)
    moving = [mine, handled, leader, merged]
    before = {case: await everything(desk, case) for case in moving}
    await desk.hear(closed())
    assert {case: await everything(desk, case) for case in moving} == before, "no clock moves, no step is undone"
    for case in moving:
        appeal = await desk.appeal(case)
        assert (appeal["unit_code"], appeal["handling_unit_code"]) == ("37401", "37402")
        assert appeal["first_contact"] == "E101"
    assert (await desk.appeal(handled))["handler"] == "E101", "whoever has it keeps it"
    assert (await desk.appeal(elsewhere))["handling_unit_code"] == "374"
    assert (await desk.appeal(ended))["handling_unit_code"] == "37401", "what is over stays where it was"
    told = await desk.told("appeal.transferred.v1")
    assert {(each["appeal_id"], each["handling_unit_code"], each["by"]) for each in told} == {
        (case, "37402", None) for case in moving
    }
    entry = (await desk.timeline(mine))[-1]
    assert (entry["kind"], entry["actor"], entry["data"]["cause"]) == ("transferred", None, "unit_merged")
    acts = await desk.rows(
        "SELECT DISTINCT changed_xid FROM appeals WHERE id = ANY ($1::uuid[])", [UUID(case) for case in moving]
    )
    assert len(acts) == len(moving), "a transaction each"
    late = await desk.raised()  # on a visit that has not moved yet, or heard of late
    assert (await desk.appeal(late))["handling_unit_code"] == "37402"
    await desk.hear(closed())
    assert len(await desk.told("appeal.transferred.v1")) == len(moving) + 1, "done twice it is done once"


@pytest.mark.clause("7.2.3", "002 6.4.5.4", "002 6.4.5.5")
async def test_whoever_is_of_the_merged_unit_is_of_the_other(known: Desk) -> None:
    desk = known
    await desk.assign("37401", "state-grid")
    case, secret = await desk.raised(), await desk.raised(confidential=True, visit_id=None, customer_id=None)
    await desk.hear(closed(), staff("E150", "37402", "handler"))
    before = desk.client("handler", unit="37401", sub="E140")  # by a token that says so still
    after = desk.client("handler", unit="37402", sub="E150")
    desk.clock.set(instant("10-09T11:00"))
    contact = {"at": instant("10-09T10:30").isoformat(), "channel": "phone", "result": "reached"}
    await made(before.post(f"/appeals/{case}/contacts", json=contact))
    assert (await desk.clocks(case))["contact"]["state"] == "met", "a handler of the unit is responsible"
    await desk.answer(case, "10-09T10:40")
    back = {"at": instant("10-09T10:50").isoformat(), "result": "completed", "satisfaction": 5}
    await made(after.post(f"/appeals/{case}/callbacks", json=back))
    words = desk.client("supervisor", unit="37402", sub="E209")
    assert (await words.get(f"/appeals/{secret}")).status_code == 200
    await desk.act(secret, "dispatch", handling_unit_code="37402")
    said = {"at": instant("10-09T10:40").isoformat(), "content": "已检修。"}
    await made(desk.client("handler", unit="37402", sub="E160").post(f"/appeals/{secret}/answers", json=said))
    for client, content in ((words, None), (desk.supervisor, "已检修。")):
        (answer,) = (await client.get(f"/appeals/{secret}/answers")).json()["items"]
        assert answer["content"] == content, "it may be about those who are of 37402 by now"


async def test_what_comes_for_a_merged_unit_goes_by_what_the_other_picked(known: Desk) -> None:
    """From the merger on; what was received before goes by what counted then, whenever it is heard of."""
    desk = known
    await desk.assign("37401", "state-grid")
    desk.later(hours=1)
    before = await desk.raised(received_at=desk.clock.now())
    desk.later(hours=1)
    await desk.hear(closed(), closed())
    desk.later(hours=1)
    posted = {"unit_code": "37401", "source": "marketing", "source_no": "G1", "type": "complaint", "summary": "停电"}
    new = await made(desk.admin.post("/appeals", json={**posted, "received_at": desk.clock.now().isoformat()}))
    late = await desk.raised(received_at=desk.clock.now() - timedelta(minutes=150))
    for case, policy in ((before, "state-grid@1"), (new["id"], "t-sdpea@1"), (late, "state-grid@1")):
        assert (await desk.appeal(case))["policy"] == policy
    assert (await desk.appeal(new["id"]))["handling_unit_code"] == "37402"
    shown = await got(desk.admin.get("/units/37401/policy"))
    assert (shown["policy"], shown["origin"]) == ("t-sdpea", "default")
    await desk.assign("37402", "service-window")
    case = {"appeal_type": "complaint", "received_at": desk.clock.now().isoformat(), "unit_code": "37401"}
    again = await got(desk.admin.post("/deadline-calculations", json={"cases": [case]}))
    assert again["results"][0]["policy"] == "service-window@1"
    # Older code that hears of a merger says no time of it: what was picked counts until that is known.
    await desk.rows("UPDATE units SET merged_at = NULL, moved_at = NULL WHERE code = '37401' RETURNING 1")
    older = await desk.raised(received_at=desk.clock.now() - timedelta(minutes=150))
    assert (await desk.appeal(older))["policy"] == "state-grid@1"


async def test_nothing_new_is_a_merged_units(known: Desk) -> None:
    desk = known
    await desk.assign("374", "state-grid")
    case = await desk.raised()
    await desk.act(case, "dispatch", handler="E150", handling_unit_code="37402")
    await desk.hear(closed())
    refused = await desk.acting(case, "dispatch", handling_unit_code="37401")
    assert problem(refused, 422, "handling-unit-merged")["into"] == "37402"
    put = await desk.admin.put("/units/37401/policy", json={"policy": "state-grid"}, headers={"If-Match": "*"})
    assert problem(put, 409, "unit-has-merged")["into"] == "37402"
    back = await desk.act(case, "return", desk.client("handler", unit="37402", sub="E150"), reason="不属本所")
    assert (back["handler"], back["handling_unit_code"]) == ("E001", "374"), "to whoever handed it on"
    await desk.act(case, "return", desk.supervisor, reason="核实后退回")
    assert (await desk.appeal(case))["handling_unit_code"] == "37402", "to what raised it, as it is called by now"
    other = await desk.raised(unit_code="37402")
    for unit, its in (("37401", {case}), ("37402", {case, other})):
        listed = (await desk.admin.get("/appeals", params={"unit": unit})).json()["items"]
        assert {each["id"] for each in listed} == its, "who asks for the closed unit asks for what was its"
    assert (await desk.admin.get("/workload", params={"unit_code": "37401"})).json()["items"] == []
    for unit, number in ({"unit_code": "37401"}, 1), ({}, 2):  # by a token from before the merger: the other's
        counted = await got(desk.client("handler", unit="37401").get("/statistics", params=unit))
        assert counted["items"][0]["received"] == number
    desk.clock.set(instant("10-09T11:00"))
    for each in (case, other):
        await desk.answer(each, "10-09T10:40")
    for unit, its in (("37401", {case}), ("37402", {case, other})):
        tasks = (await got(desk.admin.get("/callback-tasks", params={"unit": unit})))["items"]
        assert {each["appeal_id"] for each in tasks} == its
        job = {"cause": "policy_version", "policy": "state-grid", "to": "t-sdpea", "unit_code": unit}
        assert (await got(desk.admin.post("/recalculations?dry_run=true", json=job)))["total"] == len(its)
    days = {"from": "2026-10-09", "to": "2026-10-09", "policy": "state-grid"}
    desk.clock.advance(timedelta(days=1))
    for named, raised_in in (({"unit_code": "37401"}, {"37401"}), ({}, {"37401", "37402"})):
        run = await simulated(desk, {**days, **named}, desk.client("supervisor", unit="37401", sub="E209"))
        assert {each["unit_code"] for each in run["rows"]} == raised_in
