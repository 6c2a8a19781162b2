"""Calls after which something is owed: missed, out of hours, not to be taken; and until when they are."""

import runpy
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.integration.visit_api.test_archive import ended
from tests.integration.visit_api.world import World, made, pointers, problem, tag
from tests.support.databases import everything
from visit_api.obligations import service
from visit_api.obligations.service import on_record, unmet
from visit_api.visits.models import Visit

CALLED = "2026-10-09T09:30:00+08:00"
NIGHT = "2026-10-08T22:15:00+08:00"
NUMBER = "13700001234"
ENDED_BY_OLDER_CODE = """
UPDATE obligations
SET state = 'done', how = 'called_back', discharged_at = now(), discharged_by = 'E101', words = '已回拨',
    version = version + 1
WHERE id = $1
"""


async def owed(world: World, kind: str = "missed_call", **fields: Any) -> dict[str, Any]:
    """What is owed to a customer who called, a new one where none is named."""
    new = {"kind": kind, "called_at": CALLED, **fields}
    if "customer_id" not in new:
        new["customer_id"] = (await world.customer())["id"]
    return await made(world.visitor.post("/obligations", json=new))


async def open_ones(world: World, **query: str) -> list[str]:
    """The ids of what is owed still."""
    items = (await world.admin.get("/obligations", params={"state": "open", **query})).json()["items"]
    return [each["id"] for each in items]


@pytest.mark.clause("6.2.2.3")
async def test_a_missed_call_is_owed_until_it_is_returned_and_explained(world: World) -> None:
    its = await owed(world, note="响铃三声")
    assert {name: its[name] for name in ("clause", "owner", "state", "in_hours", "owed_from", "recorded_by")} == {
        "clause": "6.2.2.3",
        "owner": "E101",
        "state": "open",
        "in_hours": True,
        "owed_from": "2026-10-09T01:30:00Z",
        "recorded_by": "E101",
    }
    assert await open_ones(world) == [its["id"]]
    path = f"/obligations/{its['id']}"
    assert pointers(await world.visitor.post(f"{path}/discharge", json={})) == [("/words", "missing")]
    early = {"words": "开会未听到，已致歉", "at": "2026-10-09T09:29:59+08:00"}
    assert pointers(await world.visitor.post(f"{path}/discharge", json=early)) == [("/at", "before_the_call")]
    done = await world.visitor.post(f"{path}/discharge", json={**early, "at": "2026-10-09T09:50:00+08:00"})
    assert (done.status_code, done.json()["state"], done.json()["how"]) == (200, "done", "called_back")
    assert (done.json()["discharged_at"], done.json()["discharged_by"]) == ("2026-10-09T01:50:00Z", "E101")
    assert done.json()["words"] == early["words"]
    assert await open_ones(world) == []
    again = problem(await world.visitor.post(f"{path}/discharge", json=early), 422, "unprocessable")
    assert again["errors"][0]["code"] == "before_the_call"
    late = await world.visitor.post(f"{path}/discharge", json={"words": "再次回拨"})
    assert problem(late, 409, "obligation-discharged")["how"] == "called_back"


@pytest.mark.clause("6.2.2.4")
async def test_out_of_hours_the_caller_is_told_of_the_working_time(world: World) -> None:
    customer = await world.customer()
    new = {"kind": "out_of_hours_call", "customer_id": customer["id"], "called_at": NIGHT}
    refused = await world.visitor.post("/obligations", json=new)
    assert (pointers(refused), refused.json()["clause"]) == ([("/told", "told_required")], "6.2.2.4")
    its = await owed(world, **{**new, "told": "您好，工作时间内将及时为您处理"})
    assert (its["in_hours"], its["owed_from"], its["told"]) == (False, "2026-10-09T00:30:00Z", its["told"])
    done = await world.visitor.post(f"/obligations/{its['id']}/discharge", json={"words": "已核对电费"})
    assert done.json()["how"] == "handled"


@pytest.mark.clause("6.2.2.4")
async def test_who_cannot_take_a_call_answers_by_text(world: World) -> None:
    its = await owed(world, "untaken_call", owner="E102")
    assert (its["clause"], its["owner"]) == ("6.2.2.4", "E102")
    assert await open_ones(world, owner="E102") == [its["id"]]
    assert await open_ones(world, owner="E101") == await open_ones(world, unit_code="37402") == []
    done = await world.visitor.post(f"/obligations/{its['id']}/discharge", json={"words": "正在现场作业，稍后联系您"})
    assert done.json()["how"] == "texted"


@pytest.mark.clause("6.2.2.3", "8.1.4")
async def test_a_call_from_a_number_that_nobody_knows_is_owed_too(world: World, owner: asyncpg.Connection) -> None:
    id_, reason = str(uuid4()), {"reason": "回拨漏接来电"}
    its = await owed(world, customer_id=None, phone=NUMBER, id=id_)
    assert (its["customer_id"], its["phone"], its["unit_code"]) == (None, "137****1234", "37401")
    assert await owed(world, customer_id=None, phone=NUMBER, id=id_) == its
    assert [each["id"] for each in (await world.visitor.get("/my-day")).json()["owed"]] == [id_]
    assert NUMBER not in await everything(owner)
    path = f"/obligations/{id_}"
    problem(await world.stranger.get(f"{path}/full", params=reason), 404, "not-found")
    assert pointers(await world.visitor.get(f"{path}/full")) == [("/reason", "missing")]
    assert (await world.visitor.get(f"{path}/full", params=reason)).json() == {"id": id_, "phone": NUMBER}
    (line,) = await world.rows("SELECT by, unit_code, act, thing_id, reason FROM trail")
    assert tuple(line) == ("E101", "37401", "obligation.opened", id_, reason["reason"])
    # Who it was is said when they were called back; the number is forgotten then.
    theirs = await made(
        world.stranger.post("/customers", json={"name": "甲", "kind": "government", "unit_code": "375"})
    )
    words = {"words": "已回拨并致歉", "customer_id": theirs["id"]}
    assert pointers(await world.visitor.post(f"{path}/discharge", json=words)) == [("/customer_id", "unknown_customer")]
    customer = await world.customer(phone=NUMBER)
    done = await world.visitor.post(f"{path}/discharge", json={**words, "customer_id": customer["id"]})
    assert (done.status_code, done.json()["state"], done.json()["customer_id"]) == (200, "done", customer["id"])
    assert (await world.visitor.get(f"{path}/full", params=reason)).json()["phone"] is None
    known = await owed(world)
    refused = await world.visitor.post(
        f"/obligations/{known['id']}/discharge", json={**words, "customer_id": customer["id"]}
    )
    assert pointers(refused) == [("/customer_id", "caller_known")]


async def test_of_an_unknown_caller_the_number_and_the_unit_are_said(world: World) -> None:
    visit = await world.visit()
    new, about = {"kind": "missed_call", "called_at": CALLED}, {"customer_id": visit["customer_id"]}
    for bad, fault in (
        ({}, ("/customer_id", "no_caller")),
        ({"phone": NUMBER, "visit_id": visit["id"]}, ("/visit_id", "unknown_caller")),
        ({"phone": NUMBER, "unit_code": "375"}, ("/unit_code", "unknown_unit")),
        ({"phone": "137****1234"}, ("/phone", "masked")),
        ({**about, "unit_code": "37401"}, ("/unit_code", "unit_of_the_customer")),
        ({**about, "phone": "137****1234"}, ("/phone", "masked")),
    ):
        assert pointers(await world.admin.post("/obligations", json={**new, **bad})) == [fault]
    its = await made(world.admin.post("/obligations", json={**new, "phone": NUMBER, "unit_code": "37402"}))
    assert (its["unit_code"], its["in_hours"]) == ("37402", True)


@pytest.mark.clause("6.2.2.3", "8.1.4", "7.2.6")
async def test_a_customer_is_called_back_at_the_number_it_called_from(world: World) -> None:
    visit, reason = await ended(world, visitor_ids=["E101"], channel="phone"), {"reason": "回拨漏接来电"}
    await world.act(visit["id"], "archive")
    about = {"customer_id": visit["customer_id"], "visit_id": visit["id"]}
    its = await owed(world, **about, phone=NUMBER, owner="E102")
    assert (its["customer_id"], its["phone"], its["owner"]) == (visit["customer_id"], "137****1234", "E102")
    colleague = world.client("visitor", unit="37401", sub="E102")
    path = f"/obligations/{its['id']}"
    assert (await colleague.get(f"{path}/full", params=reason)).json()["phone"] == NUMBER
    supplement = await made(world.visitor.post(f"/visits/{visit['id']}/supplements"))
    assert [each["id"] for each in supplement["record"]["obligations"]] == [its["id"]]
    assert "****" not in str(supplement), "what is archived is there for years"
    done = await colleague.post(f"{path}/discharge", json={"words": "已回拨并致歉"})
    assert (done.status_code, done.json()["phone"]) == (200, None)
    assert (await colleague.get(f"{path}/full", params=reason)).json()["phone"] is None


@pytest.mark.clause("6.2.2.3", "8.1.4")
async def test_the_number_of_a_caller_is_forgotten_when_nothing_is_owed(
    world: World, owner: asyncpg.Connection
) -> None:
    done, waived, older, before = [await owed(world, customer_id=None, phone=NUMBER) for _ in range(4)]
    supervisor = world.client("supervisor", unit="37401", sub="S1")
    for its, client, act, said in (
        (done, world.visitor, "discharge", {"words": "已回拨"}),
        (waived, supervisor, "waive", {"reason": "空号"}),
    ):
        answer = await client.post(f"/obligations/{its['id']}/{act}", json=said)
        assert (answer.status_code, answer.json()["customer_id"], answer.json()["phone"]) == (200, None, None)
    await owner.execute(ENDED_BY_OLDER_CODE, UUID(older["id"]))
    await owner.execute("ALTER TABLE obligations DISABLE TRIGGER obligations_forgotten")
    await owner.execute(ENDED_BY_OLDER_CODE, UUID(before["id"]))
    numbers = "SELECT id::text FROM obligations WHERE phone_sealed IS NOT NULL"
    assert [row["id"] for row in await owner.fetch(numbers)] == [before["id"]]
    (migration,) = (Path(service.__file__).parents[1] / "migrations" / "versions").glob("*_ended_without_numbers.py")
    for _ in range(2):
        await owner.execute(runpy.run_path(str(migration))["FORGOTTEN"])
    assert await owner.fetch(numbers) == []
    versions = await owner.fetch("SELECT id::text, version FROM obligations")
    assert {row["id"]: row["version"] for row in versions} == {
        done["id"]: 2,
        waived["id"]: 2,
        older["id"]: 2,
        before["id"]: 3,
    }


@pytest.mark.clause("6.2.2.3", "6.2.2.4", "7.2.6")
async def test_what_is_owed_in_the_course_of_a_visit_is_wanting_in_its_record(world: World) -> None:
    visit = await world.visit(channel="phone")
    about = {"customer_id": visit["customer_id"], "visit_id": visit["id"]}
    missed = await owed(world, **about)
    untaken = await owed(world, "untaken_call", **about)
    await world.visitor.post(f"/obligations/{missed['id']}/discharge", json={"words": "已回拨说明"})
    async with world.runtime.db.transaction() as tx:
        its = await tx.get(Visit, visit["id"])
        assert its is not None
        assert [tuple(each) for each in await unmet(tx, world.runtime, its)] == [("6.2.2.4", "untaken_call")]
        assert len(await on_record(tx, world.runtime, its)) == 2
    path = f"/obligations/{untaken['id']}/waive"
    problem(await world.visitor.post(path, json={"reason": "客户已再次来电"}), 403, "forbidden")
    waived = await world.client("supervisor", unit="37401", sub="S1").post(path, json={"reason": "客户已再次来电"})
    assert (waived.json()["how"], waived.json()["words"], waived.json()["discharged_by"]) == (
        "waived",
        "客户已再次来电",
        "S1",
    )
    async with world.runtime.db.transaction() as tx:
        assert await unmet(tx, world.runtime, its) == []


async def test_what_is_owed_names_things_of_the_callers_own(world: World) -> None:
    visit, other = await world.visit(), await world.customer()
    new = {"kind": "missed_call", "called_at": CALLED, "customer_id": other["id"]}
    for bad, fault in (
        ({"visit_id": visit["id"]}, ("/visit_id", "unknown_visit")),
        ({"visit_id": str(uuid4())}, ("/visit_id", "unknown_visit")),
        ({"owner": "E201"}, ("/owner", "unknown_staff")),
        ({"called_at": "2026-10-09T10:03:00+08:00"}, ("/called_at", "in_the_future")),
    ):
        assert pointers(await world.visitor.post("/obligations", json={**new, **bad})) == [fault]


async def test_the_same_call_again_is_answered_as_the_first_time(world: World) -> None:
    customer = await world.customer()
    new = {"id": str(uuid4()), "kind": "missed_call", "called_at": CALLED, "customer_id": customer["id"]}
    first = await made(world.visitor.post("/obligations", json=new))
    assert await made(world.visitor.post("/obligations", json=new)) == first
    problem(await world.visitor.post("/obligations", json={**new, "note": "别的"}), 409, "obligation-taken")


async def test_office_hours_are_those_of_the_nearest_unit_that_decided(world: World) -> None:
    path = "/units/37401/office-hours"
    before = (await world.admin.get(path)).json()
    assert (before["decided_by"], before["edition"], before["week"][0]["opens"]) == (None, 1, "08:30")
    hours = {"week": [{"days": [1, 2, 3, 4, 5], "opens": "00:00", "closes": "24:00"}], "exceptions": []}
    put = await world.admin.put("/units/374/office-hours", json=hours, headers=await tag(world.admin, path))
    problem(put, 412, "precondition-failed")
    tagged = await tag(world.admin, "/units/374/office-hours")
    put = await world.admin.put("/units/374/office-hours", json=hours, headers=tagged)
    assert (put.status_code, put.json()["decided_by"], put.json()["edition"]) == (200, "374", 1)
    assert (await world.admin.get(path)).json()["decided_by"] == "374"
    its = await owed(world, "out_of_hours_call", called_at=NIGHT, told="工作时间处理")
    assert (its["in_hours"], its["owed_from"]) == (True, "2026-10-08T14:15:00Z")
    own = {"week": [], "exceptions": [{"date": "2026-10-12", "opens": "08:00", "closes": "09:00"}]}
    for edition in (1, 2):
        put = await world.admin.put(path, json=own, headers=await tag(world.admin, path))
        assert (put.json()["decided_by"], put.json()["edition"]) == ("37401", edition)
    its = await owed(world, called_at=CALLED)
    assert (its["in_hours"], its["owed_from"]) == (False, "2026-10-12T00:00:00Z")
    kept = (await world.admin.get("/units/37401/rulebooks")).json()["items"]
    assert [(each["subject"], each["edition"], each["set_by"]) for each in kept] == [
        ("office_hours", 1, "E001"),
        ("office_hours", 2, "E001"),
    ]
    wrong = {
        "week": [{"days": [1], "opens": "17:00", "closes": "08:00"}],
        "exceptions": [{"date": "2026-10-12", "opens": "08:00"}],
    }
    answer = await world.admin.put(path, json=wrong, headers={"If-Match": "*"})
    assert pointers(answer) == [("/week/0/closes", "closes_first"), ("/exceptions/0/closes", "closes_first")]
