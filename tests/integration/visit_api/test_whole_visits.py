"""A whole visit of each channel and form, from the plan to the archive."""

from itertools import product
from typing import Any

import pytest

from tests.integration.visit_api.world import World, made

DOCUMENTS = {
    "ordinary": {},
    "directed": {"usage_analysis": "最大需量 3200 kW", "solution_proposal": "建议增容并配置储能"},
    "special": {"plan_document": "迎峰度夏专项走访方案"},
}
# What the course of a visit answers for; the steps and the checklists are others'.
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


async def gaps(world: World, visit: str) -> list[dict[str, str]]:
    """What the archive would lack."""
    found = (await world.admin.get(f"/visits/{visit}/gaps")).json()["gaps"]
    return [{"clause": each["clause"], "what": each["what"]} for each in found]


@pytest.mark.clause("6.1.1", "6.2.1", "6.3.1", "7.1", "7.2.1", "7.2.6", "9.1")
@pytest.mark.parametrize(("channel", "form"), list(product(("on_site", "phone", "online"), DOCUMENTS)))
async def test_a_visit_goes_from_its_plan_to_its_archive(world: World, channel: str, form: str) -> None:
    visit = await planned(world, channel, form)
    assert (visit["channel"], visit["form"]) == (channel, form)
    await world.prepare(visit["id"], **DOCUMENTS[form])
    await world.appointed(visit["id"])
    if channel == "on_site":
        await world.act(visit["id"], "arrive")
    await world.act(visit["id"], "start", "complete")
    lacking = await gaps(world, visit["id"])
    assert not COURSE & {each["what"] for each in lacking}
    for each in lacking:
        await made(world.admin.post(f"/visits/{visit['id']}/gaps", json={**each, "reason": "客户临时有事"}))
    assert (await world.act(visit["id"], "archive"))["state"] == "archived"
    record = (await world.admin.get(f"/archive/{visit['id']}")).json()["record"]
    entries = {line["section"]: line["entries"] for line in record["contents"]}
    assert (entries["plan"], entries["preparation"], entries["appointments"]) == (1, 1, 1)
    year = (await world.visitor.get("/plans", params={"period": "2026"})).json()["items"][0]
    progress = (await world.visitor.get(f"/plans/{year['id']}/progress")).json()
    assert progress["total"] == {"planned": 1, "made": 1, "missed": 0, "open": 0}


@pytest.mark.clause("6.2.1")
async def test_a_customers_own_call_lacks_nothing_that_comes_before_it(world: World) -> None:
    call = await world.visit(channel="phone", direction="inbound")
    await world.act(call["id"], "start", "complete")
    assert not COURSE & {each["what"] for each in await gaps(world, call["id"])}
