"""What a device brings is applied item by item, by the rules of every other caller, and known again."""

import asyncio
import hashlib
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.visit_api.phone import NEEDS, Phone, outcomes
from tests.integration.visit_api.world import World, problem
from tests.support.samples import png


@pytest.fixture
def phone(world: World) -> Phone:
    return Phone(world, world.visitor)


async def plan(phone: Phone, customer: str, **fields: Any) -> dict[str, Any]:
    at = phone.now().isoformat()
    body = {"customer_id": customer, "channel": "on_site", "scheduled_at": at, "visitor_ids": ["E101"], **fields}
    return {**phone.item("visit", **body), "at": at}


async def test_a_whole_visit_made_without_a_line(world: World, phone: Phone) -> None:
    customer = await world.customer()
    visit = await plan(phone, customer["id"])
    visit_id = visit["id"]
    picture = png()
    photo = {"name": "门头.png", "kind": "photo", "size": len(picture), "sha256": hashlib.sha256(picture).hexdigest()}
    answers = [{"item": "on_site.kit", "answer": "yes"}, {"item": "conduct.badge", "answer": "no", "note": "遗失"}]
    appeal = phone.item("appeal", visit_id, ago=60, type="complaint", summary="三天两头停电")
    step = phone.item("step", visit_id, ago=90, content=NEEDS)
    items = [
        phone.item("completion", visit_id),
        phone.item("step", visit_id, ago=50, content={"kind": "appeals", "appeal_ids": [appeal["id"]]}),
        step,
        appeal,
        phone.item("attachment", visit_id, **photo),
        phone.item("checklist", visit_id, ago=80, answers=answers),
        phone.item("start", visit_id, ago=100),
        phone.item("arrival", visit_id, ago=110, place={"latitude": 36.6, "longitude": 117.1}, consented=True),
        phone.item("preparation", visit_id, ago=200, kit=[{"item": "handheld", "ready": "yes"}]),
        visit,
    ]
    answered = await phone.push(*items)
    assert outcomes(answered) == ["stored"] * 10, answered
    assert {each["clock"] for each in answered} == {"as_said"}
    shown = (await world.visitor.get(f"/visits/{visit_id}")).json()
    assert (shown["state"], shown["visitor_ids"]) == ("completed", ["E101"])
    assert shown["started_at"] == "2026-10-09T01:58:20Z"
    assert [each["id"] for each in (await world.visitor.get(f"/visits/{visit_id}/appeals")).json()["items"]] == [
        appeal["id"]
    ]
    told = [event.type for event in await world.told() if event.key == visit_id]
    assert told == [
        "visit.planned.v1",
        "visit.arrived.v1",
        "visit.started.v1",
        "appeal.raised.v1",
        "visit.completed.v1",
    ]

    again = await phone.push(*items)
    assert outcomes(again) == ["same"] * 10
    assert [each.get("thing_id") for each in again] == [each.get("thing_id") for each in answered]
    assert [event.type for event in await world.told() if event.key == visit_id] == told

    file = answered[4]["thing_id"]
    parts = f"/attachments/{file}/parts/1"
    assert (await world.visitor.put(parts, content=b"x" + picture[1:])).status_code == 200
    problem(await world.visitor.post(f"/attachments/{file}/complete"), 422, "attachment-refused")
    assert (await world.visitor.put(parts, content=picture)).status_code == 200
    assert (await world.visitor.post(f"/attachments/{file}/complete")).json()["state"] == "stored"


async def test_a_bad_item_costs_no_other(world: World, phone: Phone) -> None:
    visit = await world.visit(visitor_ids=["E101"])
    visit_id = visit["id"]
    foreign = await world.visit(unit_code="37402")
    good = phone.item("start", visit_id)
    bad = [
        {"kind": "teleport", "id": str(uuid4()), "at": phone.now().isoformat()},
        {**phone.item("appeal", visit_id, type="complaint", summary=""), "surprise": 1},
        phone.item("appeal", visit_id, type="consultation", summary="电价"),
        phone.item("step", visit_id, content={"kind": "strategy", "proposal": "增容", "owner": "E201"}),
        phone.item("start", foreign["id"]),
        phone.item("start", str(uuid4())),
        {**phone.item("visit", customer_id=str(uuid4()), channel="phone", scheduled_at=phone.now().isoformat())},
        phone.item("arrival", visit_id, place={"latitude": 1.5, "longitude": 1.5}),
        {},
        phone.item("attachment", visit_id, name="a.png", kind="photo", size=1 << 39, sha256="0" * 64),
    ]
    answer = await phone.send(*bad, good, **{"Accept-Language": "en"})
    answers = answer.json()["items"]
    assert outcomes(answers) == ["refused"] * 10 + ["stored"]
    assert [each.get("id") for each in answers[:8]] == [each["id"] for each in bad[:8]]
    found = [
        (each["problem"]["status"], [error["pointer"] for error in each["problem"].get("errors", ())])
        for each in answers[:-1]
    ]
    assert found == [
        (422, ["/items/0/kind"]),
        (422, ["/items/1/body/summary", "/items/1/surprise"]),
        (422, ["/items/2/body/reason_not_answered"]),
        (422, ["/items/3/body/content/owner"]),
        (404, []),
        (404, []),
        (422, ["/items/6/body/customer_id"]),
        (422, ["/items/7/body/consented"]),
        (422, ["/items/8/kind"]),
        (422, ["/items/9/body/size"]),
    ]
    others, nobodys = answers[4], answers[5]
    assert others["problem"] == nobodys["problem"], "another unit's looks like one that is not there"
    brought = (await world.admin.get("/sync/items")).json()["items"]
    assert [each["item_id"] for each in brought] == [good["id"]], "what was refused can be sent again"
    assert outcomes(await phone.push(phone.item("completion", visit_id, ago=-60)))[0] == "stored"


async def test_a_push_that_is_none(world: World, phone: Phone) -> None:
    huge = b'{"device": "P", "items": [' + b" " * 10_000_000 + b"]}"
    headers = {"Content-Type": "application/json"}
    assert (await world.visitor.post("/sync/push", content=huge, headers=headers)).status_code == 413
    visit = await world.visit()
    assert (await phone.send(*[phone.item("start", visit["id"])] * 201)).status_code == 422
    assert (await phone.send()).status_code == 422
    assert (await Phone(world, world.client("handler", unit="37401")).send({})).status_code == 403


async def test_with_a_key_all_items_are_one_commit_and_still_each_by_itself(world: World, phone: Phone) -> None:
    visit = await world.visit(visitor_ids=["E101"])
    items = [
        phone.item("start", visit["id"], ago=60),
        phone.item("appeal", visit["id"], type="consultation", summary="电价"),
        phone.item("appeal", visit["id"], type="complaint", summary="停电"),
        phone.item("start", visit["id"], ago=50),
    ]
    first = await phone.send(*items, **{"Idempotency-Key": "k1"})
    assert outcomes(first.json()["items"]) == ["stored", "refused", "stored", "conflict"]
    again = await phone.send(*items, **{"Idempotency-Key": "k1"})
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    assert outcomes(await phone.push(*items)) == ["same", "refused", "same", "conflict"]


async def test_two_devices_push_the_same_visit_at_once(world: World) -> None:
    visit = await world.visit(visitor_ids=["E101", "E102"])
    phones = [Phone(world, world.visitor), Phone(world, world.client("visitor", unit="37401", sub="E102"), name="P-2")]
    items = [
        [each.item("start", visit["id"], ago=60), each.item("appeal", visit["id"], type="complaint", summary="停电")]
        for each in phones
    ]
    rounds = await asyncio.gather(*(each.push(*its) for each, its in zip(phones, items, strict=True) for _ in range(3)))
    assert sorted(outcome for each in rounds for outcome in outcomes(each)) == ["same"] * 9 + ["stored"] * 3
    appeals = (await world.admin.get(f"/visits/{visit['id']}/appeals")).json()["items"]
    assert {each["id"] for each in appeals} == {its[1]["id"] for its in items}
    started = [event for event in await world.told() if event.type == "visit.started.v1"]
    assert len(started) == 1, "two devices that say one thing agree"


async def test_a_wrong_clock_is_noted_and_corrected_and_refuses_nothing(world: World) -> None:
    visit = await world.visit(visitor_ids=["E101"])
    visit_id = visit["id"]
    fast = Phone(world, world.visitor, name="FAST", off=timedelta(days=400, minutes=3))
    answers = await fast.push(
        fast.item("start", visit_id, ago=600),
        fast.item("appeal", visit_id, ago=300, type="complaint", summary="停电"),
        fast.item("completion", visit_id, ago=60),
    )
    assert outcomes(answers) == ["stored"] * 3
    assert [each["at"] for each in answers] == [f"2026-10-09T01:{minute}:00Z" for minute in (50, 55, 59)]
    assert {each["clock"] for each in answers} == {"corrected"}
    (appeal,) = (await world.visitor.get(f"/visits/{visit_id}/appeals")).json()["items"]
    assert appeal["received_at"] == "2026-10-09T01:55:00Z"
    line = (await world.admin.get("/sync/items", params={"clock": "corrected"})).json()["items"][0]
    assert (line["device_at"], line["offset_ms"]) == ("2027-11-13T01:53:00Z", -400 * 86_400_000 - 180_000)
    (device,) = (await world.admin.get("/sync/devices", params={"wrong": "true"})).json()["items"]
    assert (device["device"], device["staff_no"], device["wrong_since"]) == ("FAST", "E101", "2026-10-09T02:00:00Z")

    broken = Phone(world, world.visitor, name="BROKEN")
    words = [
        {**broken.item("appeal", visit_id, type="complaint", summary="漏电"), "at": at}
        for at in (
            "1970-01-01T00:00:00Z",
            "2026-10-09T18:00:00+08:00",
            "9999-12-29T00:00:00Z",
            "2026-10-09T10:01:59+08:00",
        )
    ]
    answers = await broken.push(*words)
    assert outcomes(answers) == ["stored"] * 4
    assert [each["clock"] for each in answers] == ["untrusted"] * 3 + ["as_said"]
    assert [each["at"] for each in answers[:3]] == ["2026-10-09T02:00:00Z"] * 3
    world.later(seconds=5)  # measured again, the offset is another by what the line takes
    assert outcomes(await broken.push(*words)) == ["same"] * 4
    fast.off = timedelta()
    await fast.push(fast.item("appeal", visit_id, type="opinion", summary="服务好"))
    assert (await world.admin.get("/sync/devices", params={"wrong": "true"})).json()["items"] == []


async def test_another_than_the_visitor_is_taken_and_noted(world: World, phone: Phone) -> None:
    visit = await world.visit(visitor_ids=["E102"])
    (answer,) = await phone.push(phone.item("start", visit["id"]))
    assert (answer["outcome"], answer["notes"]) == ("stored", ["not_the_visitor"])
    (line,) = (await world.admin.get("/sync/items", params={"visit_id": visit["id"]})).json()["items"]
    assert line["brought_by"] == "E101"


@pytest.mark.parametrize("late_first", [False, True])
async def test_of_two_devices_that_answer_one_item_the_one_that_answered_last_counts(
    world: World, phone: Phone, late_first: bool
) -> None:
    visit = await world.visit(visitor_ids=["E101", "E102"])
    other = Phone(world, world.client("visitor", unit="37401", sub="E102"), name="P-2")
    await phone.push(phone.item("start", visit["id"], ago=100))
    no = {"item": "on_site.kit", "answer": "no", "note": "缺测距仪"}
    said = [
        (phone, phone.item("checklist", visit["id"], ago=50, answers=[{"item": "on_site.kit", "answer": "yes"}])),
        (other, other.item("checklist", visit["id"], ago=40, answers=[no])),
    ]
    for device, item in said[::-1] if late_first else said:
        assert outcomes(await device.push(item)) == ["stored"]
    checklist = (await world.visitor.get(f"/visits/{visit['id']}/checklist")).json()["items"]
    (kit,) = [each for each in checklist if each["item"] == "on_site.kit"]
    assert (kit["answer"], kit["note"], kit["answered_by"]) == ("no", "缺测距仪", "E102")
    kept = await world.rows("SELECT answered_by FROM checklist_answers ORDER BY answered_at")
    assert [each["answered_by"] for each in kept] == ["E101", "E102"]
    assert (await world.admin.get("/sync/conflicts")).json()["items"] == []
