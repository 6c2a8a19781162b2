"""What a device may bring of customers: of those whom its visitor sees, or saw before they went elsewhere."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.integration.visit_api.phone import Phone, outcomes
from tests.integration.visit_api.test_attachments import PICTURE, declared
from tests.integration.visit_api.test_sync_deciding import conflict, resolve
from tests.integration.visit_api.world import World, made, waits
from tests.support.eventually import eventually

ANY = {"If-Match": "*"}


@pytest.fixture
def phone(world: World) -> Phone:
    return Phone(world, world.visitor)


def visit_to(phone: Phone, customer_id: str, **fields: Any) -> dict[str, Any]:
    plan = {"channel": "phone", "scheduled_at": "2026-10-09T09:00:00+08:00"}
    return phone.item("visit", ago=60, customer_id=customer_id, **{**plan, **fields})


async def wanted(world: World, unit_code: str, customer_id: str) -> dict[str, Any]:
    plan = await made(world.admin.post("/plans", json={"unit_code": unit_code, "period": "2026-10"}))
    new = {"customer_id": customer_id, "channel": "phone", "due_by": "2026-10-20", "reason": "新增"}
    return await made(world.admin.post(f"/plans/{plan['id']}/items", json=new))


def codes(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(error["pointer"], error["code"]) for error in answer["problem"]["errors"]]


UNKNOWN = [("/items/0/body/customer_id", "unknown_customer")]


async def test_a_customer_who_was_never_in_sight_is_none(world: World, phone: Phone) -> None:
    theirs = await world.customer("37402", kind="other.special_group", name="王某")
    item = await wanted(world, "37402", theirs["id"])
    visit = visit_to(phone, theirs["id"], plan_item_id=item["id"])
    words = phone.item("appeal", visit["id"], type="complaint", summary="停电")
    answers = await phone.push(visit, words)
    assert outcomes(answers) == ["refused"] * 2, "the device keeps what was said, and a person sees why"
    assert codes(answers[0]) == UNKNOWN
    assert codes((await phone.push(visit_to(phone, str(uuid4()))))[0]) == UNKNOWN, "as one that is not there"
    shown = (await world.admin.get(f"/plan-items/{item['id']}")).json()
    assert (shown["taken_at"], shown["version"]) == (None, item["version"])
    assert (await world.admin.get("/visits")).json()["items"] == []

    own = await world.visit()
    beside = {**visit_to(phone, theirs["id"]), "id": own["id"]}
    its, supervisor = await conflict(phone, beside), world.client("supervisor", unit="37401", sub="E109")
    refused = await supervisor.post(f"/sync/conflicts/{its}/resolve", json={"keep": "device"})
    assert refused.status_code == 422, "nor by a contradiction that a person decides"
    await resolve(supervisor, its, "server")


async def test_a_plan_that_is_out_of_sight_is_none_while_the_customer_is_in_sight(world: World, phone: Phone) -> None:
    own = await world.customer()
    item = await wanted(world, "374", own["id"])
    (refused,) = await phone.push(visit_to(phone, own["id"], plan_item_id=item["id"]))
    assert codes(refused) == [("/items/0/body/plan_item_id", "unknown_plan_item")]
    assert (await world.admin.get(f"/plan-items/{item['id']}")).json()["taken_at"] is None


@pytest.mark.parametrize("goes", ["customer", "unit", "merger"])
async def test_a_customer_who_went_elsewhere_was_in_sight(world: World, phone: Phone, goes: str) -> None:
    await made(world.admin.post("/units", json={"code": "3740101", "name": "班组", "parent_code": "37401"}))
    customer = await world.customer("3740101")
    item = await wanted(world, "3740101", customer["id"])
    if goes == "customer":
        for code in ("37402", "374"):
            to = {"unit_code": code}
            moved = await world.admin.patch(f"/customers/{customer['id']}", json=to, headers=ANY)
            assert moved.status_code == 200
    elif goes == "unit":
        up = {"parent_code": "37402"}
        assert (await world.admin.patch("/units/3740101", json=up, headers=ANY)).status_code == 200
    else:
        await made(world.admin.post("/units/3740101/merge", json={"into": "37402", "reason": "撤并"}))
        await world.stack.settle()
    (answer,) = await phone.push(visit_to(phone, customer["id"], plan_item_id=item["id"], visitor_ids=["E101"]))
    assert (answer["outcome"], answer["notes"]) == ("stored", ["customer_moved"]), answer
    other = Phone(world, world.client("visitor", unit="37402", sub="E201"), name="P-2")
    (answer,) = await other.push(visit_to(other, customer["id"], channel="online"))
    assert answer["outcome"] == "stored", "who has them, or had them in between, brings theirs"


async def test_of_two_devices_that_bring_a_visit_at_once_one_brings_it_again(
    world: World, phone: Phone, owner: asyncpg.Connection
) -> None:
    customer = await world.customer()
    visit = visit_to(phone, customer["id"], visitor_ids=["E101"])
    other = Phone(world, world.visitor, name="P-2")
    twin = {**visit, "at": visit_to(phone, customer["id"])["at"].replace("01:59:00", "01:58:00")}
    assert twin["at"] != visit["at"], "said otherwise by a little: another item of the same visit"
    async with owner.transaction():
        await owner.execute("SELECT FROM customers WHERE id = $1 FOR UPDATE", customer["id"])
        pushing = [asyncio.create_task(each.push(its)) for each, its in ((phone, visit), (other, twin))]
        await eventually(lambda: waits(owner, 2))
    answers = [answer for answers in await asyncio.gather(*pushing) for answer in answers]
    assert sorted(outcomes(answers)) == ["same", "stored"], answers
    lines = await world.rows("SELECT outcome FROM sync_items")
    assert sorted(line["outcome"] for line in lines) == ["same", "stored"]


async def test_who_went_to_another_unit_brings_what_they_did_before(world: World) -> None:
    customer = await world.customer()
    moved = await world.admin.patch("/staff/E102", json={"unit_code": "37402"}, headers=ANY)
    assert moved.status_code == 200, moved.text
    phone = Phone(world, world.client("visitor", unit="37402", sub="E102"))
    visit = visit_to(phone, customer["id"], visitor_ids=["E102"])
    words = phone.item("appeal", visit["id"], type="complaint", summary="停电")
    answers = await phone.push(visit, words)
    assert outcomes(answers) == ["stored"] * 2, answers
    assert answers[0]["notes"] == ["customer_moved"]
    assert (await world.admin.get(f"/visits/{visit['id']}")).json()["unit_code"] == "37402"
    other = Phone(world, world.client("visitor", unit="37402", sub="E201"), name="P-2")
    assert codes((await other.push(visit_to(other, customer["id"])))[0]) == UNKNOWN, "who never was there"


@pytest.mark.parametrize(("unit", "code"), [("37402", "37403"), ("375", "37401")])
async def test_who_went_saw_nothing_but_what_their_unit_had_and_brings_it_to_no_other_company(
    world: World, owner: asyncpg.Connection, unit: str, code: str
) -> None:
    await made(world.admin.post("/units", json={"code": "37403", "name": "槐荫供电中心", "parent_code": "374"}))
    theirs = await world.customer(code)
    await owner.execute("UPDATE staff SET unit_code = $1 WHERE staff_no = 'E101'", unit)
    phone = Phone(world, world.client("visitor", unit=unit, sub="E101"))
    assert codes((await phone.push(visit_to(phone, theirs["id"])))[0]) == UNKNOWN


async def test_who_handed_a_visit_over_and_went_elsewhere_brings_what_they_heard_there(world: World) -> None:
    visit = await world.visit(visitor_ids=["E102"])
    before = Phone(world, world.client("visitor", unit="37401", sub="E102"))
    start = before.item("start", visit["id"], ago=30)
    heard = before.item("appeal", visit["id"], ago=20, type="complaint", summary="停电")
    assert outcomes(await before.push(start, heard)) == ["stored"] * 2
    to = {"to_staff_no": "E101", "reason": "轮岗", "leaves": False}
    assert (await world.admin.post("/staff/E102/hand-over", json=to)).is_success
    moved = await world.admin.patch("/staff/E102", json={"unit_code": "37402"}, headers=ANY)
    assert moved.status_code == 200, moved.text
    phone = Phone(world, world.client("visitor", unit="37402", sub="E102"))
    words = phone.item("appeal", visit["id"], ago=10, type="complaint", summary="电压低")
    photo = phone.item("attachment", visit["id"], **declared())
    answers = await phone.push(start, heard, words, photo)
    assert outcomes(answers) == ["same", "same", "stored", "stored"], answers
    assert [each["notes"] for each in answers] == [["visit_moved"]] * 4
    assert (await phone.client.put(f"/attachments/{photo['id']}/parts/1", content=PICTURE)).status_code == 200
    appeals = (await world.admin.get(f"/visits/{visit['id']}/appeals")).json()["items"]
    assert [each["unit_code"] for each in appeals] == ["37401"] * 2, "it is heard where the visit is"
    other = Phone(world, world.client("visitor", unit="37402", sub="E201"), name="P-2")
    (refused,) = await other.push(other.item("appeal", visit["id"], type="complaint", summary="电压低"))
    assert refused["problem"]["status"] == 404, "of somebody else there is no such visit"
