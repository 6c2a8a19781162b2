"""Contacts and other personal data: sealed at rest, shown masked, opened for a reason, given as far as was agreed."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.integration.visit_api.world import World, made, pointers, problem, tag
from tests.support.databases import everything
from visit_api.__main__ import SERVICE
from visit_api.base import Base, digest
from visit_api.customers.schemas import NewCustomer

PHONE = "13812340000"
WANG = {"name": "王建国", "role": "power_manager", "phone": PHONE, "email": "wang@example.com"}
WHY = {"reason": "核对联系方式"}


async def contact(world: World, customer: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return await made(world.visitor.post(f"/customers/{customer['id']}/contacts", json={**WANG, **fields}))


@pytest.mark.clause("8.1.4", "6.3.2.5", "004 4.2")
async def test_a_dump_and_the_topics_tell_nothing_personal(world: World, owner: asyncpg.Connection) -> None:
    facts = {"group": "lonely_elderly", "heed": "独居，听力不好"}
    customer = await world.customer(kind="other.special_group", phone="139-1111-2222", particulars=facts)
    its = await contact(world, customer)
    await world.visitor.patch(f"/contacts/{its['id']}", json={"phone": "13733334444"}, headers={"If-Match": "*"})
    key = {"Idempotency-Key": uuid4().hex}
    await made(world.visitor.post(f"/customers/{customer['id']}/contacts", json=WANG, headers=key))
    dumped = await everything(owner)
    numbers = (PHONE, "139-1111-2222", "13911112222", "13733334444", PHONE.encode().hex())
    for word in (*numbers, "王建国", "wang@", "lonely", "听力"):
        assert word not in dumped, word
    assert "other.special_group" not in str(await world.told())


async def test_what_is_personal_is_shown_masked(world: World) -> None:
    customer = await world.customer(phone="+86 138-1234-0000")
    assert customer["phone"] == "138****0000"
    assert (await world.admin.get("/customers")).json()["items"][0]["phone"] == "138****0000"
    its = await contact(world, customer)
    assert (its["name"], its["phone"], its["email"]) == ("王**", "138****0000", "****")
    assert (await world.visitor.get(f"/customers/{customer['id']}/contacts")).json()["items"] == [its]
    assert (await world.visitor.get(f"/contacts/{its['id']}")).json() == its
    for path in (f"/customers/{customer['id']}", f"/contacts/{its['id']}"):
        answer = await world.visitor.patch(path, json={"phone": "138****0000"}, headers={"If-Match": "*"})
        assert pointers(answer) == [("/phone", "masked")]


@pytest.mark.clause("8.1.4", "004 4.2")
async def test_it_is_opened_for_a_reason_and_that_is_kept(world: World) -> None:
    facts = {"group": "vulnerable"}
    customer = await world.customer(kind="other.special_group", phone=PHONE, particulars=facts)
    assert customer["particulars"] == {}
    its = await contact(world, customer)
    paths = (f"/customers/{customer['id']}/full", f"/contacts/{its['id']}/full")
    for path in paths:
        assert pointers(await world.visitor.get(path)) == [("/reason", "missing")]
        clerk = world.client("handler", unit="37401")
        problem(await clerk.get(path, params=WHY), 403, "forbidden")
        problem(await world.stranger.get(path, params=WHY), 404, "not-found")
    assert await world.rows("SELECT * FROM trail") == []
    opened = [(await world.visitor.get(path, params=WHY)).json() for path in paths]
    assert opened[0] == {"id": customer["id"], "phone": PHONE, "address": None, "particulars": facts}
    assert {**opened[1], **WANG} == opened[1]
    lines = await world.rows("SELECT by, unit_code, act, thing_id, reason FROM trail ORDER BY id")
    assert [tuple(line) for line in lines] == [
        ("E101", "37401", "customer.opened", customer["id"], "核对联系方式"),
        ("E101", "37401", "contact.opened", its["id"], "核对联系方式"),
    ]


async def test_a_number_finds_whose_it_is_however_it_is_written(world: World) -> None:
    ours = await world.customer(phone=PHONE)
    beside = await world.customer("37402")
    its = await made(world.admin.post(f"/customers/{beside['id']}/contacts", json=WANG))

    async def found(client: Any, phone: str) -> set[tuple[str, str | None]]:
        answer = await client.post("/customers/find", json={"phone": phone})
        return {(item["customer_id"], item["contact_id"]) for item in answer.json()["items"]}

    assert await found(world.admin, "+86 138 1234 0000") == {(ours["id"], None), (beside["id"], its["id"])}
    assert await found(world.visitor, PHONE) == {(ours["id"], None)}
    assert await found(world.stranger, PHONE) == set()
    assert await found(world.admin, "13812340001") == set()
    await world.admin.patch(f"/contacts/{its['id']}", json={"phone": "13812340001"}, headers={"If-Match": "*"})
    await world.admin.patch(f"/customers/{ours['id']}", json={"phone": None}, headers={"If-Match": "*"})
    assert await found(world.admin, PHONE) == set()
    assert await found(world.admin, "13812340001") == {(beside["id"], its["id"])}


@pytest.mark.clause("8.1.4", "004 4.2")
async def test_whoever_is_told_whose_number_it_is_leaves_a_trail(world: World) -> None:
    ours, beside = await world.customer(phone=PHONE), await world.customer("37402", phone=PHONE)
    await contact(world, ours)
    for client in (world.admin, world.visitor, world.stranger):
        await client.post("/customers/find", json={"phone": PHONE})
    lines = await world.rows("SELECT by, unit_code, act, thing, thing_id, reason FROM trail")
    assert sorted(tuple(line)[:5] for line in lines) == sorted(
        [
            ("E001", "37401", "customer.found", "customer", ours["id"]),
            ("E001", "37402", "customer.found", "customer", beside["id"]),
            ("E101", "37401", "customer.found", "customer", ours["id"]),
        ]
    )
    assert {line["reason"] for line in lines} == {None}, "who was found, and not by what"


@pytest.mark.clause("8.1.4")
async def test_a_service_is_given_what_was_agreed_to(world: World) -> None:
    customer = await world.customer(phone=PHONE)
    path = f"/customers/{customer['id']}/contact"
    nobody = (await world.service.get(path)).json()
    assert (nobody["phone"], nobody["email"], nobody["contact_id"]) == (None, None, None), "nobody agreed to anything"
    await contact(world, customer, consent="refused")
    mail = await contact(world, customer, name="李梅", consent="given", channels=["email"])
    given = (await world.service.get(path)).json()
    assert (given["contact_id"], given["phone"], given["email"]) == (mail["id"], None, "wang@example.com")
    texted = await contact(world, customer, name="赵新", consent="given", channels=["sms"], preferred=True)
    given = (await world.service.get(path)).json()
    assert (given["name"], given["phone"], given["email"], given["channels"]) == ("赵新", PHONE, None, ["sms"])
    await world.visitor.patch(f"/contacts/{texted['id']}", json={"consent": "refused"}, headers={"If-Match": "*"})
    assert (await world.service.get(path)).json()["contact_id"] == mail["id"]
    assert (await world.visitor.get(f"/contacts/{texted['id']}")).json()["channels"] == []
    lines = await world.rows("SELECT by, act FROM trail")
    assert {tuple(line) for line in lines} == {("appeal_tracker", "contact.given")}
    assert len(lines) == 3, "who was given nothing read nothing"
    problem(await world.service.get(f"/customers/{uuid4()}/contact"), 404, "not-found")


async def test_no_channel_without_consent(world: World) -> None:
    customer = await world.customer()
    path = f"/customers/{customer['id']}/contacts"
    answer = await world.visitor.post(path, json={**WANG, "channels": ["sms"]})
    assert pointers(answer) == [("/channels", "no_consent")]
    ahead = {"consent": "given", "consented_at": "2026-10-09T10:03:00+08:00"}
    assert pointers(await world.visitor.post(path, json={**WANG, **ahead})) == [("/consented_at", "in_the_future")]


async def test_a_contact_that_is_brought_twice_is_one(world: World) -> None:
    customer, other = await world.customer(), await world.customer()
    new = {**WANG, "id": str(uuid4())}
    its = await contact(world, customer, **new)
    assert await contact(world, customer, **new) == its
    for path, fields in ((customer["id"], {"name": "王建军"}), (other["id"], {})):
        answer = await world.visitor.post(f"/customers/{path}/contacts", json={**new, **fields})
        problem(answer, 409, "contact-taken")


async def test_a_system_builds_its_copy_of_the_contacts_by_one_feed(world: World) -> None:
    ours, beside = await world.customer(), await world.customer("37402")
    its, gone = await contact(world, ours), await contact(world, ours, name="李梅")
    theirs = await made(world.admin.post(f"/customers/{beside['id']}/contacts", json=WANG))
    await world.visitor.delete(f"/contacts/{gone['id']}", headers={"If-Match": "*"})
    since = {"updated_since": "2026-01-01T00:00:00Z"}
    marketing = world.client("integration", unit="37401", sub="marketing")
    page = (await marketing.get("/contacts", params=since)).json()
    told = {each["id"]: each for each in page["items"]}
    assert told.keys() == {its["id"], gone["id"]}
    assert {**told[its["id"]], **WANG} == told[its["id"]], "a copy of masks is none"
    assert told[gone["id"]].keys() == {"id", "removed_at", "version", "updated_at"}
    listed = f"/customers/{ours['id']}/contacts"
    assert (await marketing.get(listed, params=since)).json()["items"] == page["items"], "of one customer as of all"
    lines = await world.rows("SELECT by, unit_code, act, reason FROM trail")
    assert {tuple(line)[:3] for line in lines} == {("marketing", "37401", "contacts.followed")}
    assert [line["reason"][:12] for line in lines] == ["2 contacts, "] * 2
    for masked in (
        await marketing.get("/contacts", params={"customer_id": ours["id"]}),
        await world.visitor.get("/contacts", params=since),
    ):
        assert its in masked.json()["items"]
        assert PHONE not in masked.text
    # A change is news, and so are the contacts of a customer that comes to the unit, however it does.
    await world.visitor.patch(f"/contacts/{its['id']}", json={"role": "finance"}, headers={"If-Match": "*"})
    comes, any_version = {"unit_code": "37401"}, {"If-Match": "*"}
    moved = await world.admin.patch(f"/customers/{beside['id']}", json=comes, headers=any_version)
    assert moved.status_code == 200, moved.text
    page = (await marketing.get("/contacts", params={"cursor": page["next"]})).json()
    assert [each["id"] for each in page["items"]] == [its["id"], theirs["id"]]
    assert (await marketing.get("/contacts", params={"cursor": page["next"]})).json()["items"] == []
    assert len(await world.rows("SELECT FROM trail")) == 3, "and of a page with nothing on it nothing is noted"


async def test_a_removed_contact_leaves_no_person_behind(world: World) -> None:
    customer = await world.customer()
    its = await contact(world, customer)
    path, listed = f"/contacts/{its['id']}", f"/customers/{customer['id']}/contacts"
    assert (await world.visitor.delete(path, headers=await tag(world.visitor, path))).status_code == 204
    problem(await world.visitor.get(path), 404, "not-found")
    assert (await world.visitor.get(listed)).json()["items"] == []
    feed = (await world.visitor.get(listed, params={"updated_since": "2026-10-09T00:00:00+08:00"})).json()["items"]
    assert [item.keys() for item in feed] == [{"id", "removed_at", "version", "updated_at"}]
    assert [tuple(row) for row in await world.rows("SELECT person_sealed, phone_index FROM contacts")] == [(None, None)]


@pytest.mark.clause("4.4.3")
async def test_particulars_go_with_the_kind(world: World) -> None:
    answer = await world.admin.post(
        "/customers",
        json={"name": "甲", "kind": "government", "unit_code": "37401", "particulars": {"level": "planet"}},
    )
    assert pointers(answer) == [("/particulars/level", "literal_error")]
    customer = await world.customer(kind="government", particulars={"level": "county", "body_type": "community"})
    assert customer["particulars"] == {"level": "county", "body_type": "community"}
    path = f"/customers/{customer['id']}"
    any_of_it = {"If-Match": "*"}
    answer = await world.admin.patch(path, json={"kind": "other.special_group"}, headers=any_of_it)
    assert pointers(answer) == [("/particulars", "particulars_of_another_kind")]
    change = {"kind": "other.special_group", "particulars": {"group": "poor_household"}}
    assert (await world.admin.patch(path, json=change, headers=any_of_it)).json()["particulars"] == {}
    assert (await world.admin.get(f"{path}/full", params=WHY)).json()["particulars"] == {"group": "poor_household"}
    change = {"kind": "key_project", "particulars": {"purpose": "industry"}}
    assert (await world.admin.patch(path, json=change, headers=any_of_it)).json()["particulars"] == {
        "purpose": "industry"
    }
    assert await world.rows("SELECT 1 FROM customers WHERE particulars_sealed IS NOT NULL") == []


@pytest.mark.clause("004 4.2")
async def test_a_removed_customer_takes_what_is_personal_along(world: World, owner: asyncpg.Connection) -> None:
    facts = {"group": "lonely_elderly", "heed": "独居，听力不好"}
    gone = await world.customer(kind="other.special_group", phone=PHONE, address="经十路1号", particulars=facts)
    kept = await world.customer(phone=PHONE)
    its, other = await contact(world, gone), await contact(world, kept)
    assert (await world.admin.delete(f"/customers/{gone['id']}", headers={"If-Match": "*"})).status_code == 204
    problem(await world.visitor.get(f"/contacts/{its['id']}"), 404, "not-found")
    assert (await world.visitor.get(f"/contacts/{other['id']}")).status_code == 200
    row = await owner.fetchrow("SELECT * FROM customers WHERE removed_at IS NOT NULL")
    sealed = ("phone", "phone_sealed", "phone_index", "address_sealed", "particulars_sealed")
    assert [row[name] for name in sealed] == [None] * 5
    row = await owner.fetchrow("SELECT * FROM contacts WHERE id = $1", UUID(its["id"]))
    assert (row["person_sealed"], row["phone_index"], row["version"]) == (None, None, 2)


async def test_what_an_earlier_version_left_of_a_removed_customer_is_forgotten(
    world: World, owner: asyncpg.Connection
) -> None:
    gone, kept = await world.customer(phone=PHONE, address="经十路1号"), await world.customer(phone=PHONE)
    its, other = await contact(world, gone), await contact(world, kept)
    await owner.execute(
        "UPDATE customers SET removed_at = now(), changed_xid = pg_current_xact_id()::text::bigint WHERE id = $1",
        UUID(gone["id"]),
    )
    await world.stack.settle(seldom=True)
    left = "SELECT id FROM {} WHERE num_nonnulls({}) > 0"
    columns = "phone, phone_sealed, phone_index, address_sealed, particulars_sealed"
    assert [row[0] for row in await owner.fetch(left.format("customers", columns))] == [UUID(kept["id"])]
    rows = await owner.fetch(left.format("contacts", "person_sealed, phone_index"))
    assert [row[0] for row in rows] == [UUID(other["id"])]
    feed = await owner.fetchrow("SELECT version, removed_at FROM contacts WHERE id = $1", UUID(its["id"]))
    assert feed["version"] == 2
    assert feed["removed_at"] is not None


async def test_what_an_earlier_version_stored_is_sealed_meanwhile(world: World, owner: asyncpg.Connection) -> None:
    new = {"id": str(uuid4()), "name": "甲", "kind": "government", "unit_code": "37401", "phone": PHONE}
    await made(world.visitor.post("/customers", json=new))
    plain = digest(NewCustomer(**new))
    await owner.execute(
        "UPDATE customers SET phone = $1, phone_sealed = NULL, phone_index = NULL, content_digest = $2", PHONE, plain
    )
    path, before = f"/customers/{new['id']}", await owner.fetchrow("SELECT changed_xid, version FROM customers")
    shown = (await world.visitor.get(path)).json()
    assert shown["phone"] == "138****0000"
    assert await made(world.visitor.post("/customers", json=new)) == shown
    await world.stack.settle(seldom=True)
    row = await owner.fetchrow(
        "SELECT changed_xid, version FROM customers WHERE phone IS NULL AND length(phone_index) = 16"
    )
    assert row == before, "it is sealed, and no feed tells it again"
    assert (await world.visitor.get(path)).json() == shown
    assert (await world.visitor.get(f"{path}/full", params=WHY)).json()["phone"] == PHONE
    assert await made(world.visitor.post("/customers", json=new)) == shown
    assert plain.hex() not in await everything(owner)


def test_every_sealed_column_is_named_for_rotation() -> None:
    columns = {(table.name, column.name) for table in Base.metadata.tables.values() for column in table.columns}
    named = {(its.table, its.column) for its in SERVICE.sealed}
    assert {its for its in columns if its[1].endswith("_sealed")} <= named <= columns
