"""Plans: made from rules, adjusted by hand, approved, and followed to the visits made of them."""

from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.integration.visit_api.phone import Phone, outcomes
from tests.integration.visit_api.test_risks import opened
from tests.integration.visit_api.test_sync_deciding import conflict, resolve
from tests.integration.visit_api.world import World, made, pointers, problem, tag
from visit_api.plans.worker import Planning
from visit_api.progress.service import on_record
from visit_api.visits.models import Visit

Json = dict[str, Any]


@pytest.fixture
def phone(world: World) -> Phone:
    return Phone(world, world.visitor)


def rule(name: str, channel: str = "on_site", times: int = 1, **more: Any) -> Json:
    return {"name": name, "kinds": ["key_project"], "channel": channel, "period": "month", "times": times, **more}


async def decide(world: World, *rules: Json, unit: str = "374") -> None:
    put = await world.admin.put(f"/units/{unit}/plan-rules", json={"rules": rules}, headers={"If-Match": "*"})
    assert put.status_code == 200, put.text


async def plan(world: World, period: str = "2026-10", **more: Any) -> str:
    return str((await made(world.visitor.post("/plans", json={"unit_code": "37401", "period": period, **more})))["id"])


async def generate(world: World, id: str) -> Json:
    """The plan once its items were generated."""
    answer = await world.visitor.post(f"/plans/{id}/generate")
    assert (answer.status_code, answer.json()["is_generating"]) == (202, True), answer.text
    await world.stack.settle()
    done: Json = (await world.visitor.get(f"/plans/{id}")).json()
    assert (done["is_generating"], done["generated_by"]) == (False, "E101")
    return done


async def items(world: World, **query: Any) -> list[Json]:
    found: list[Json] = (await world.visitor.get("/plan-items", params={"limit": 200, **query})).json()["items"]
    return found


async def progress(world: World, id: str) -> Json:
    its: Json = (await world.visitor.get(f"/plans/{id}/progress")).json()
    return its


async def figure(world: World, name: str, **query: str) -> list[Json]:
    found: list[Json] = (await world.visitor.get("/analysis", params=query)).json()["items"]
    return [each for each in found if each["figure"] == name]


def short(its: list[Json]) -> list[tuple[str, str, str]]:
    return [(each["channel"], each["due_from"], each["due_by"]) for each in its]


@pytest.mark.clause("9.1")
async def test_rules_say_how_often_and_by_which_channel(world: World) -> None:
    project = await world.customer(kind="key_project")
    first = await world.customer(kind="other.important", importance="一级")
    second = await world.customer(kind="other.important", importance="二级")
    await world.customer("37402", kind="key_project")
    gone = await world.customer(kind="key_project")
    await world.admin.delete(f"/customers/{gone['id']}", headers={"If-Match": "*"})
    await decide(
        world,
        rule("projects", times=2),
        rule("projects-by-phone", "phone"),
        rule("projects-of-the-year", period="year", times=12),
        rule("first", kinds=["other.important"], importance=["一级"], times=3, form="directed"),
        rule("important", kinds=["other.important"]),
    )
    its_id = await plan(world)
    assert (await generate(world, its_id))["rules"] == "374@1"
    by = {customer["id"]: await items(world, customer_id=customer["id"]) for customer in (project, first, second)}
    assert sorted(short(by[project["id"]])) == [
        ("on_site", "2026-10-01", "2026-10-15"),
        ("on_site", "2026-10-16", "2026-10-31"),
        ("phone", "2026-10-01", "2026-10-31"),
    ]
    assert [(each["rule"], each["form"]) for each in by[first["id"]]] == [("first", "directed")] * 3
    assert [each["rule"] for each in by[second["id"]]] == ["important"]
    assert len(await items(world, plan_id=its_id)) == 7, "nobody else's, nobody who is gone"
    of_the_year = await plan(world, "2026")
    await generate(world, of_the_year)
    assert len(await items(world, plan_id=of_the_year)) == 12
    soon = await items(world, due_since="2026-10-15", due_until="2026-10-20", channel="on_site")
    assert {each["due_by"] for each in soon} == {"2026-10-15", "2026-10-20"}


@pytest.mark.clause("3.2", "4.4.1", "4.4.2")
async def test_who_is_confirmed_at_risk_or_determined_important_is_planned_for_as_such(world: World) -> None:
    """By the shipped rules, whatever kind the customer is of besides."""
    kinds = {"at risk": "government", "determined": "other.ordinary", "no more": "other.ordinary", "said": "government"}
    its = {name: await world.customer(kind=kind) for name, kind in kinds.items() if name != "said"}
    its["said"] = await world.customer(kind=kinds["said"], importance="一级")
    visit = {"customer_id": its["at risk"]["id"], "channel": "phone", "scheduled_at": "2026-10-09T09:00:00+08:00"}
    heard_on = await made(world.admin.post("/visits", json=visit))
    await world.hear(opened(world, heard_on), opened(world, heard_on))
    (suggested,) = (await world.admin.get("/risk-suggestions")).json()["items"]
    assert (await world.admin.post(f"/risk-suggestions/{suggested['id']}/confirm", json={})).status_code == 200
    for day, level in (("2026-06-01", "first"), ("2026-09-30", "none")):
        levels = {"determined": "special", "no more": level}
        said = [{"customer_id": its[name]["id"], "level": each} for name, each in levels.items()]
        document = {"government_body": "市发展改革委", "document_no": day, "determined_on": day, "items": said}
        await made(world.admin.post("/importance-documents", json=document))
    year, month = await plan(world, "2026"), await plan(world)
    for each in (year, month):
        await generate(world, each)
    asked = {
        name: [[each["rule"] for each in await items(world, plan_id=id, customer_id=one["id"])] for id in (year, month)]  # noqa: A001
        for name, one in its.items()
    }
    assert asked == {
        "at risk": [["at-risk"] * 4, ["at-risk-by-phone"]],
        "determined": [["most-important"] * 6, ["important-by-phone"]],
        "no more": [[], []],
        "said": [["government"] * 2, []],
    }


async def test_generating_again_changes_only_what_nobody_touched(world: World) -> None:
    customers = [await world.customer(kind="key_project") for _ in range(5)]
    await decide(world, rule("projects", times=2))
    its_id = await plan(world)
    await generate(world, its_id)
    first = await items(world, plan_id=its_id)
    adjusted, taken = first[0], next(each for each in first if each["customer_id"] != first[0]["customer_id"])
    change = {"channel": "phone", "due_by": "2026-10-09", "reason": "客户要求电话沟通"}
    patched = await world.visitor.patch(f"/plan-items/{adjusted['id']}", json=change, headers={"If-Match": "*"})
    assert (patched.status_code, patched.json()["adjusted"]) == (200, True), patched.text
    visit = {"channel": "on_site", "scheduled_at": "2026-10-12T09:00:00+08:00", "plan_item_id": taken["id"]}
    await made(world.visitor.post("/visits", json={**visit, "customer_id": taken["customer_id"]}))
    before = {each["id"]: each for each in await items(world, plan_id=its_id)}
    assert before[taken["id"]]["taken_at"] == "2026-10-09T02:00:00Z"
    await generate(world, its_id)
    assert {each["id"]: each for each in await items(world, plan_id=its_id)} == before, "not even a version"

    await decide(world, rule("projects", times=1, form="directed"))
    newcomer = await world.customer(kind="key_project")
    await world.admin.delete(f"/customers/{customers[-1]['id']}", headers={"If-Match": "*"})
    await generate(world, its_id)
    after = {each["id"]: each for each in await items(world, plan_id=its_id)}
    assert {key: after[key] for key in (adjusted["id"], taken["id"])} == {
        key: before[key] for key in (adjusted["id"], taken["id"])
    }
    others = [each for key, each in after.items() if key not in (adjusted["id"], taken["id"])]
    assert {each["form"] for each in others} == {"directed"}
    assert newcomer["id"] in {each["customer_id"] for each in others}
    dropped = (await world.visitor.get("/plan-items", params={"updated_since": "2026-10-01T00:00:00Z"})).json()["items"]
    assert any(each["dropped"] for each in dropped), "a feed tells what is wanted no more"
    await decide(world, rule("projects", times=2))
    await generate(world, its_id)
    again = {each["id"] for each in await items(world, plan_id=its_id)}
    there = {key for key, each in before.items() if each["customer_id"] != customers[-1]["id"]}
    assert there <= again, "what is wanted again is what it was"


async def test_a_plan_is_generated_in_batches_that_a_crash_may_part(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Planning.Config, "batch", 2)
    for _ in range(5):
        await world.customer(kind="key_project")
    await decide(world, rule("projects"))
    its_id = await plan(world)
    await world.visitor.post(f"/plans/{its_id}/generate")
    problem(await world.visitor.post(f"/plans/{its_id}/generate"), 409, "plan-generating")
    problem(await world.admin.post(f"/plans/{its_id}/approve"), 409, "plan-generating")
    assert await Planning(world.runtime).run_once()
    assert len(await items(world, plan_id=its_id)) == 2
    another = Planning(world.runtime)
    while await another.run_once():
        pass
    assert len(await items(world, plan_id=its_id)) == 5


async def test_an_item_is_adjusted_by_hand_with_a_reason_that_is_kept(world: World) -> None:
    customer = await world.customer()
    its_id = await plan(world)
    new = {"customer_id": customer["id"], "channel": "on_site", "due_by": "2026-10-20"}
    assert pointers(await world.visitor.post(f"/plans/{its_id}/items", json=new)) == [("/reason", "missing")]
    for bad, fault in (
        ({"due_from": "2026-10-21"}, ("/due_by", "before_due_from")),
        ({"due_from": "2026-09-30"}, ("/due_by", "outside_period")),
        ({"due_by": "2026-09-30"}, ("/due_by", "outside_period")),
    ):
        answer = await world.visitor.post(f"/plans/{its_id}/items", json={**new, "reason": "扩建", **bad})
        assert pointers(answer) == [fault]
    item = await made(world.visitor.post(f"/plans/{its_id}/items", json={**new, "reason": "扩建项目投产"}))
    assert (item["due_from"], item["rule"], item["adjusted"]) == ("2026-10-01", None, True)
    path = f"/plan-items/{item['id']}"
    headers = await tag(world.visitor, path)
    assert pointers(await world.visitor.patch(path, json={"channel": "phone"}, headers=headers)) == [
        ("/reason", "missing")
    ]
    for bad, fault in (
        ({"due_by": "2026-11-01"}, ("/due_by", "outside_period")),
        ({"due_from": "2026-10-21"}, ("/due_by", "before_due_from")),
    ):
        answer = await world.visitor.patch(path, json={**bad, "reason": "改期"}, headers=headers)
        assert pointers(answer) == [fault]
    dropped = await world.visitor.patch(path, json={"dropped": True, "reason": "停产"}, headers=headers)
    assert dropped.json()["dropped"] is True
    assert await items(world, plan_id=its_id) == []
    kept = (await world.visitor.get(f"{path}/adjustments")).json()["items"]
    assert [(each["before"], each["after"], each["reason"], each["recorded_by"]) for each in kept] == [
        (
            None,
            {name: item[name] for name in ("channel", "form", "due_from", "due_by", "dropped")},
            "扩建项目投产",
            "E101",
        ),
        ({"dropped": False}, {"dropped": True}, "停产", "E101"),
    ]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await world.rows("UPDATE plan_adjustments SET reason = ''")


async def test_an_approved_plan_is_changed_by_supervisors_alone(world: World) -> None:
    customer = await world.customer(kind="key_project")
    its_id = await plan(world)
    supervisor = world.client("supervisor", unit="37401", sub="S1")
    problem(await world.visitor.post(f"/plans/{its_id}/approve"), 403, "forbidden")
    approved = (await supervisor.post(f"/plans/{its_id}/approve")).json()
    assert (approved["state"], approved["approved_by"]) == ("approved", "S1")
    assert (await supervisor.post(f"/plans/{its_id}/approve")).json() == approved
    new = {"customer_id": customer["id"], "channel": "phone", "due_by": "2026-10-20", "reason": "补充"}
    problem(await world.visitor.post(f"/plans/{its_id}/items", json=new), 409, "plan-approved")
    problem(await world.visitor.post(f"/plans/{its_id}/generate"), 409, "plan-approved")
    item = await made(supervisor.post(f"/plans/{its_id}/items", json=new))
    change = {"channel": "online", "reason": "改线上"}
    patched = await world.visitor.patch(f"/plan-items/{item['id']}", json=change, headers={"If-Match": "*"})
    problem(patched, 409, "plan-approved")


@pytest.mark.clause("4", "9.1")
async def test_progress_is_by_kind_and_channel(world: World) -> None:
    customers = [await world.customer(kind=kind) for kind in ("key_project", "key_project", "government")]
    await decide(world, rule("all", kinds=["key_project", "government"], times=2), rule("call", "phone"))
    its_id = await plan(world)
    await generate(world, its_id)
    mine = [each for each in await items(world, customer_id=customers[0]["id"]) if each["channel"] == "on_site"]
    visit = {"customer_id": customers[0]["id"], "channel": "on_site", "scheduled_at": "2026-10-12T09:00:00+08:00"}
    done, begun = [
        await made(world.visitor.post("/visits", json={**visit, "plan_item_id": item["id"]})) for item in mine
    ]
    await world.act(done["id"], "start", "complete", "archive")
    await world.act(begun["id"], "start")
    world.later(days=7)  # the first half of the month is over

    def line(kind: str, channel: str, *counts: int) -> Json:
        return {"kind": kind, "channel": channel, **counted(*counts)}

    def counted(planned: int, made: int, missed: int, still: int) -> Json:
        return {"planned": planned, "made": made, "missed": missed, "open": still}

    its = await progress(world, its_id)
    assert (its["as_of"], its["period"], its["total"]) == ("2026-10-16", "2026-10", counted(8, 1, 2, 5))
    assert its["lines"] == [
        line("government", "on_site", 2, 0, 1, 1),
        line("key_project", "on_site", 4, 1, 1, 2),
        line("key_project", "phone", 2, 0, 0, 2),
    ]
    (found,) = (await world.visitor.get("/visits", params={"plan_item_id": mine[0]["id"]})).json()["items"]
    assert (found["id"], found["plan_item_id"]) == (done["id"], mine[0]["id"]), "an item knows its visits"
    async with world.runtime.db.transaction() as tx:
        row = await tx.get(Visit, done["id"])
        assert row is not None
        assert [each["id"] for each in await on_record(tx, world.runtime, row)] == [mine[0]["id"]]


async def test_a_visit_is_made_for_an_item_of_its_customer(world: World) -> None:
    customer, other = await world.customer(kind="key_project"), await world.customer()
    await decide(world, rule("projects"))
    await generate(world, await plan(world))
    (item,) = await items(world)
    visit = {"channel": "phone", "scheduled_at": "2026-10-12T09:00:00+08:00", "plan_item_id": item["id"]}
    elsewhere = {**visit, "customer_id": other["id"]}
    assert pointers(await world.visitor.post("/visits", json=elsewhere)) == [("/plan_item_id", "other_customer")]
    unknown = {**visit, "customer_id": customer["id"], "plan_item_id": str(uuid4())}
    assert pointers(await world.visitor.post("/visits", json=unknown)) == [("/plan_item_id", "unknown_plan_item")]
    drop = {"dropped": True, "reason": "停产"}
    await world.visitor.patch(f"/plan-items/{item['id']}", json=drop, headers={"If-Match": "*"})
    answer = await world.visitor.post("/visits", json={**visit, "customer_id": customer["id"]})
    assert pointers(answer) == [("/plan_item_id", "unknown_plan_item")]


@pytest.mark.clause("7.2.1", "9.1")
async def test_a_visit_is_made_as_its_item_wants_it_or_does_not_count_for_it(world: World, phone: Phone) -> None:
    customer = await world.customer(kind="key_project")
    await decide(world, rule("projects", form="directed"))
    its_id = await plan(world)
    await generate(world, its_id)
    (item,) = await items(world)
    new = {"customer_id": customer["id"], "plan_item_id": item["id"], "scheduled_at": "2026-10-09T09:00:00+08:00"}
    for channel, form, faults in (
        ("phone", "ordinary", [("/channel", "other_channel"), ("/form", "other_form")]),
        ("on_site", "special", [("/form", "other_form")]),
    ):
        answer = await world.visitor.post("/visits", json={**new, "channel": channel, "form": form})
        assert pointers(answer) == faults
    visit = await made(world.visitor.post("/visits", json={**new, "channel": "on_site", "form": "directed"}))
    path, anyhow = f"/visits/{visit['id']}", {"If-Match": "*"}
    for change, fault in (({"channel": "phone"}, "/channel"), ({"form": "ordinary", "reason": "从简"}, "/form")):
        answer = await world.admin.patch(path, json=change, headers=anyhow)
        assert [pointer for pointer, _ in pointers(answer)] == [fault]
    brought = phone.item("visit", ago=60, **new, channel="phone")
    acts = [phone.item("start", brought["id"], ago=50), phone.item("completion", brought["id"], ago=40)]
    assert outcomes(await phone.push(brought, *acts)) == ["stored"] * 3, "what was done is on record all the same"
    assert (await progress(world, its_id))["total"] == {"planned": 1, "made": 0, "missed": 0, "open": 1}
    query = {"from": "2026-10-01", "to": "2026-10-31"}
    counted = {each["of"]: each["count"] for each in await figure(world, "plan_completion", **query)}
    assert counted == {"open": 1}
    supervisor, why = world.client("supervisor", unit="37401", sub="E109"), "客户要求电话沟通"
    its = await conflict(phone, {**phone.item("visit", **new, channel="phone"), "id": visit["id"]})
    await resolve(supervisor, its, "device", reason=why)
    assert (await world.visitor.get(path)).json()["channel"] == "phone", "nor can it be brought otherwise"
    (line,) = await world.rows("SELECT by, reason FROM trail WHERE act = 'visit.form_changed'")
    assert tuple(line) == ("E109", why), "whoever decided, not who brought it"
    adjusted = {"channel": "phone", "form": "ordinary", "reason": why}
    assert (await world.visitor.patch(f"/plan-items/{item['id']}", json=adjusted, headers=anyhow)).status_code == 200
    assert (await progress(world, its_id))["total"]["made"] == 1
    assert [each["of"] for each in await figure(world, "plan_completion", **query)] == ["made"]


async def test_there_is_one_plan_of_a_period(world: World) -> None:
    its_id = await plan(world)
    assert await plan(world) == its_id, "the same content is answered as the first time"
    assert await plan(world, "2026-11") != its_id
    found = (await world.admin.get("/plans", params={"period": "2026-10"})).json()["items"]
    assert [each["id"] for each in found] == [its_id]
    for period in ("2026-13", "26", "2026-1", "2006"):
        answer = await world.visitor.post("/plans", json={"unit_code": "37401", "period": period})
        assert pointers(answer) == [("/period", "string_pattern_mismatch")]
    beside = {"unit_code": "37402", "period": "2026-10"}
    assert pointers(await world.visitor.post("/plans", json=beside)) == [("/unit_code", "unknown_unit")]


async def test_rules_are_shipped_inherited_or_a_units_own(world: World) -> None:
    path = "/units/37401/plan-rules"
    shipped = (await world.visitor.get(path)).json()
    assert (shipped["decided_by"], shipped["edition"]) == (None, 1)
    assert len(shipped["rules"]) == 11
    await decide(world, rule("projects"))
    assert (await world.visitor.get(path)).json()["decided_by"] == "374"
    twice = {"rules": [rule("projects"), rule("projects")]}
    answer = await world.admin.put(path, json=twice, headers={"If-Match": "*"})
    assert pointers(answer) == [("/rules/1/name", "name_twice")]
    put = await world.visitor.put(path, json={"rules": []}, headers={"If-Match": "*"})
    problem(put, 403, "forbidden")


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_a_plan_of_a_hundred_thousand_customers(world: World) -> None:
    await world.rows(
        """INSERT INTO customers (id, name, kind, unit_code, accounts, version, content_digest, updated_at)
        SELECT gen_random_uuid(), '客户', 'key_project', '37401', '{}', 1, '', now() FROM generate_series(1, 100000)"""
    )
    await decide(world, rule("projects", times=4), rule("call", "phone", times=2))
    its_id = await plan(world)
    await world.visitor.post(f"/plans/{its_id}/generate")
    turns, planning = 0, Planning(world.runtime)
    while await planning.run_once():
        turns += 1
    assert turns == 101
    assert (await progress(world, its_id))["total"]["planned"] == 600_000
    (changed,) = await world.rows("SELECT max(changed_xid) AS last FROM plan_items")
    await world.visitor.post(f"/plans/{its_id}/generate")
    while await planning.run_once():
        pass
    (again,) = await world.rows("SELECT max(changed_xid) AS last FROM plan_items")
    assert again == changed, "what is so already is not written again"
