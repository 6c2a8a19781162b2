"""Two marketing systems that own one customer: what each says is kept, and rules say what counts."""

from typing import Any

import pytest

from tests.integration.visit_api.test_imports import Json, as_csv, as_ndjson, counts, customers, faults, imported, row
from tests.integration.visit_api.world import World, pointers, tag
from visit_api.imports import mapping
from visit_api.rulebooks import service as rulebooks

pytestmark = pytest.mark.usefixtures("told_whole")


async def said_of(world: World, customer: Json, **query: str) -> dict[str, Json]:
    answer = await world.visitor.get(f"/customers/{customer['id']}/sources", params=query)
    assert answer.status_code == 200, answer.text
    return {each["source"]: each for each in answer.json()["sources"]}


async def decide(world: World, *rules: Json) -> Any:
    headers = await tag(world.admin, "/units/374/source-rules")
    return await world.admin.put("/units/374/source-rules", json={"fields": list(rules)}, headers=headers)


async def test_the_owner_of_the_number_counts_and_what_the_other_says_is_kept(world: World) -> None:
    await imported(world, as_csv(row(address="")))
    other = row("sg2", name="王伟伟", phone="13911112222", unit_code="37402", address="泉城路9号")
    its = await imported(world, as_ndjson(other))
    assert counts(its) == (1, 0, 0)
    (customer,) = await customers(world)
    assert (customer["name"], customer["unit_code"], customer["phone"]) == ("王伟", "37401", "138****0000")
    assert (customer["address"], customer["version"]) == ("泉城****", 2), "of what the owner says nothing of, it counts"
    said = await said_of(world, customer)
    assert [(each["owns"], each["said"]["phone"]) for each in said.values()] == [
        (True, "138****0000"),
        (False, "139****2222"),
    ]
    assert said["sg2"]["counts"] == ["address"]
    full = await said_of(world, customer, reason="核对电话")
    assert (full["sg2"]["said"]["phone"], full["sg2"]["said"]["name"]) == ("13911112222", "王伟伟")
    noted = [each["reason"] for each in await world.rows("SELECT * FROM trail ORDER BY id")]
    assert noted == ["核对电话"]
    assert b"13911112222" not in b"".join(
        bytes(each[0]) for each in await world.rows("SELECT said_sealed FROM customer_said")
    )
    assert counts(await imported(world, as_ndjson(other))) == (0, 1, 0)


async def test_a_rule_gives_a_field_to_a_system_and_counts_when_a_line_comes_again(world: World) -> None:
    ours, other = row(), row("sg2", phone="13911112222")
    await imported(world, as_csv(ours))
    assert counts(await imported(world, as_ndjson(other))) == (1, 0, 0)
    (before,) = await customers(world)
    assert (before["phone"], before["version"]) == ("138****0000", 1), "nothing of it counts, and nothing is told"
    assert (await decide(world, {"field": "phone", "sources": ["sg2"]})).status_code == 200
    assert counts(await imported(world, as_csv(ours))) == (1, 0, 0)
    (after,) = await customers(world)
    assert (after["phone"], after["version"], after["source"]) == ("139****2222", 2, "sg186")
    said = await said_of(world, after)
    assert said["sg2"]["counts"] == ["phone"]
    assert "phone" not in said["sg186"]["counts"]
    assert said["sg186"]["said"]["phone"] == "138****0000", "the loser's word is kept"
    changed = await imported(world, as_csv({**ours, "CONS_NAME": "王小伟", "MOBILE": "13700000000"}))
    assert counts(changed) == (1, 0, 0)
    (last,) = await customers(world)
    assert (last["name"], last["phone"]) == ("王小伟", "139****2222")
    told = [each for each in await world.told() if each.type == "customer.changed.v1"]
    assert len(told) == 3
    refused = await decide(world, *[{"field": "phone", "sources": ["sg2"]}] * 2)
    assert pointers(refused) == [("/fields", "twice")]


async def test_who_was_typed_in_and_who_is_another_companys_is_nobody_elses(world: World) -> None:
    await world.customer(customer_no="0000000011")
    theirs = world.client("integration", unit="375", sub="marketing")
    await theirs.post("/customers/import", content=as_csv(row(unit_code="375")))
    await world.stack.settle()
    its = await imported(world, as_ndjson(row("sg2")))
    assert counts(its) == (1, 0, 0)
    assert len(await customers(world)) == 2
    assert await world.rows("SELECT FROM customer_said") == []
    again = await imported(world, as_ndjson(row("sg2"), row("sg2", name="再次")))
    assert (counts(again), await faults(world, again)) == ((0, 1, 1), [(2, "custNo", "duplicate")])


async def test_who_was_removed_comes_back_by_none_of_several_systems(world: World) -> None:
    ours, other = as_csv(row()), as_ndjson(row("sg2", phone="13911112222"))
    assert counts(await imported(world, ours)) == counts(await imported(world, other)) == (1, 0, 0)
    (customer,) = await customers(world)
    await world.admin.delete(f"/customers/{customer['id']}", headers={"If-Match": "*"})
    for source, data in (("sg186", ours), ("sg2", other), ("csg", as_csv(row("csg")))):
        its, number = await imported(world, data), mapping.source("customers", source).number
        assert (counts(its), await faults(world, its)) == ((0, 0, 1), [(1, number, "removed")])
    assert await customers(world) == []
    theirs = world.client("integration", unit="375", sub="marketing")
    await theirs.post("/customers/import", content=as_csv(row("csg", unit_code="375")))
    await world.stack.settle()
    (alive,) = (await theirs.get("/customers")).json()["items"]
    assert alive["source"] == "csg", "another company's of the same number is another customer"


async def test_one_in_use_goes_before_one_of_the_same_number_that_is_out_of_use(world: World) -> None:
    await imported(world, as_csv(row()))
    (removed,) = await customers(world)
    await imported(world, as_ndjson(row("sg2", customer_no="0000000012")))
    (alive,) = [each for each in await customers(world) if each["id"] != removed["id"]]
    change = {"customer_no": removed["customer_no"]}
    assert (await world.admin.patch(f"/customers/{alive['id']}", json=change, headers={"If-Match": "*"})).is_success
    await world.admin.delete(f"/customers/{removed['id']}", headers={"If-Match": "*"})
    assert counts(await imported(world, as_csv(row("csg", name="王伟伟")))) == (1, 0, 0)
    (customer,) = await customers(world)
    assert set(await said_of(world, customer)) == {"sg2", "csg"}


async def test_who_was_typed_in_neither_brings_back_nor_keeps_out_what_a_system_sent(world: World) -> None:
    number = row()["CONS_NO"]
    typed = await world.customer(customer_no=number)
    await world.admin.delete(f"/customers/{typed['id']}", headers={"If-Match": "*"})
    assert counts(await imported(world, as_csv(row()))) == (1, 0, 0)
    (sent,) = await customers(world)
    await world.customer(customer_no=number)
    await world.admin.delete(f"/customers/{sent['id']}", headers={"If-Match": "*"})
    its = await imported(world, as_ndjson(row("sg2")))
    assert (counts(its), await faults(world, its)) == ((0, 0, 1), [(1, "custNo", "removed")])


async def test_what_a_line_does_not_say_of_a_customer_of_several_stays(world: World) -> None:
    await imported(world, as_csv(row()))
    assert counts(await imported(world, as_ndjson(row("sg2", phone="13911112222")))) == (1, 0, 0)
    columns = mapping.source("customers", "sg186").columns
    named = {columns[field] for field in ("customer_no", "name", "unit_code")}
    short = {column: value for column, value in row(name="王小伟").items() if column in named}
    assert counts(await imported(world, as_csv(short), source="sg186")) == (1, 0, 0)
    (customer,) = await customers(world)
    assert (customer["name"], customer["phone"], customer["address"]) == ("王小伟", "138****0000", "泉城****")
    assert customer["supply"]["transformer"] == "0012377836"
    assert counts(await imported(world, as_csv(short), source="sg186")) == (0, 1, 0)
    emptied = await imported(world, as_csv({**short, columns["phone"]: ""}), source="sg186")
    assert counts(emptied) == (1, 0, 0), "an empty cell is said: of the number the other's word counts"
    assert (await customers(world))[0]["phone"] == "139****2222"


async def test_who_is_marked_important_by_one_of_several_is(world: World) -> None:
    await imported(world, as_csv(row()))
    await imported(world, as_ndjson(row("sg2", address="泉城路9号")))
    assert (await customers(world))[0]["kind"] == "other.ordinary"
    await imported(world, as_csv(row(importance="01")))
    (customer,) = await customers(world)
    assert (customer["kind"], customer["importance"]) == ("other.important", "special")


async def test_rules_are_asked_of_each_unit_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def counting(tx: Any, unit_code: str, *its: Any) -> Any:
        asked.append(unit_code)
        return await rules(tx, unit_code, *its)

    rules = rulebooks.counting
    numbers = [f"{n:010}" for n in range(20)]
    await imported(world, as_csv(*[row(customer_no=each) for each in numbers]))
    monkeypatch.setattr(rulebooks, "counting", counting)
    theirs = [row("sg2", customer_no=each, phone="13911112222") for each in numbers]
    assert counts(await imported(world, as_ndjson(*theirs))) == (20, 0, 0)
    assert asked == ["37401"]
