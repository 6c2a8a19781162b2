"""Units merge in one act: the one is closed, what it has open is the other's by and by, and nobody is turned away
meanwhile."""

from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.integration.visit_api.phone import Phone, outcomes
from tests.integration.visit_api.test_import_directory import imported, line, unit
from tests.integration.visit_api.test_imports import as_csv, faults
from tests.integration.visit_api.test_measures import new_measure
from tests.integration.visit_api.test_obligations import owed
from tests.integration.visit_api.test_plans import rule
from tests.integration.visit_api.world import COMPLAINT, World, made, member, pointers, problem
from tests.support.eventually import eventually
from visit_api.mergers import moving
from visit_api.mergers.worker import Moving

pytestmark = pytest.mark.usefixtures("told_whole")

INTO = {"into": "37402", "reason": "供电所整合"}
ANY = {"If-Match": "*"}


async def merged(world: World, code: str = "37401", **its: Any) -> dict[str, Any]:
    return await made(world.admin.post(f"/units/{code}/merge", json={**INTO, **its}))


async def settled(world: World) -> None:
    """Everything has moved, and whoever did not know of a merger is done."""

    async def done() -> bool:
        await world.stack.settle()
        return await world.rows("SELECT FROM unit_mergers WHERE done_at IS NULL") == []

    await eventually(done)


async def of(world: World, path: str) -> str:
    answer = await world.admin.get(path)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["unit_code"])


async def test_what_a_unit_has_open_is_that_of_the_one_it_merged_into(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "BATCH", 2)
    await made(world.admin.post("/units", json={"code": "3740101", "name": "班组", "parent_code": "37401"}))
    visits = [await world.visit(visitor_ids=["E101"]) for _ in range(3)]
    await world.act(visits[0]["id"], "start")
    over = await world.visit(visitor_ids=["E101"])
    await world.act(over["id"], "start", "complete")
    gone = await world.customer()
    await world.admin.delete(f"/customers/{gone['id']}", headers=ANY)
    call = await owed(world)
    measure = await made(world.admin.post("/measures", json=new_measure(owner="E101")))
    leaflet = {"title": "分时电价", "topic": "prices", "summary": "峰谷", "valid_from": "2026-01-01"}
    material = await made(world.admin.post("/materials", json={"unit_code": "37401", **leaflet}))
    before = len(await world.told())

    new = {**INTO, "id": str(uuid4())}
    its = await made(world.admin.post("/units/37401/merge", json=new))
    assert (its["unit_code"], its["into_code"], its["recorded_by"], its["done_at"]) == ("37401", "37402", "E001", None)
    assert await made(world.admin.post("/units/37401/merge", json=new)) == its, "the same again is answered again"
    problem(await world.admin.post("/units/37401/merge", json={**new, "reason": "撤并"}), 409, "merger-taken")
    told = (await world.told())[before:]
    assert [(each.type, each.payload and each.payload["unit_code"]) for each in told] == [
        ("directory.unit_changed.v1", "3740101"),
        ("directory.unit_changed.v1", "37401"),
    ]
    assert told[1].payload is not None
    assert (told[1].payload["parent_code"], told[1].payload["merged_into"], told[1].payload["version"]) == (
        "37402",
        "37402",
        2,
    )
    (noted,) = await world.rows("SELECT * FROM trail WHERE act = 'unit.merged'")
    assert (noted["thing_id"], noted["by"], noted["reason"]) == ("37401", "E001", INTO["reason"])

    await settled(world)
    for visit in visits:
        assert await of(world, f"/visits/{visit['id']}") == "37402"
        assert await of(world, f"/customers/{visit['customer_id']}") == "37402"
    for path in (f"/obligations/{call['id']}", f"/measures/{measure['id']}", f"/materials/{material['id']}"):
        assert await of(world, path) == "37402"
    assert [await of(world, f"/staff/{number}") for number in ("E101", "E102")] == ["37402"] * 2
    assert await of(world, f"/visits/{over['id']}") == "37401", "what is over stays where it was"
    theirs = world.client("supervisor", unit="37402", sub="E209")
    assert (await theirs.get(f"/visits/{over['id']}")).status_code == 200, "and is seen by whom it went to"
    shown = (await world.admin.get("/units/37401")).json()
    assert (shown["parent_code"], shown["merged_into"]) == ("37402", "37402")
    assert (await world.admin.get("/units/3740101")).json()["parent_code"] == "37402"
    told = (await world.told())[before + 2 :]
    count: dict[str, int] = {}
    for each in told:
        assert each.payload is not None
        assert each.payload["unit_code"] == "37402"
        count[each.type] = count.get(each.type, 0) + 1
    assert count == {"directory.staff_changed.v1": 2, "customer.changed.v1": 5, "visit.replanned.v1": 3}
    (done,) = (await world.admin.get("/units/37402/mergers")).json()["items"]
    assert (done["id"], done["done_at"] is not None) == (its["id"], True)


async def test_a_closed_unit_takes_nothing_new(world: World) -> None:
    its = await world.customer()
    await made(world.admin.post("/plans", json={"unit_code": "37401", "period": "2026-11"}))
    await merged(world)
    call = {"kind": "missed_call", "phone": "13700001234", "called_at": "2026-10-09T09:30:00+08:00"}
    owed = await made(world.visitor.post("/obligations", json=call))
    assert owed["unit_code"] == "37402", "whoever was of it is of the one that it merged into"
    (plan,) = (await world.admin.get("/plans")).json()["items"]
    merged_unit = [("/unit_code", "merged_unit")]
    new = {"name": "齐鲁机床", "kind": "other.important", "unit_code": "37401"}
    assert pointers(await world.admin.post("/customers", json=new)) == merged_unit
    back = {"unit_code": "37401"}
    assert pointers(await world.admin.patch(f"/customers/{its['id']}", json=back, headers=ANY)) == merged_unit
    assert pointers(await world.admin.post("/staff", json=member("E109", "37401"))) == merged_unit
    assert pointers(await world.admin.post("/plans", json={**back, "period": "2026-12"})) == merged_unit
    below = {"code": "3740109", "name": "班组", "parent_code": "37401"}
    assert pointers(await world.admin.post("/units", json=below)) == [("/parent_code", "merged_unit")]
    for answer in (
        await world.admin.patch("/units/37401", json={"name": "历下"}, headers=ANY),
        await world.admin.post("/units/37401/merge", json=INTO),
        await world.admin.post(f"/plans/{plan['id']}/generate"),
        await world.admin.put("/units/37401/plan-rules", json={"rules": [rule("projects")]}, headers=ANY),
    ):
        assert problem(answer, 409, "unit-merged")["into"] == "37402"
    await made(world.admin.post("/units", json={"code": "37403", "name": "天桥供电中心", "parent_code": "374"}))
    into_closed = await world.admin.post("/units/37403/merge", json={"into": "37401", "reason": "整合"})
    assert pointers(into_closed) == [("/into", "merged_unit")]
    lines = [unit("37401", "374"), unit("3740109", "37401")]
    assert await faults(world, await imported(world, "units", as_csv(*lines))) == [
        (1, "code", "merged_unit"),
        (2, "parent_code", "merged_parent"),
    ]
    person = line("staff", staff_no="E110", name="赵六", unit_code="37401")
    assert await faults(world, await imported(world, "staff", as_csv(person))) == [(1, "unit_code", "merged_unit")]


async def test_units_merge_where_somebody_sees_both(world: World) -> None:
    await made(world.admin.post("/units", json={"code": "3740101", "name": "班组", "parent_code": "37401"}))
    below = await world.admin.post("/units/37401/merge", json={**INTO, "into": "3740101"})
    problem(below, 409, "unit-cycle")
    problem(await world.admin.post("/units/37401/merge", json={**INTO, "into": "37401"}), 409, "unit-cycle")
    for into in ("375", "37999"):
        answer = await world.admin.post("/units/37401/merge", json={**INTO, "into": into})
        assert pointers(answer) == [("/into", "unknown_unit")], "another company's unit is none"
    own = world.client("admin", unit="37401", sub="E108")
    assert pointers(await own.post("/units/37401/merge", json=INTO)) == [("/into", "unknown_unit")]
    problem(await world.stranger.post("/units/37401/merge", json={**INTO, "into": "375"}), 404, "not-found")
    await merged(world, into="374")
    await merged(world, "3740101", into="37402")
    await world.stack.settle()
    assert (await world.admin.get("/units/37401")).json()["merged_into"] == "374"


async def test_nobody_is_turned_away_meanwhile(world: World, owner: asyncpg.Connection) -> None:
    """Whoever is of the closed unit is of the other, before its things have moved and after; and what somebody holds
    moves later."""
    visit, other = await world.visit(visitor_ids=["E101"]), await world.visit("37402", visitor_ids=["E201"])
    await merged(world)
    mover = next(each for each in world.stack["visit_api"].workers if isinstance(each, Moving))
    assert (await world.raised(visit["id"]))["unit_code"] == "37401"
    async with owner.transaction():
        await owner.execute("SELECT FROM visits WHERE id = $1 FOR SHARE", visit["id"])  # somebody raises just now
        while await mover.run_once():
            pass
        assert await of(world, f"/visits/{visit['id']}") == "37401"
        (its,) = (await world.admin.get("/units/37401/mergers")).json()["items"]
        assert its["done_at"] is None
    await world.stack.settle()
    assert await of(world, f"/visits/{visit['id']}") == "37402"
    assert (await world.raised(visit["id"]))["unit_code"] == "37402", "by a token that says 37401 still"
    heard = {**COMPLAINT, "heard_by": "E102"}
    assert (await world.visitor.post(f"/visits/{visit['id']}/appeals", json=heard)).status_code == 201
    assert (await world.visitor.get(f"/visits/{other['id']}")).status_code == 200
    phone = Phone(world, world.visitor)
    assert outcomes(await phone.push(phone.item("appeal", visit["id"], type="opinion", summary="好"))) == ["stored"]
    await phone.pull()
    assert phone.ids("visit") == {visit["id"]}


async def test_plans_join_those_of_the_same_period(world: World) -> None:
    customers = [await world.customer() for _ in range(5)]
    ours = await made(world.admin.post("/plans", json={"unit_code": "37401", "period": "2026-10"}))
    year = await made(world.admin.post("/plans", json={"unit_code": "37401", "period": "2026"}))
    theirs = await made(world.admin.post("/plans", json={"unit_code": "37402", "period": "2026-10"}))

    async def item(plan: dict[str, Any], customer: dict[str, Any], due: str) -> str:
        new = {"customer_id": customer["id"], "channel": "phone", "due_from": due, "due_by": due, "reason": "新增"}
        return str((await made(world.admin.post(f"/plans/{plan['id']}/items", json=new)))["id"])

    wanted = [await item(ours, each, "2026-10-20") for each in customers]
    late, of_year = await item(ours, customers[0], "2026-10-08"), await item(year, customers[0], "2026-12-01")
    twin, lapsed, unwanted = [await item(theirs, customers[place], "2026-10-20") for place in (1, 3, 4)]
    # Both plans asked for these by rule; the other's dropped the one again, and somebody the other.
    asked = (
        "UPDATE plan_items SET asked_channel = 'phone', slot = 1, adjusted = id = $2, dropped = id IN ($2, $3)"
        " WHERE id = ANY ($1::uuid[])"
    )
    async with world.runtime.db.connection() as connection:
        await connection.execute(asked, [*wanted[1:2], *wanted[3:], twin, lapsed, unwanted], unwanted, lapsed)
    await merged(world)
    await world.stack.settle()

    async def shown(id: str) -> tuple[str, str, bool]:
        its = (await world.admin.get(f"/plan-items/{id}")).json()
        return its["plan_id"], its["unit_code"], its["dropped"]

    assert [await shown(wanted[place]) for place in (0, 2)] == [(theirs["id"], "37402", False)] * 2
    assert [await shown(wanted[place]) for place in (1, 3)] == [(ours["id"], "37401", True)] * 2
    assert [await shown(its) for its in (twin, lapsed)] == [(theirs["id"], "37402", False)] * 2, "each is wanted once"
    assert await shown(wanted[4]) == (theirs["id"], "37402", False), "nobody said of this one that it is not wanted"
    assert await shown(unwanted) == (theirs["id"], "37402", True)
    assert await shown(late) == (ours["id"], "37401", False), "whose days are over were theirs"
    plan_id, unit_code, _ = await shown(of_year)
    made_for = (await world.admin.get(f"/plans/{plan_id}")).json()
    assert (unit_code, made_for["unit_code"], made_for["period"]) == ("37402", "37402", "2026")


async def test_what_merged_goes_on_with_what_it_merged_into(world: World) -> None:
    await made(world.admin.post("/units", json={"code": "37403", "name": "天桥供电中心", "parent_code": "374"}))
    visit = await world.visit(visitor_ids=["E101"])
    await merged(world)
    await merged(world, "37402", into="37403")
    await settled(world)
    assert await of(world, f"/visits/{visit['id']}") == "37403"
    units = {each["code"]: each for each in (await world.admin.get("/units")).json()["items"]}
    assert [(units[code]["parent_code"], units[code]["merged_into"]) for code in ("37401", "37402")] == [
        ("37403", "37403")
    ] * 2
    assert (await world.raised(visit["id"]))["unit_code"] == "37403"
