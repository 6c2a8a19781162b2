"""Policy materials: published for a unit and those below, by edition and within their days, and for whom they suit."""

from typing import Any
from uuid import uuid4

import pytest

from tests.integration.visit_api.test_steps import NEEDS, recorded, started
from tests.integration.visit_api.world import World, made, member, pointers, problem, tag

PRICES = {
    "unit_code": "374",
    "title": "分时电价政策解读",
    "topic": "prices",
    "summary": "尖峰、高峰、平段与低谷",
    "valid_from": "2026-10-01",
}


async def drafted(world: World, **fields: Any) -> dict[str, Any]:
    return await made(world.admin.post("/materials", json={**PRICES, **fields}))


async def published(world: World, **fields: Any) -> dict[str, Any]:
    """A material that a supervisor of 374 published."""
    supervisor = world.client("supervisor", unit="374", sub="E001")
    material = await drafted(world, **fields)
    answer = await supervisor.post(f"/materials/{material['id']}/publish")
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


def publicise(*materials: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "publicise", "materials": [each["id"] for each in materials], "to": "厂长与电气主管"}


@pytest.mark.clause("5.2", "7.2.2")
async def test_a_visit_publicises_editions_that_its_unit_or_one_above_published(world: World) -> None:
    visit = await started(world)
    material, other = await published(world), await published(world, unit_code="37402")
    step = await recorded(world, visit, publicise(material))
    assert step["content"]["to"] == "厂长与电气主管"
    assert step["content"]["materials"] == [
        {key: material[key] for key in ("id", "series_id", "version", "title", "topic")}
    ]
    draft = await drafted(world)
    for hidden in (draft, other):
        answer = await world.visitor.post(f"/visits/{visit}/steps", json={"content": publicise(material, hidden)})
        assert pointers(answer) == [("/content/materials/1", "unknown_material")]


@pytest.mark.clause("7.2.2")
async def test_what_was_not_in_force_then_is_refused_with_the_clause(world: World) -> None:
    visit = await started(world)
    path = f"/visits/{visit}/steps"
    material = await published(world, valid_to="2026-10-09")
    world.later(hours=1)
    withdrawal = {"reason": "政策调整"}
    withdrawn = (await world.admin.post(f"/materials/{material['id']}/withdraw", json=withdrawal)).json()
    assert (withdrawn["state"], withdrawn["withdrawn_by"], withdrawn["reason"]) == ("withdrawn", "E001", "政策调整")
    refused = await world.visitor.post(path, json={"content": publicise(material)})
    assert pointers(refused) == [("/content/materials/0", "material_not_in_force")]
    assert refused.json()["clause"] == "7.2.2"
    # What a device without a line did before the withdrawal was right.
    await recorded(world, visit, publicise(material), at="2026-10-09T10:30:00+08:00")
    expired = await published(world, valid_to="2026-10-09")
    world.later(hours=14)
    assert pointers(await world.visitor.post(path, json={"content": publicise(expired)})) == [
        ("/content/materials/0", "material_not_in_force")
    ]


@pytest.mark.clause("7.2.2")
async def test_a_newer_edition_takes_over_on_its_first_day(world: World) -> None:
    first = await published(world)
    second = await published(world, replaces=first["id"], valid_from="2026-10-10", title="分时电价政策解读（修订）")
    assert (second["series_id"], second["version"]) == (first["series_id"], 2)
    first = (await world.visitor.get(f"/materials/{first['id']}")).json()
    assert (first["state"], first["replaced_at"]) == ("published", "2026-10-09T16:00:00Z")
    customer = await world.customer()
    for hours, edition in ((0, first), (14, second)):
        world.later(hours=hours)
        suiting = {"for_customer": customer["id"]}
        found = (await world.visitor.get("/materials", params=suiting)).json()["items"]
        assert [each["id"] for each in found] == [edition["id"]]
    third = await published(world, replaces=first["id"])
    assert third["version"] == 3
    elsewhere = await world.admin.post("/materials", json={**PRICES, "unit_code": "37401", "replaces": first["id"]})
    assert pointers(elsewhere) == [("/unit_code", "another_units_series")]


@pytest.mark.clause("5.2", "7.2.2")
async def test_a_customer_is_proposed_what_suits_its_needs_traits_and_industry(world: World) -> None:
    visit = await world.visit()
    await world.act(visit["id"], "start")
    for_all = await published(world)
    by_need = await published(world, topic="agency_purchase", needs=["connection", "smart_use"])
    by_trait = await published(world, traits=["time_of_use"])
    by_industry = await published(world, industries=["C", "B"], traits=["time_of_use", "high_voltage"])
    await published(world, industries=["P"])
    await published(world, unit_code="37402")
    await drafted(world)
    asked = {"for_customer": visit["customer_id"]}

    async def proposed() -> list[str]:
        answer = await world.visitor.get("/materials", params=asked)
        return [each["id"] for each in answer.json()["items"]]

    assert await proposed() == [for_all["id"]]
    await recorded(world, visit["id"], NEEDS)
    assert await proposed() == [for_all["id"], by_need["id"]]
    path = f"/customers/{visit['customer_id']}/profile"
    unknown = await tag(world.visitor, path)
    profile = {"industry": "C", "traits": ["time_of_use", "storage", "storage"]}
    noted = await world.visitor.put(path, json=profile, headers=unknown)
    assert noted.json() == {"industry": "C", "traits": ["storage", "time_of_use"]}
    problem(await world.visitor.put(path, json=profile, headers=unknown), 412, "precondition-failed")
    assert await proposed() == [each["id"] for each in (for_all, by_need, by_trait, by_industry)]
    assert (await world.stranger.get("/materials", params=asked)).json()["items"] == []
    topic = {**asked, "topic": "agency_purchase"}
    assert len((await world.visitor.get("/materials", params=topic)).json()["items"]) == 1


async def test_a_supervisor_publishes_once_and_what_is_over_never(world: World) -> None:
    material = await drafted(world, unit_code="37401")
    path = f"/materials/{material['id']}"
    problem(await world.visitor.post(f"{path}/publish"), 403, "forbidden")
    problem(await world.client("supervisor", unit="37402").post(f"{path}/publish"), 404, "not-found")
    assert (await world.client("supervisor", unit="37401").post(f"{path}/publish")).status_code == 200
    assert problem(await world.admin.post(f"{path}/publish"), 409, "material-act-refused")["clause"] == "7.2.2"
    over = await drafted(world, valid_from="2026-01-01", valid_to="2026-10-08")
    problem(await world.admin.post(f"/materials/{over['id']}/publish"), 409, "material-expired")
    backwards = await world.admin.post("/materials", json={**PRICES, "valid_to": "2026-09-30"})
    assert pointers(backwards) == [("/valid_to", "before_valid_from")]


async def test_what_a_unit_above_published_is_read_and_what_it_drafts_is_not(world: World) -> None:
    draft, material = await drafted(world), await published(world)
    assert (await world.visitor.get(f"/materials/{material['id']}")).json()["title"] == PRICES["title"]
    problem(await world.visitor.get(f"/materials/{draft['id']}"), 404, "not-found")
    problem(await world.stranger.get(f"/materials/{material['id']}"), 404, "not-found")
    assert [each["id"] for each in (await world.admin.get("/materials")).json()["items"]] == [
        draft["id"],
        material["id"],
    ]
    live = (await world.admin.get("/materials", params={"published": "true"})).json()["items"]
    assert [each["id"] for each in live] == [material["id"]]


async def test_the_same_material_again_is_answered_as_the_first_time(world: World) -> None:
    new = {**PRICES, "id": str(uuid4())}
    first = await made(world.admin.post("/materials", json=new))
    assert await made(world.admin.post("/materials", json=new)) == first
    problem(await world.admin.post("/materials", json={**new, "title": "别的"}), 409, "material-taken")
    await made(world.stranger.post("/staff", json=member("E301", "375")))
    problem(await world.stranger.post("/materials", json={**new, "unit_code": "375"}), 409, "material-taken")
