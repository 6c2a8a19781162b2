"""Names of natural persons: nowhere in the clear, and shown to whoever sees the customer; those of firms stand open."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.integration.visit_api.phone import Phone
from tests.integration.visit_api.test_archive import entries
from tests.integration.visit_api.test_imports import as_csv, customers, imported, row
from tests.integration.visit_api.world import World, made, tag
from tests.support.databases import everything

PERSON = {"name": "张淑芬", "kind": "other.special_group", "phone": "13812340000"}
ANY = {"If-Match": "*"}


async def stored(owner: asyncpg.Connection) -> list[tuple[str | None, bool]]:
    """Each name as it stands open, and whether there is a sealed one."""
    rows = await owner.fetch("SELECT name, name_sealed IS NOT NULL FROM customers ORDER BY id")
    return [tuple(row) for row in rows]


async def changed(world: World, customer: dict[str, Any], **fields: Any) -> dict[str, Any]:
    path = f"/customers/{customer['id']}"
    answer = await world.admin.patch(path, json=fields, headers=await tag(world.admin, path))
    assert answer.status_code == 200, answer.text
    its: dict[str, Any] = answer.json()
    return its


@pytest.mark.clause("4.4.3", "8.1.4", "004 4.2")
async def test_a_persons_name_is_nowhere_in_the_clear_and_shown_everywhere(
    world: World, owner: asyncpg.Connection
) -> None:
    its, firm = await world.customer(**PERSON), await world.customer(name="张淑芬商贸有限公司")
    assert await stored(owner) == [(None, True), ("张淑芬商贸有限公司", False)]
    shown = [its, (await world.visitor.get(f"/customers/{its['id']}")).json()]
    shown += (await world.visitor.get("/customers")).json()["items"][:1]
    follower = world.client("integration", unit="374", sub="marketing")
    shown += (await follower.get("/customers?updated_since=2020-01-01T00:00:00Z")).json()["items"][:1]
    shown += (await world.visitor.post("/customers/find", json={"phone": PERSON["phone"]})).json()["items"]
    new = {"customer_id": its["id"], "channel": "phone", "scheduled_at": "2026-10-09T09:00:00+08:00"}
    visit = await made(world.visitor.post("/visits", json={**new, "visitor_ids": ["E101"]}))
    shown.append((await world.visitor.get("/my-day")).json()["visits"][0]["customer"])
    phone = Phone(world, world.visitor)
    await phone.pull()
    shown.append(phone.copy["customer", its["id"]])
    await world.act(visit["id"], "start", "complete", "archive")
    shown.append((await entries(world, visit["id"]))["record"]["record"]["customer"])
    assert [each["name"] for each in shown] == ["张淑芬"] * 8
    assert firm["name"] == "张淑芬商贸有限公司"
    await world.rows("UPDATE customers SET name = '甲' WHERE name IS NOT NULL")
    assert "张淑芬" not in await everything(owner)
    assert "张淑芬" not in str(await world.told())


async def test_a_name_is_sealed_when_its_customer_turns_out_to_be_a_person(
    world: World, owner: asyncpg.Connection
) -> None:
    its = await world.customer(name="李桂兰")
    assert await stored(owner) == [("李桂兰", False)]
    its = await changed(world, its, kind="other.special_group")
    assert (its["name"], await stored(owner)) == ("李桂兰", [(None, True)])
    its = await changed(world, its, name="李桂兰女士")
    assert (its["name"], await stored(owner)) == ("李桂兰女士", [(None, True)])
    its = await changed(world, its, kind="other.important", name="桂兰食品厂")
    assert (its["name"], await stored(owner)) == ("桂兰食品厂", [("桂兰食品厂", False)])


async def test_names_of_residents_come_sealed_from_marketing_systems_and_those_of_firms_open(
    world: World, owner: asyncpg.Connection
) -> None:
    firm = row(customer_no="2", name="齐鲁机床", sort="01")
    await imported(world, as_csv(row(customer_no="1"), firm))
    assert sorted(each["name"] for each in await customers(world)) == ["王伟", "齐鲁机床"]
    assert sorted(await stored(owner), key=str) == [("齐鲁机床", False), (None, True)]
    await imported(world, as_csv(row(customer_no="1", name="王小伟"), {**firm, "CONS_SORT_CODE": "03"}))
    assert sorted(each["name"] for each in await customers(world)) == ["王小伟", "齐鲁机床"]
    assert await stored(owner) == [(None, True)] * 2, "it was a resident all the time"


async def test_what_an_earlier_version_named_is_sealed_meanwhile(
    world: World, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = world.runtime.settings.model_copy(update={"keep_plain": True})
    monkeypatch.setattr(world.runtime, "settings", settings)
    its, firm = await world.customer(**PERSON), await world.customer()
    await imported(world, as_csv(row()))
    assert [name for name, _ in await stored(owner)] == ["张淑芬", "齐鲁机床", "王伟"], "as it reads them"
    monkeypatch.undo()
    before = await owner.fetch("SELECT id, version, changed_xid FROM customers ORDER BY id")
    await world.stack.settle(seldom=True)
    assert await stored(owner) == [(None, True), ("齐鲁机床", False), (None, True)]
    assert await owner.fetch("SELECT id, version, changed_xid FROM customers ORDER BY id") == before
    await owner.execute("UPDATE customers SET name = '张芬' WHERE id = $1", UUID(its["id"]))  # by one that still runs
    assert (await world.visitor.get(f"/customers/{its['id']}")).json()["name"] == "张芬", "what it wrote is newer"
    await owner.execute("UPDATE customers SET changed_xid = pg_current_xact_id()::text::bigint")
    await world.stack.settle(seldom=True)
    assert await stored(owner) == [(None, True), ("齐鲁机床", False), (None, True)]
    assert (await world.visitor.get(f"/customers/{its['id']}")).json()["name"] == "张芬"
    assert (await world.visitor.get(f"/customers/{firm['id']}")).json()["name"] == "齐鲁机床"
