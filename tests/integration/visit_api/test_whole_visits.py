"""A whole visit of each channel and form, from the plan to the archive: nothing is missing, and all is on its page."""

from itertools import product
from typing import Any

import pytest

from tests.integration.visit_api.test_archive import checked, closed
from tests.integration.visit_api.test_archive_export import HTML, SIGNATURE, with_file
from tests.integration.visit_api.test_materials import publicise, published
from tests.integration.visit_api.test_online import account, group, inquiry
from tests.integration.visit_api.test_steps import ANSWERED, NEEDS, STRATEGY, recorded
from tests.integration.visit_api.world import World, made

DOCUMENTS = {
    "ordinary": {},
    "directed": {"usage_analysis": "最大需量 3200 kW", "solution_proposal": "建议增容并配置储能"},
    "special": {"plan_document": "迎峰度夏专项走访方案"},
}
PROMOTION = {"kind": "promotion", "services": [{"service": "smart_building", "interest": "high", "note": "已约详谈"}]}
# What of a visit comes before it, or is of its course alone.
COURSE = {"kit", "handheld", "usage_analysis", "solution_proposal", "plan_document", "appointment", "arrival"}


async def planned(world: World, channel: str, form: str) -> dict[str, Any]:
    """A visit of what an approved plan wants."""
    await world.customer(kind="government")
    rule = {"name": "all", "kinds": ["government"], "channel": channel, "form": form, "period": "year", "times": 1}
    await world.admin.put("/units/374/plan-rules", json={"rules": [rule]}, headers={"If-Match": "*"})
    plan = await made(world.visitor.post("/plans", json={"unit_code": "37401", "period": "2026"}))
    await world.visitor.post(f"/plans/{plan['id']}/generate")
    await world.stack.settle()
    assert (await world.admin.post(f"/plans/{plan['id']}/approve")).status_code == 200
    (item,) = (await world.visitor.get("/plan-items", params={"plan_id": plan["id"]})).json()["items"]
    its = {name: item[name] for name in ("customer_id", "channel", "form")}
    new = {**its, "plan_item_id": item["id"], "scheduled_at": "2026-10-12T09:00:00+08:00", "visitor_ids": ["E101"]}
    return await made(world.visitor.post("/visits", json=new))


async def asked_online(world: World, visit: dict[str, Any]) -> None:
    """A question in a group of the visit's customer, by an account with its card, and its answer."""
    await account(world)
    shared = await group(world, customer_ids=[visit["customer_id"]])
    asked = await inquiry(world, shared["id"], "2026-10-09T09:40:00+08:00", visit_id=visit["id"])
    answered = await world.visitor.post(f"/online/inquiries/{asked['id']}/answer", json={"answer": "今日 18 时前"})
    assert answered.is_success, answered.text


async def made_of(world: World, channel: str, form: str) -> dict[str, Any]:
    """A visit that is over, with all that the clauses ask of it, and an appeal that was handled."""
    visit = await planned(world, channel, form)
    await world.prepare(visit["id"], **DOCUMENTS[form])
    await world.appointed(visit["id"])
    if channel == "on_site":
        await world.act(visit["id"], "arrive")
    await world.act(visit["id"], "start")
    if channel == "online":
        await asked_online(world, visit)
    appeal = await world.raised(visit["id"])
    heard = {"kind": "appeals", "appeal_ids": [appeal["id"]]}
    for content in (publicise(await published(world)), NEEDS, PROMOTION, ANSWERED, heard, STRATEGY):
        await recorded(world, visit["id"], content)
    await checked(world, visit)
    await with_file(world, visit, SIGNATURE, name="签名.png", kind="signature")
    await world.act(visit["id"], "complete")
    await world.hear(closed(world, appeal))
    return visit


async def gaps(world: World, visit: str) -> list[dict[str, Any]]:
    """What the archive would lack."""
    found: list[dict[str, Any]] = (await world.admin.get(f"/visits/{visit}/gaps")).json()["gaps"]
    return found


@pytest.mark.clause("6.1.1", "6.2.1", "6.3.1", "7.1", "7.2.1", "7.2.6", "9.1")
@pytest.mark.parametrize(("channel", "form"), list(product(("on_site", "phone", "online"), DOCUMENTS)))
async def test_a_visit_goes_from_its_plan_to_its_archive(world: World, channel: str, form: str) -> None:
    visit = await made_of(world, channel, form)
    assert (visit["channel"], visit["form"]) == (channel, form)
    assert await gaps(world, visit["id"]) == []
    assert (await world.act(visit["id"], "archive"))["state"] == "archived"
    record = (await world.admin.get(f"/archive/{visit['id']}")).json()["record"]
    entries = {line["section"]: line["entries"] for line in record["contents"]}
    whole = {"plan": 1, "preparation": 1, "appointments": 1, "steps": 6, "appeals": 1, "attachments": 1, "gaps": 0}
    assert {**entries, **whole} == entries
    assert record["record"]["service_record"]["anomalies"] == []
    year = (await world.visitor.get("/plans", params={"period": "2026"})).json()["items"][0]
    progress = (await world.visitor.get(f"/plans/{year['id']}/progress")).json()
    assert progress["total"] == {"planned": 1, "made": 1, "missed": 0, "open": 0}


@pytest.mark.clause("7.2.6", "004 3.4")
@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_all_that_is_archived_is_on_the_page_behind_its_contents(world: World, language: str) -> None:
    visit = await made_of(world, "online", "directed")
    no = {"item": "conduct.courteous", "answer": "no", "note": "通话中语速过快"}
    await world.visitor.post(f"/visits/{visit['id']}/checklist", json={"answers": [no]})
    await world.act(visit["id"], "archive")
    path, html = f"/archive/{visit['id']}", {"params": {"lang": language}, "headers": HTML}
    contents = (await world.admin.get(path)).json()["record"]["contents"]
    page = (await world.admin.get(path, **html)).text
    for line in contents:
        assert f'<a href="#{line["section"]}">' in page, line
        shown = page.partition(f'<section id="{line["section"]}">')[2].partition("</section>")[0]
        nothing = {"zh-CN": "<p>无</p>", "en": "<p>none</p>"}[language]
        assert (nothing in shown) == (line["entries"] == 0), line
    kept = ("E101", "2026-12-31", "历下供电中心 客户经理 员工E101", "lixia-e101", "通话中语速过快", "最大需量 3200 kW")
    words = {
        "zh-CN": (
            "目录",
            "标题：分时电价政策解读",
            "走访物品及设备检查",
            "可移动办公的手持终端",
            "服务账号及名片",
            "服务流程",
            "异常情况",
        ),
        "en": (
            "Contents",
            "Title: 分时电价政策解读",
            "Kit, and check of the devices",
            "handheld terminal",
            "name cards",
            "Course",
            "Anomalies",
        ),
    }
    for shown in (*kept, *words[language]):
        assert shown in page, shown


@pytest.mark.clause("6.2.1")
async def test_a_customers_own_call_lacks_nothing_that_comes_before_it(world: World) -> None:
    call = await world.visit(channel="phone", direction="inbound")
    await world.act(call["id"], "start", "complete")
    assert not COURSE & {each["what"] for each in await gaps(world, call["id"])}
