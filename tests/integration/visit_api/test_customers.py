"""Customers: told by kind and number only, followed by feed, removed with a tombstone."""

from uuid import uuid4

import pytest

from tests.integration.visit_api.world import Told, World, made, pointers, problem, tag

pytestmark = pytest.mark.usefixtures("told_whole")

SINCE = {"updated_since": "2026-10-09T00:00:00+08:00"}


@pytest.mark.clause("4", "8.1.4")
@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("government", "government"),
        ("key_project", "key_project"),
        ("partner.energy_body", "partner.energy_body"),
        ("partner.source_grid_load_storage", "partner.source_grid_load_storage"),
        ("partner.academia", "partner.academia"),
        ("other.important", "other"),
        ("other.service_risk", "other"),
        ("other.special_group", "other"),
    ],
)
async def test_a_customer_is_told_without_what_is_personal(world: World, kind: str, told: str) -> None:
    customer = await world.customer(kind=kind, customer_no="0001234567", phone="13900000000", importance="一级")
    payload = {
        "id": customer["id"], "customer_no": "0001234567", "kind": told, "unit_code": "37401", "version": 1
    }  # fmt: skip
    assert (await world.told())[-1] == Told("customer.changed.v1", customer["id"], payload)
    assert (await world.admin.get(f"/customers/{customer['id']}")).json() == customer


@pytest.mark.clause("4.1", "4.3.3")
async def test_a_government_may_have_no_number_or_many_accounts(world: World) -> None:
    none = await world.customer(kind="government")
    assert (none["customer_no"], none["accounts"]) == (None, [])
    many = await world.customer(kind="partner.academia", accounts=["0000000001", "0000000002"])
    assert many["accounts"] == ["0000000001", "0000000002"]


async def test_a_client_brings_its_own_id(world: World) -> None:
    new = {"id": str(uuid4()), "name": "甲", "kind": "government", "unit_code": "37401"}
    customer = await made(world.visitor.post("/customers", json=new))
    assert customer["id"] == new["id"]
    changed = await world.visitor.patch(f"/customers/{new['id']}", json={"name": "乙"}, headers={"If-Match": "*"})
    told = len(await world.told())
    assert await made(world.visitor.post("/customers", json=new)) == changed.json(), "the same again, whatever changed"
    problem(await world.visitor.post("/customers", json={**new, "name": "丙"}), 409, "customer-taken")
    problem(await world.stranger.post("/customers", json={**new, "unit_code": "375"}), 409, "customer-taken")
    assert len(await world.told()) == told


async def test_a_customer_belongs_to_a_unit_that_the_caller_sees(world: World) -> None:
    for unit_code in ("37402", "375", "999"):
        new = {"name": "甲", "kind": "government", "unit_code": unit_code}
        assert pointers(await world.visitor.post("/customers", json=new)) == [("/unit_code", "unknown_unit")]


@pytest.mark.clause("3.2")
async def test_importance_is_not_changed_by_hand(world: World) -> None:
    customer = await world.customer(importance="一级")
    path = f"/customers/{customer['id']}"
    answer = await world.admin.patch(path, json={"importance": "特级"}, headers={"If-Match": "*"})
    assert pointers(answer) == [("/importance", "importance_is_determined")]
    assert "§3.2" in answer.text
    assert (await world.admin.get(path)).json()["importance"] == "一级"


@pytest.mark.clause("3.2")
async def test_whoever_reads_importance_is_told_who_says_it(world: World) -> None:
    said, unsaid = await world.customer(importance="一级"), await world.customer()
    assert (said["importance"], said["importance_by"]) == ("一级", "stated")
    assert (unsaid["importance"], unsaid["importance_by"]) == (None, None)
    document = {"government_body": "市发展改革委", "document_no": "8", "determined_on": "2026-09-30"}
    item = {"customer_id": said["id"], "level": "first"}
    for _ in range(2):  # as brought again by another document, which says the same
        await made(world.admin.post("/importance-documents", json={**document, "items": [item]}))
    for listed in (
        (await world.admin.get(f"/customers/{said['id']}")).json(),
        (await world.admin.get("/customers", params=SINCE)).json()["items"][-1],
    ):
        assert (listed["importance"], listed["importance_by"], listed["version"]) == ("first", "document", 3)


@pytest.mark.clause("4.4.2")
async def test_who_is_at_risk_a_supervisor_says_and_why(world: World) -> None:
    its, beside = await world.customer(), await world.customer()
    path, marks = f"/customers/{its['id']}", {"marks": ["service_risk"], "reason": "配变频繁跳闸"}
    supervisor = world.client("supervisor", unit="37401", sub="E109")
    for role in ("visitor", "integration"):
        caller = world.client(role, unit="37401")
        problem(await caller.patch(path, json=marks, headers=await tag(caller, path)), 403, "customer-mark-decided")
    without = await supervisor.patch(path, json={"marks": marks["marks"]}, headers=await tag(supervisor, path))
    assert pointers(without) == [("/reason", "missing")]
    marked = (await supervisor.patch(path, json=marks, headers=await tag(supervisor, path))).json()
    assert (marked["marks"], marked["version"]) == (["service_risk"], 2)
    same = {"marks": ["service_risk"] * 2, "name": "改名"}
    answer = await world.visitor.patch(path, json=same, headers=await tag(world.visitor, path))
    assert answer.status_code == 200, "whoever sends back what is so decides nothing"
    (found,) = (await world.visitor.get("/customers", params={"mark": "service_risk"})).json()["items"]
    assert found["id"] == its["id"]
    assert found["id"] != beside["id"]
    off = {"marks": [], "reason": "已换配变"}
    assert (await supervisor.patch(path, json=off, headers=await tag(supervisor, path))).json()["marks"] == []
    lines = (await world.admin.get("/trail", params={"thing_id": its["id"]})).json()["items"]
    assert [(line["act"], line["by"], line["reason"]) for line in lines] == [
        ("customer.marked", "E109", "配变频繁跳闸"),
        ("customer.marked", "E109", "已换配变"),
    ]


async def test_a_change_is_told_by_version(world: World) -> None:
    customer = await world.customer()
    path = f"/customers/{customer['id']}"
    read = await tag(world.visitor, path)
    answer = await world.visitor.patch(path, json={"customer_no": "007"}, headers=read)
    assert (answer.status_code, answer.json()["customer_no"]) == (200, "007")
    told = (await world.told())[-1].payload
    assert told is not None
    assert (told["customer_no"], told["version"]) == ("007", 2)
    problem(await world.visitor.patch(path, json={"customer_no": "008"}, headers=read), 412, "precondition-failed")


async def test_a_removed_customer_is_a_tombstone(world: World) -> None:
    kept, gone = await world.customer(), await world.customer()
    path = f"/customers/{gone['id']}"
    problem(await world.visitor.delete(path, headers=await tag(world.visitor, path)), 403, "forbidden")
    problem(await world.admin.delete(path), 428, "precondition-required")
    assert (await world.admin.delete(path, headers=await tag(world.admin, path))).status_code == 204
    assert (await world.told())[-1] == Told("customer.removed.v1", gone["id"], None)
    problem(await world.admin.get(path), 404, "not-found")
    problem(await world.admin.delete(path, headers={"If-Match": "*"}), 404, "not-found")
    assert [item["id"] for item in (await world.admin.get("/customers")).json()["items"]] == [kept["id"]]
    feed = (await world.admin.get("/customers", params=SINCE)).json()["items"]
    assert [item["id"] for item in feed] == [kept["id"], gone["id"]]
    assert feed[1].keys() == {"id", "removed_at", "version", "updated_at"}, "nothing of what it was"


async def test_a_removed_customer_does_not_come_back(world: World) -> None:
    new = {"id": str(uuid4()), "name": "甲", "kind": "government", "unit_code": "37401"}
    await made(world.admin.post("/customers", json=new))
    await world.admin.delete(f"/customers/{new['id']}", headers={"If-Match": "*"})
    problem(await world.admin.post("/customers", json=new), 409, "customer-taken")
    visit = {"customer_id": new["id"], "channel": "phone", "scheduled_at": "2026-10-10T09:00:00+08:00"}
    assert pointers(await world.admin.post("/visits", json=visit)) == [("/customer_id", "unknown_customer")]


async def test_a_feed_goes_on_from_its_cursor(world: World) -> None:
    first = await world.customer()
    page = (await world.admin.get("/customers", params=SINCE)).json()
    assert [item["id"] for item in page["items"]] == [first["id"]]
    await world.admin.patch(f"/customers/{first['id']}", json={"name": "改名"}, headers={"If-Match": "*"})
    second = await world.customer()
    after = (await world.admin.get("/customers", params={"cursor": page["next"]})).json()
    assert [(item["id"], item["version"]) for item in after["items"]] == [(first["id"], 2), (second["id"], 1)]


async def test_a_list_is_filtered(world: World) -> None:
    government = await world.customer(kind="government")
    numbered = await world.customer("37402", customer_no="0042")
    for params, expected in (
        ({"kind": "government"}, government),
        ({"unit_code": "37402"}, numbered),
        ({"customer_no": "0042"}, numbered),
    ):
        found = (await world.admin.get("/customers", params=params)).json()["items"]
        assert [item["id"] for item in found] == [expected["id"]]
    assert pointers(await world.admin.get("/customers", params={"kind": "nobility"})) == [("/kind", "literal_error")]


async def test_a_system_that_follows_what_changes_is_told_in_full_and_noted(world: World) -> None:
    facts = {"group": "lonely_elderly", "heed": "独居，行动不便"}
    special = {"kind": "other.special_group", "particulars": facts}
    its = await world.customer(phone="13812340000", address="泉城路1号", **special)
    gone = await world.customer()
    assert (its["phone"], its["address"], its["particulars"]) == ("138****0000", "泉城****", {})
    assert (await world.admin.delete(f"/customers/{gone['id']}", headers={"If-Match": "*"})).status_code == 204
    marketing = world.client("integration", unit="374", sub="marketing")
    since = {"updated_since": "2026-01-01T00:00:00Z"}
    page = (await marketing.get("/customers", params=since)).json()
    told = {each["id"]: each for each in page["items"]}
    assert (told[its["id"]]["phone"], told[its["id"]]["address"]) == ("13812340000", "泉城路1号")
    assert told[its["id"]]["particulars"] == facts
    assert set(told[gone["id"]]) == {"id", "removed_at", "version", "updated_at"}
    line, of_each = await world.rows("SELECT * FROM trail WHERE act = 'customers.followed' ORDER BY id")
    assert (of_each["by"], of_each["unit_code"], of_each["thing_id"]) == ("marketing", "37401", its["id"])
    assert (line["by"], line["unit_code"]) == ("marketing", "374")
    assert line["reason"].startswith("2 customers, ")
    more = await marketing.get("/customers", params={"cursor": page["next"]})
    assert more.json()["items"] == [], "and of a page with nothing on it nothing is noted"
    assert "13812340000" not in (await marketing.get("/customers")).text
    assert "13812340000" not in (await world.visitor.get("/customers", params=since)).text
    assert len([each for each in await world.rows("SELECT act FROM trail") if each[0] == "customers.followed"]) == 2


@pytest.mark.clause("4.4.3", "8.1.4")
async def test_who_followed_one_of_a_special_group_is_found_by_the_customer_and_in_its_unit(world: World) -> None:
    its, ordinary = await world.customer(kind="other.special_group"), await world.customer()
    for each in (its, ordinary):
        await made(world.visitor.post(f"/customers/{each['id']}/contacts", json={"name": "王建国", "role": "self"}))
    since = {"updated_since": "2026-01-01T00:00:00Z"}
    for things in ("customers", "contacts"):
        answer = await world.client("integration", unit="374", sub="marketing").get(f"/{things}", params=since)
        assert len(answer.json()["items"]) == 2
    unit = world.client("admin", unit="37401", sub="E110")
    (lines, none) = [
        (await unit.get("/trail", params={"thing_id": each["id"]})).json()["items"] for each in (its, ordinary)
    ]
    assert [(line["by"], line["act"]) for line in lines] == [
        ("marketing", "customers.followed"),
        ("marketing", "contacts.followed"),
    ]
    assert none == []
    assert len((await unit.get("/trail")).json()["items"]) == len(lines)
    assert (await world.admin.get(f"/customers/{its['id']}")).json()["version"] == 1
