"""Policy posts: approved by somebody else before they are published, and never changed on the way."""

from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.integration.visit_api.test_materials import published
from tests.integration.visit_api.test_online import group
from tests.integration.visit_api.world import World, made, pointers, problem

POST = {"unit_code": "37401", "title": "代理购电价格", "text": "十月代理购电价格已公布。"}


async def drafted(world: World, **fields: Any) -> str:
    """The path of a post that the visitor wrote."""
    return f"/online/posts/{(await made(world.visitor.post('/online/posts', json={**POST, **fields})))['id']}"


@pytest.mark.clause("6.3.2.4")
async def test_a_post_is_published_after_somebody_else_approved_it(world: World) -> None:
    path = await drafted(world)
    supervisor = world.client("supervisor", unit="37401", sub="E102")
    refused = problem(await world.visitor.post(f"{path}/publish"), 409, "post-act-refused")
    assert (refused["act"], refused["state"], refused["clause"]) == ("publish", "draft", "6.3.2.4")
    submitted = (await world.visitor.post(f"{path}/submit")).json()
    assert (submitted["state"], submitted["submitted_by"]) == ("submitted", "E101")
    problem(await world.visitor.post(f"{path}/publish"), 409, "post-act-refused")
    problem(await world.visitor.post(f"{path}/approve"), 403, "forbidden")
    themselves = world.client("supervisor", "visitor", unit="37401", sub="E101")
    assert problem(await themselves.post(f"{path}/approve"), 409, "approval-by-another")["clause"] == "6.3.2.4"
    assert (await world.visitor.get(path)).json() == submitted, "and nothing happened to it"
    assert (await supervisor.post(f"{path}/approve")).json()["decided_by"] == "E102"
    last = (await world.visitor.post(f"{path}/publish")).json()
    assert (last["state"], last["published_by"], last["text"]) == ("published", "E101", POST["text"])
    assert (await world.admin.get("/online/posts", params={"published": "true"})).json()["items"] == [last]


@pytest.mark.clause("6.3.2.4")
async def test_who_submitted_what_another_wrote_does_not_approve_it_either(world: World) -> None:
    path = await drafted(world)
    supervisor = world.client("supervisor", unit="37401", sub="E102")
    await supervisor.post(f"{path}/submit")
    problem(await supervisor.post(f"{path}/approve"), 409, "approval-by-another")
    returned = (await supervisor.post(f"{path}/return", json={"reason": "价格有误"})).json()
    assert (returned["state"], returned["reason"]) == ("returned", "价格有误")
    for act in ("submit", "publish"):
        problem(await supervisor.post(f"{path}/{act}"), 409, "post-act-refused")


@pytest.mark.clause("6.3.2.4", "7.2.2")
async def test_a_post_about_a_policy_that_is_over_is_not_published(world: World) -> None:
    material = await published(world)
    path = await drafted(world, material_id=material["id"])
    await world.visitor.post(f"{path}/submit")
    await world.admin.post(f"{path}/approve")
    await world.admin.post(f"/materials/{material['id']}/withdraw", json={"reason": "政策调整"})
    assert problem(await world.visitor.post(f"{path}/publish"), 409, "post-policy-lapsed")["clause"] == "7.2.2"


async def test_a_post_names_what_its_unit_sees(world: World) -> None:
    theirs = await group(world, unit_code="37402")
    for fields, pointer in (
        ({"group_ids": [(await group(world))["id"], theirs["id"]]}, "/group_ids/1"),
        ({"material_id": str(uuid4())}, "/material_id"),
        ({"unit_code": "37402"}, "/unit_code"),
    ):
        answer = await world.visitor.post("/online/posts", json={**POST, **fields})
        assert [each for each, _ in pointers(answer)] == [pointer]


async def test_the_same_post_again_is_answered_as_the_first_time(world: World) -> None:
    new = {**POST, "id": str(uuid4())}
    first = await made(world.visitor.post("/online/posts", json=new))
    assert await made(world.visitor.post("/online/posts", json=new)) == first
    problem(await world.visitor.post("/online/posts", json={**new, "text": "别的"}), 409, "post-taken")


@pytest.mark.clause("6.3.2.4")
async def test_the_service_cannot_change_what_was_approved(world: World, owner: asyncpg.Connection) -> None:
    await drafted(world)
    for statement in ("UPDATE policy_posts SET text = ''", "UPDATE online_inquiries SET question = ''"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await world.rows(statement)
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute("UPDATE policy_posts SET state = 'approved', decided_by = drafted_by, submitted_by = 'E1'")


@pytest.mark.clause("6.3.2.4")
async def test_how_regularly_groups_are_told_of_policies_is_a_figure(world: World) -> None:
    """One post names a group, one of a unit above none: that one is for all groups below it."""
    told, quiet, beside = [await group(world, unit_code=unit) for unit in ("37401", "37401", "37402")]

    async def publish(**fields: Any) -> None:
        path = f"/online/posts/{(await made(world.admin.post('/online/posts', json={**POST, **fields})))['id']}"
        await world.admin.post(f"{path}/submit")
        await world.client("supervisor", unit="374", sub="E102").post(f"{path}/approve")
        assert (await world.admin.post(f"{path}/publish")).status_code == 200

    async def figures(client: httpx.AsyncClient, **query: str) -> list[tuple[str, int, int, set[str]]]:
        items = (await client.get("/online/publishing", params=query)).json()["items"]
        return [(each["unit_code"], each["published"], each["groups"], {*each["quiet"]}) for each in items]

    both = {told["id"], quiet["id"]}
    assert await figures(world.visitor) == [("37401", 0, 2, both)]
    await publish(group_ids=[told["id"]])
    await drafted(world, group_ids=[quiet["id"]])  # which nobody has approved
    assert await figures(world.admin) == [("37401", 1, 2, {quiet["id"]}), ("37402", 0, 1, {beside["id"]})]
    world.later(days=31)
    assert await figures(world.visitor) == [("37401", 0, 2, both)], "of this month"
    await publish(unit_code="374")
    assert await figures(world.admin) == [("37401", 1, 2, set()), ("37402", 1, 1, set())]
    whole = {"from": "2026-01-01", "to": "2027-01-01", "unit_code": "37401"}
    assert await figures(world.admin, **whole) == [("37401", 2, 2, set())]
    for begin, end in (("2025-12-31", "2027-01-01"), ("0001-01-01", "9999-12-31"), ("2026-10-02", "2026-10-01")):
        refused = await world.admin.get("/online/publishing", params={"from": begin, "to": end})
        problem(refused, 422, "bad-period")
