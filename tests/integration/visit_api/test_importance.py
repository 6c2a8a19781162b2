"""Importance is brought with the document that determined it (§3.2)."""

from typing import Any
from uuid import uuid4

import pytest

from tests.integration.visit_api.test_imports import as_csv, as_ndjson, customers, imported, row
from tests.integration.visit_api.world import World, made, pointers, problem
from tests.support.databases import refusal

pytestmark = pytest.mark.usefixtures("told_whole")

DOCUMENT = {"government_body": "市发展改革委", "document_no": "济发改〔2026〕8号", "determined_on": "2026-09-30"}


async def bring(world: World, *items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return await made(world.admin.post("/importance-documents", json={**DOCUMENT, "items": [*items], **fields}))


async def importance(world: World, customer: dict[str, Any]) -> str | None:
    its: str | None = (await world.admin.get(f"/customers/{customer['id']}")).json()["importance"]
    return its


@pytest.mark.clause("3.2", "4.4.1")
async def test_a_document_determines_who_is_important_and_is_kept(world: World) -> None:
    hospital, mine = await world.customer(), await world.customer("37402", customer_no="0042", importance="二级")
    told = len(await world.told())
    document = await bring(
        world, {"customer_id": hospital["id"], "level": "special"}, {"customer_no": "0042", "level": "first"}
    )
    assert [await importance(world, one) for one in (hospital, mine)] == ["special", "first"]
    assert [event.type for event in (await world.told())[told:]] == ["customer.changed.v1"] * 2
    assert (await world.admin.get(f"/importance-documents/{document['id']}")).json() == document
    history = (await world.visitor.get(f"/customers/{hospital['id']}/importance")).json()["items"]
    (line,) = history
    assert {**line, **DOCUMENT, "level": "special", "imported_by": "E001"} == line
    assert line["recorded_at"] == "2026-10-09T02:00:00Z"
    ours = (await world.visitor.get(f"/importance-documents/{document['id']}")).status_code
    assert ours == 404, "a unit below did not bring it"


@pytest.mark.clause("3.2")
async def test_what_was_determined_last_holds_whenever_it_was_brought(world: World) -> None:
    customer = await world.customer()
    await bring(world, {"customer_id": customer["id"], "level": "first"}, determined_on="2026-06-01")
    await bring(world, {"customer_id": customer["id"], "level": "second"}, determined_on="2025-06-01")
    assert await importance(world, customer) == "first"
    await bring(world, {"customer_id": customer["id"], "level": "none"}, determined_on="2026-10-01")
    assert await importance(world, customer) is None
    history = (await world.admin.get(f"/customers/{customer['id']}/importance")).json()["items"]
    assert [line["level"] for line in history] == ["first", "second", "none"]
    for table in ("importance_documents", "importance_determinations"):
        said = await refusal(str(world.runtime.settings.database_url.get_secret_value()), f"UPDATE {table} SET id = id")
        assert "permission denied" in said


@pytest.mark.clause("3.2")
async def test_what_was_determined_counts_for_more_than_any_file(world: World) -> None:
    """Of a customer of one system, and of one of two."""

    def file(code: str, **fields: Any) -> bytes:
        return as_csv(*[row(customer_no=number, importance=code, **fields) for number in ("1", "2", "3")])

    async def found() -> dict[str, tuple[str, str | None, str | None]]:
        its = await customers(world)
        return {each["customer_no"]: (each["kind"], each["importance"], each["importance_by"]) for each in its}

    await imported(world, file(""))
    await imported(world, as_ndjson(row("sg2", customer_no="3", address="泉城路9号")))
    assert (await found())["1"] == ("other.ordinary", None, None)
    levels = {"1": "none", "2": "second", "3": "none"}
    await bring(world, *[{"customer_no": number, "level": level} for number, level in levels.items()])
    await imported(world, file("01", name="改名"))
    await imported(world, as_ndjson(row("sg2", customer_no="3", importance="S")))
    assert await found() == {
        "1": ("other.ordinary", None, None),
        "2": ("other.ordinary", "second", "document"),
        "3": ("other.ordinary", None, None),
    }
    await imported(world, as_csv(row(customer_no="4", importance="02")))
    assert (await found())["4"] == ("other.important", "first", "system")


@pytest.mark.clause("3.2")
@pytest.mark.parametrize("several", [False, True])
async def test_a_blank_cell_takes_no_mark_away_where_its_system_has_a_word_for_none(
    world: World, several: bool
) -> None:
    def file(said: str, name: str) -> bytes:
        return as_csv(row("plain", kind="", name=name, importance=said))

    await imported(world, file("特级", "王伟"))
    if several:
        await imported(world, as_csv(row(importance="")))
    for said, name, importance in (("", "王小伟", "special"), ("none", "王大伟", None)):
        await imported(world, file(said, name))
        (customer,) = await customers(world)
        assert (customer["name"], customer["importance"]) == (name, importance)


@pytest.mark.clause("3.2")
async def test_all_of_a_document_or_nothing(world: World) -> None:
    good, beside = await world.customer("37401", customer_no="7"), await world.customer("375" and "37402")
    await world.customer("37401", customer_no="8")
    await world.customer("37401", customer_no="8")
    items = [
        {"customer_id": good["id"], "level": "first"},
        {"customer_id": beside["id"], "level": "first"},
        {"customer_no": "8", "level": "first"},
        {"customer_no": "7", "level": "second"},
        {"level": "first"},
        {"customer_id": str(uuid4()), "customer_no": "7", "level": "first"},
        {"customer_no": "no-such", "level": "none"},
    ]
    bringer = world.client("supervisor", unit="37401")
    answer = await bringer.post("/importance-documents", json={**DOCUMENT, "items": items})
    assert pointers(answer) == [
        ("/items/1/customer_id", "unknown_customer"),
        ("/items/2/customer_no", "several_customers"),
        ("/items/3/customer_no", "named_twice"),
        ("/items/4", "one_of_both"),
        ("/items/5", "one_of_both"),
        ("/items/6/customer_no", "unknown_customer"),
    ]
    assert await importance(world, good) is None
    assert await world.rows("SELECT 1 FROM importance_documents") == []
    problem(await world.visitor.post("/importance-documents", json={**DOCUMENT, "items": items[:1]}), 403, "forbidden")


async def test_a_document_that_is_brought_twice_is_one(world: World) -> None:
    customer, id = await world.customer(), str(uuid4())  # noqa: A001
    item = {"customer_id": customer["id"], "level": "first"}
    document = await bring(world, item, id=id)
    assert await bring(world, item, id=id) == document
    other = {**DOCUMENT, "items": [{**item, "level": "second"}], "id": id}
    problem(await world.admin.post("/importance-documents", json=other), 409, "importance-document-taken")
    problem(await world.stranger.post("/importance-documents", json={**other, "items": [item]}), 422, "unprocessable")
