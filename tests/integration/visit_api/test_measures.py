"""Improvement measures: from what was found to the proof, by somebody else, that something was done about it."""

from typing import Any
from uuid import uuid4

import pytest

from tests.integration.visit_api.world import World, made, pointers, problem


def new_measure(**fields: Any) -> dict[str, Any]:
    its = {"unit_code": "37401", "finding": "电话未及时回拨", "measure": "设置值班手机", "owner": "E102"}
    return {**its, "due_on": "2026-10-12", "figure": "visits_by_channel", **fields}


async def ids(world: World, **query: str) -> list[str]:
    return [each["id"] for each in (await world.admin.get("/measures", params=query)).json()["items"]]


@pytest.mark.clause("9.1")
async def test_a_finding_becomes_a_measure_that_somebody_else_verifies(world: World) -> None:
    visit = await world.visit()
    appeal = await world.raised(visit["id"])
    its = await made(
        world.visitor.post("/measures", json=new_measure(visit_id=visit["id"], appeal_id=appeal["id"], figure=None))
    )
    assert (its["state"], its["owner"], its["overdue"]) == ("open", "E102", False)
    path = f"/measures/{its['id']}"
    owner = world.client("supervisor", unit="37401", sub="E102")
    other = world.client("supervisor", unit="37401", sub="S1")
    early = problem(await other.post(f"{path}/verify", json={"words": "抽查"}), 409, "measure-not-now")
    assert (early["clause"], early["detail"]) == ("9.1", "措施处于 open，不能执行 verified（规范 9.1）。")
    done = (await owner.post(f"{path}/done", json={"words": "已配发"})).json()
    assert (done["state"], done["done_by"]) == ("done", "E102")
    own = problem(await owner.post(f"{path}/verify", json={"words": "抽查"}), 409, "verified-by-another")
    assert own["clause"] == "9.1"
    problem(await world.visitor.post(f"{path}/verify", json={"words": "抽查"}), 403, "forbidden")
    back = (await other.post(f"{path}/send-back", json={"words": "夜间无人接听"})).json()
    assert (back["state"], back["done_at"]) == ("open", None)
    await owner.post(f"{path}/done", json={"words": "已排夜班"})
    verified = (await other.post(f"{path}/verify", json={"words": "连续一周抽查合格"})).json()
    assert (verified["state"], verified["verified_by"]) == ("verified", "S1")
    assert await ids(world, state="verified", visit_id=visit["id"]) == [its["id"]]
    acts = (await other.get(f"{path}/acts")).json()["items"]
    assert [(each["act"], each["words"]) for each in acts] == [
        ("recorded", None),
        ("done", "已配发"),
        ("returned", "夜间无人接听"),
        ("done", "已排夜班"),
        ("verified", "连续一周抽查合格"),
    ]


@pytest.mark.clause("9.1")
async def test_what_is_open_past_its_day_is_overdue(world: World) -> None:
    its = await made(world.visitor.post("/measures", json=new_measure()))
    path = f"/measures/{its['id']}"
    world.later(days=3)
    assert (await world.admin.get(path)).json()["overdue"] is False, "the day itself is not over"
    world.later(days=1)
    assert (await world.admin.get(path)).json()["overdue"] is True
    assert await ids(world, overdue="true", unit_code="37401") == [its["id"]] == await ids(world, owner="E102")
    assert await ids(world, overdue="false") == await ids(world, due_until="2026-10-11") == []
    assert pointers(await world.visitor.post(f"{path}/change", json={"reason": "缺货"})) == [
        ("/due_on", "nothing_changes")
    ]
    moved = {"due_on": "2026-10-30", "owner": "E101", "reason": "设备缺货"}
    changed = (await world.visitor.post(f"{path}/change", json=moved)).json()
    assert (changed["due_on"], changed["owner"], changed["overdue"]) == ("2026-10-30", "E101", False)
    acts = (await world.admin.get(f"{path}/acts")).json()["items"]
    assert [(each["due_on"], each["owner"], each["words"]) for each in acts] == [
        ("2026-10-12", "E102", None),
        ("2026-10-30", "E101", "设备缺货"),
    ]


async def test_a_measure_names_what_is_its_units(world: World) -> None:
    theirs = await world.visit("37402")
    secret = await world.raised((await world.visit())["id"], anonymous=True)
    unknown = {"appeal_id": secret["id"]}
    nobody = world.client("visitor", unit="37401", sub="E102")
    assert pointers(await nobody.post("/measures", json=new_measure(**unknown))) == [("/appeal_id", "unknown_appeal")]
    for bad, fault in (
        ({"visit_id": theirs["id"]}, ("/visit_id", "unknown_visit")),
        ({"appeal_id": str(uuid4())}, ("/appeal_id", "unknown_appeal")),
        ({"appeal_id": secret["id"], "visit_id": secret["visit_id"]}, ("/appeal_id", "unknown_appeal")),
        ({"figure": None}, ("/figure", "found_nowhere")),
        ({"owner": "E201"}, ("/owner", "unknown_staff")),
        ({"due_on": "2026-10-08"}, ("/due_on", "past_day")),
    ):
        assert pointers(await world.admin.post("/measures", json=new_measure(**bad))) == [fault]
    new = new_measure(id=str(uuid4()))
    assert await made(world.visitor.post("/measures", json=new)) == await made(
        world.visitor.post("/measures", json=new)
    )
    problem(await world.visitor.post("/measures", json={**new, "finding": "别的"}), 409, "measure-taken")
