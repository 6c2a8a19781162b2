"""Whoever keeps a copy by what changes has what they see, and nothing else, whatever moved meanwhile."""

import base64
import json
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.integration.visit_api.test_risks import opened
from tests.integration.visit_api.world import World, made
from tests.support.following import SINCE, Copy

pytestmark = pytest.mark.usefixtures("told_whole")

ANY = {"If-Match": "*"}
PATHS = ("/customers", "/contacts", "/risk-suggestions", "/staff", "/visits", "/units")


async def contact(world: World, customer: Any) -> None:
    new = {"name": "王经理", "role": "principal"}
    await made(world.admin.post(f"/customers/{customer['id']}/contacts", json=new))


@pytest.fixture
async def company(world: World) -> dict[str, Any]:
    """A unit below 37401, with a visit that is over, customers of both, and what is kept with those."""
    await made(world.admin.post("/units", json={"code": "3740101", "name": "班组", "parent_code": "37401"}))
    over = await world.visit("3740101")
    await world.act(over["id"], "start", "complete")
    for _ in range(2):
        await world.hear(opened(world, over, unit_code="3740101"))
    of_team = (await world.admin.get(f"/customers/{over['customer_id']}")).json()
    customer = await world.customer("37401")
    for each in (of_team, customer):
        await contact(world, each)
    return {"customer": customer, "of_team": of_team, "over": over}


async def copies(world: World) -> list[Copy]:
    """Those of each unit."""
    clients = [world.client("integration", unit=unit, sub="erp") for unit in ("374", "37401", "37402", "3740101")]
    found = [Copy(client, path) for client in clients for path in PATHS]
    found += [Copy(clients[0], path, unit_code="37401") for path in ("/customers", "/staff")]
    await check(found)
    return found


async def check(found: list[Copy]) -> None:
    for each in found:
        await each.check()


async def change(world: World, path: str, **to: Any) -> None:
    answer = await world.admin.patch(path, json=to, headers=ANY)
    assert answer.status_code == 200, answer.text


async def test_a_customer_that_goes_elsewhere_is_gone_there_and_comes_here(
    world: World, company: dict[str, Any]
) -> None:
    found = await copies(world)
    its = f"/customers/{company['customer']['id']}"
    for unit in ("37402", "37401", "37402", "3740101", "374", "37401", "37402"):
        await change(world, its, unit_code=unit)
        await check(found)
    await change(world, f"/customers/{company['of_team']['id']}", unit_code="37402")
    await check(found)
    assert (await world.admin.delete(its, headers=ANY)).status_code == 204
    await check(found)
    assert {each.begun for each in found} == {1}, "nobody begins anew for one that moved"


async def test_what_a_feed_says_of_one_that_is_gone_is_its_id(world: World, company: dict[str, Any]) -> None:
    follower = world.client("integration", unit="37401", sub="erp")
    first = {path: (await follower.get(path, params=SINCE)).json()["next"] for path in PATHS[:4]}
    its = company["customer"]
    await change(world, f"/customers/{its['id']}", unit_code="37402")
    await change(world, "/staff/E102", unit_code="37402")
    read = await world.rows("SELECT FROM trail")
    for path, cursor in first.items():
        items = (await follower.get(path, params={"cursor": cursor})).json()["items"]
        assert [item.keys() for item in items] == [{"id", "gone_at"}] * (path != "/risk-suggestions"), path
    assert await world.rows("SELECT FROM trail") == read, "nothing of anybody was read"


async def test_nobody_is_told_of_what_was_made_where_they_did_not_see_it(
    world: World, company: dict[str, Any], owner: asyncpg.Connection
) -> None:
    reader, its = world.client("integration", unit="37401", sub="erp"), company["over"]["customer_id"]

    async def gone() -> list[set[str]]:
        pages = [(await reader.get(path, params=SINCE)).json() for path in ("/contacts", "/risk-suggestions")]
        return [{item["id"] for item in page["items"] if "gone_at" in item} for page in pages]

    kept = [await rows(owner, table, its) for table in ("contacts", "risk_suggestions")]
    await change(world, f"/customers/{its}", unit_code="37402")
    assert all(kept)
    assert await gone() == kept
    await contact(world, {"id": its})
    (suggested,) = (await world.admin.get("/risk-suggestions", params={"customer_id": its})).json()["items"]
    await owner.execute("UPDATE risk_suggestions SET state = 'lapsed' WHERE customer_id = $1", UUID(its))
    await world.hear(opened(world, company["over"], unit_code="3740101"))
    assert [len(await rows(owner, table, its)) for table in ("contacts", "risk_suggestions")] == [2, 2], suggested
    assert await gone() == kept
    await change(world, f"/customers/{its}", unit_code="37401")
    await change(world, f"/customers/{its}", unit_code="37402")
    assert [len(ids) for ids in await gone()] == [2, 2], "who saw them there is told"


async def rows(owner: asyncpg.Connection, table: str, customer: str) -> set[str]:
    """The ids of what is kept with a customer."""
    return {
        str(row["id"]) for row in await owner.fetch(f"SELECT id FROM {table} WHERE customer_id = $1", UUID(customer))
    }


async def test_somebody_who_goes_elsewhere_is_gone_there(world: World, company: dict[str, Any]) -> None:
    found = await copies(world)
    for unit in ("37402", "37401", "37402", "374"):
        await change(world, "/staff/E102", unit_code=unit)
        await check(found)


async def test_units_that_move_have_their_followers_begin_anew(world: World, company: dict[str, Any]) -> None:
    found = await copies(world)
    await change(world, "/units/3740101", name="一班")
    await made(world.admin.post("/units", json={"code": "3740102", "name": "二班", "parent_code": "37401"}))
    await world.customer("3740102")
    await check(found)
    assert {each.begun for each in found} == {1}, "neither another name nor a new unit is a move"
    for parent in ("37402", "374", "37401", "37402"):
        await change(world, "/units/3740101", parent_code=parent)
        await check(found)


async def test_a_unit_that_moves_elsewhere_has_nobody_else_begin_anew(world: World, company: dict[str, Any]) -> None:
    await made(world.admin.post("/units", json={"code": "37403", "name": "另一中心", "parent_code": "374"}))
    await world.customer("37402")
    found = await copies(world)
    beside = [each for each in found if each.client is world.client("integration", unit="37402", sub="erp")]
    for parent in ("37403", "37401"):
        await change(world, "/units/3740101", parent_code=parent)
        await check(found)
    assert [each.begun for each in beside] == [1] * len(PATHS)
    assert max(each.begun for each in found) > 1


@pytest.mark.parametrize(("unit", "into"), [("37401", "37402"), ("3740101", "37401"), ("3740101", "37402")])
async def test_units_that_merge_have_their_followers_begin_anew(
    world: World, company: dict[str, Any], unit: str, into: str
) -> None:
    found = await copies(world)
    await made(world.admin.post(f"/units/{unit}/merge", json={"into": into, "reason": "撤并"}))
    await check(found)
    await world.stack.settle()
    await check(found)


async def test_a_cursor_of_before_is_told_of_what_left_meanwhile(
    world: World, company: dict[str, Any], owner: asyncpg.Connection
) -> None:
    copy = Copy(world.client("integration", unit="37401", sub="erp"), "/customers")
    await copy.follow()
    assert copy.cursor is not None
    kind, position, *_ = json.loads(base64.urlsafe_b64decode(copy.cursor + "=="))
    for unit in ("37402", "37401"):
        await change(world, f"/customers/{company['customer']['id']}", unit_code=unit)
    await copy.follow()
    await change(world, f"/customers/{company['customer']['id']}", unit_code="37402")
    later = await owner.fetchval("SELECT max(changed_xid) FROM customers")
    position = [later, position[1]]
    copy.cursor = base64.urlsafe_b64encode(json.dumps([kind, position]).encode()).decode().rstrip("=")
    await copy.check()
    assert copy.begun == 1
