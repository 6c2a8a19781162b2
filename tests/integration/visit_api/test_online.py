"""Online service: accounts with one kind of card, groups and who is in them, and how fast questions are answered."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.integration.visit_api.world import World, made, pointers, problem, tag
from visit_api.online import service
from visit_api.visits.models import Visit

ACCOUNT = {"staff_no": "E101", "platform": "wechat", "handle": "lixia-e101", "post": "客户经理"}


async def account(world: World, **fields: Any) -> dict[str, Any]:
    return await made(world.visitor.post("/online/accounts", json={**ACCOUNT, **fields}))


async def group(world: World, **fields: Any) -> dict[str, Any]:
    new = {"unit_code": "37401", "platform": "wechat", "name": "园区用电服务群", **fields}
    return await made(world.admin.post("/online/groups", json=new))


async def inquiry(world: World, group_id: str, received_at: str, **fields: Any) -> dict[str, Any]:
    new = {"question": "何时送电", "received_at": received_at, **fields}
    return await made(world.visitor.post(f"/online/groups/{group_id}/inquiries", json=new))


async def said_of(world: World, visit_id: str) -> tuple[list[tuple[str, str]], dict[str, Any]]:
    """What an online visit lacks, and what is archived of it."""
    async with world.runtime.db.transaction() as tx:
        visit = await tx.get(Visit, UUID(visit_id))
        assert visit is not None
        lacks = [(each.clause, each.what) for each in await service.unmet(tx, world.runtime, visit)]
        return lacks, await service.on_record(tx, world.runtime, visit)


@pytest.mark.clause("6.3.2.2")
async def test_a_name_card_is_made_in_one_way_of_unit_post_and_name(world: World) -> None:
    its = await account(world)
    assert (its["name"], its["unit_code"], its["active"]) == ("历下供电中心 客户经理 员工E101", "37401", True)
    path = f"/online/accounts/{its['id']}"
    read = await tag(world.visitor, path)
    changed = (await world.visitor.patch(path, json={"post": "台区经理"}, headers=read)).json()
    assert changed["name"] == "历下供电中心 台区经理 员工E101"
    problem(await world.visitor.patch(path, json={"post": "甲"}, headers=read), 412, "precondition-failed")
    assert pointers(await world.visitor.post("/online/accounts", json={**ACCOUNT, "staff_no": "E201"})) == [
        ("/staff_no", "unknown_staff")
    ]


async def test_a_handle_is_one_accounts_while_it_is_in_use(world: World) -> None:
    its = await account(world, id=str(uuid4()))
    assert await account(world, id=its["id"]) == its
    problem(await world.visitor.post("/online/accounts", json=ACCOUNT), 409, "online-account-taken")
    path = f"/online/accounts/{its['id']}"
    any_version = {"If-Match": "*"}
    assert (await world.visitor.patch(path, json={"active": False}, headers=any_version)).json()["active"] is False
    problem(await world.visitor.patch(path, json={"active": True}, headers=any_version), 409, "online-account-closed")
    await account(world)
    listed = (await world.visitor.get("/online/accounts", params={"active": "true"})).json()["items"]
    assert len(listed) == 1


@pytest.mark.clause("6.3.2.2")
async def test_who_is_in_a_group_joined_introduced_themselves_and_left(world: World) -> None:
    customer, its = await world.customer(), await account(world)
    shared = await group(world, customer_ids=[customer["id"]])
    path = f"/online/groups/{shared['id']}"
    joining = {"account_id": its["id"], "at": "2026-10-08T09:00:00+08:00"}
    joined = (await world.visitor.post(f"{path}/join", json=joining)).json()
    assert (joined["joined_at"], joined["introduced_at"]) == ("2026-10-08T01:00:00Z", None)
    told = {**joining, "at": "2026-10-08T09:05:00+08:00", "introduced": True}
    introduced = (await world.visitor.post(f"{path}/join", json=told)).json()
    assert introduced == {**joined, "introduced_at": "2026-10-08T01:05:00Z"}
    early = await world.visitor.post(f"{path}/leave", json={**joining, "at": "2026-10-07T09:00:00+08:00"})
    assert pointers(early) == [("/at", "before_its_beginning")]
    left = (await world.visitor.post(f"{path}/leave", json={"account_id": its["id"]})).json()
    assert left["left_at"] == "2026-10-09T02:00:00Z"
    again = await world.visitor.post(f"{path}/leave", json={"account_id": its["id"]})
    assert pointers(again) == [("/account_id", "not_a_member")]
    await world.visitor.post(f"{path}/join", json={"account_id": its["id"]})
    members = (await world.visitor.get(f"{path}/members")).json()["items"]
    assert [each["left_at"] is None for each in members] == [False, True]
    found = (await world.visitor.get("/online/groups", params={"customer_id": customer["id"]})).json()["items"]
    assert found == [shared]
    mail = await account(world, platform="mail", handle="e101@example.com")
    other = await world.visitor.post(f"{path}/join", json={"account_id": mail["id"]})
    assert pointers(other) == [("/account_id", "other_platform")]


@pytest.mark.clause("6.3.2.2", "6.3.2.3")
async def test_a_direct_line_is_to_one_customer_and_how_fast_it_is_answered_is_told_apart(world: World) -> None:
    one, other = await world.customer(), await world.customer()
    new = {"unit_code": "37401", "platform": "wechat", "name": "齐鲁机床专线", "kind": "direct"}
    both = {"customer_ids": [one["id"], other["id"]]}
    for ids in ({}, both):
        assert pointers(await world.visitor.post("/online/groups", json={**new, **ids})) == [
            ("/customer_ids", "one_customer")
        ]
    line, shared = await group(world, **new, customer_ids=[one["id"]]), await group(world)
    path, anyhow = f"/online/groups/{line['id']}", {"If-Match": "*"}
    assert pointers(await world.visitor.patch(path, json=both, headers=anyhow)) == [("/customer_ids", "one_customer")]
    renamed = await world.visitor.patch(path, json={"name": "专线"}, headers=anyhow)
    assert (renamed.json()["name"], renamed.json()["customer_ids"]) == ("专线", [one["id"]])
    for where, minutes in ((line, "05"), (shared, "45")):
        its = await inquiry(world, where["id"], "2026-10-09T08:00:00+08:00")
        reply = {"answer": "今日 18 时前", "at": f"2026-10-09T08:{minutes}:00+08:00"}
        assert (await world.visitor.post(f"/online/inquiries/{its['id']}/answer", json=reply)).status_code == 200
    for query, received, longest in (({"kind": "direct"}, 1, 300.0), ({"kind": "group"}, 1, 2700.0), ({}, 2, 2460.0)):
        (its,) = (await world.visitor.get("/online/figures", params=query)).json()["items"]
        assert (its["received"], its["p90_seconds"]) == (received, longest), query


async def test_a_group_changes_its_name_and_its_customers(world: World) -> None:
    theirs = await world.customer("37402")
    path = f"/online/groups/{(await group(world))['id']}"
    answer = await world.visitor.patch(path, json={"customer_ids": [theirs["id"]]}, headers={"If-Match": "*"})
    assert pointers(answer) == [("/customer_ids/0", "unknown_customer")]
    changed = await world.admin.patch(
        path, json={"customer_ids": [theirs["id"]], "name": "二群"}, headers={"If-Match": "*"}
    )
    assert (changed.json()["customer_ids"], changed.json()["name"]) == ([theirs["id"]], "二群")


@pytest.mark.clause("6.3.2.3")
async def test_how_fast_questions_are_answered_is_a_figure(world: World) -> None:
    here, there = await group(world), await group(world, unit_code="37402")
    for minutes, received_at in ((10, "2026-10-09T08:00:00+08:00"), (30, "2026-10-08T08:00:00+08:00")):
        its = await inquiry(world, here["id"], received_at)
        at = received_at.replace(":00:00", f":{minutes}:00")
        reply = {"answer": "今日 18 时前", "at": at}
        answered = (await world.visitor.post(f"/online/inquiries/{its['id']}/answer", json=reply)).json()
        assert (answered["answer"], answered["answered_by"]) == ("今日 18 时前", "E101")
        problem(await world.visitor.post(f"/online/inquiries/{its['id']}/answer", json=reply), 409, "inquiry-answered")
    waiting = await inquiry(world, here["id"], "2026-10-09T09:00:00+08:00")
    await inquiry(world, here["id"], "2026-09-30T23:59:59+08:00")
    new = {"question": "停电计划", "received_at": "2026-10-09T09:30:00+08:00"}
    await made(world.admin.post(f"/online/groups/{there['id']}/inquiries", json=new))
    figures = (await world.visitor.get("/online/figures")).json()["items"]
    assert figures == [
        {
            "unit_code": "37401",
            "received": 3,
            "answered": 2,
            "median_seconds": 1200.0,
            "p90_seconds": 1680.0,
            "longest_open_seconds": 3600.0,
        }
    ], "of this month, in China"
    whole = {"from": "0001-01-01", "to": "9999-12-31"}
    both = (await world.admin.get("/online/figures", params=whole)).json()["items"]
    assert [(each["unit_code"], each["received"]) for each in both] == [("37401", 4), ("37402", 1)]
    await made(world.admin.post("/units/37402/merge", json={"into": "37401", "reason": "整合"}))
    closed = (await world.admin.get("/online/figures", params={**whole, "unit_code": "37402"})).json()["items"]
    assert [(each["unit_code"], each["received"]) for each in closed] == [("37402", 1)], "its own, not the other's"
    open_ones = {"answered": "false", "group_id": here["id"]}
    assert waiting in (await world.visitor.get("/online/inquiries", params=open_ones)).json()["items"]
    early = {"answer": "甲", "at": "2026-10-09T08:59:59+08:00"}
    answer = await world.visitor.post(f"/online/inquiries/{waiting['id']}/answer", json=early)
    assert pointers(answer) == [("/at", "before_its_beginning")]


@pytest.mark.clause("6.3.1", "6.3.2.2", "6.3.2.3")
async def test_an_online_visit_lacks_a_card_and_the_answers_that_are_owed(world: World) -> None:
    visit = await world.visit(channel="online", visitor_ids=["E101"])
    shared = await group(world)
    its = await inquiry(world, shared["id"], "2026-10-09T09:00:00+08:00", visit_id=visit["id"])
    lacks, _ = await said_of(world, visit["id"])
    assert lacks == [("6.3.2.2", "name_card"), ("6.3.2.3", "inquiries_answered")]
    card = await account(world)
    answered = (await world.visitor.post(f"/online/inquiries/{its['id']}/answer", json={"answer": "已送电"})).json()
    lacks, record = await said_of(world, visit["id"])
    assert (lacks, record) == ([], {"accounts": [card], "inquiries": [answered]})
    by_phone = await world.visit(channel="phone")
    assert await said_of(world, by_phone["id"]) == ([], {})


async def test_an_inquiry_names_what_the_caller_sees_and_no_visit_that_was_archived_before(world: World) -> None:
    shared, theirs = await group(world), await world.visit("37402")
    new = {"question": "甲", "received_at": "2026-10-09T09:00:00+08:00"}
    path = f"/online/groups/{shared['id']}/inquiries"
    assert pointers(await world.visitor.post(path, json={**new, "visit_id": theirs["id"]})) == [
        ("/visit_id", "unknown_visit")
    ]
    assert pointers(await world.visitor.post(path, json={**new, "customer_id": theirs["customer_id"]})) == [
        ("/customer_id", "unknown_customer")
    ]
    visit = await world.visit()
    await world.act(visit["id"], "start", "complete", "archive")
    after = {**new, "visit_id": visit["id"], "received_at": "2026-10-09T10:00:00+08:00"}
    problem(await world.visitor.post(path, json=after), 409, "visit-act-refused")
    brought = {**new, "id": str(uuid4())}
    first = await made(world.visitor.post(path, json=brought))
    assert await made(world.visitor.post(path, json=brought)) == first
    problem(await world.visitor.post(path, json={**brought, "question": "乙"}), 409, "inquiry-taken")


@pytest.mark.clause("6.3.2.3", "7.2.6")
async def test_a_question_is_of_a_visit_to_who_asked_it_in_a_group_of_its_units(world: World) -> None:
    visit, other = await world.visit(channel="online"), await world.customer()
    top, here, beside = [await group(world, unit_code=code) for code in ("374", "37401", "37402")]
    lines = [await group(world, kind="direct", customer_ids=[each]) for each in (visit["customer_id"], other["id"])]
    new = {"question": "何时送电", "received_at": "2026-10-09T09:00:00+08:00", "visit_id": visit["id"]}
    theirs, its = {"customer_id": other["id"]}, {"customer_id": visit["customer_id"]}

    for where, who, fault in (
        (here, theirs, ("/customer_id", "other_customer")),
        (lines[0], theirs, ("/customer_id", "other_customer")),
        (lines[1], {}, ("/visit_id", "unknown_visit")),
        (lines[1], its, ("/visit_id", "unknown_visit")),
        (beside, its, ("/visit_id", "other_unit")),
    ):
        answer = await world.admin.post(f"/online/groups/{where['id']}/inquiries", json=new | who)
        assert pointers(answer) == [fault]
    assert await said_of(world, visit["id"]) == ([("6.3.2.2", "name_card")], {})
    for where, who in ((here, its), (top, {}), (lines[0], {})):
        await made(world.admin.post(f"/online/groups/{where['id']}/inquiries", json=new | who))
