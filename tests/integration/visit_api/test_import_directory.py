"""Files of units and of staff: in any order, told as any change is, and every bad line named."""

import threading
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from chassis.outage import Outage
from chassis.vault import KeysUnusable
from tests.integration.visit_api.test_imports import Json, as_csv, as_ndjson, counts, faults
from tests.integration.visit_api.world import World
from visit_api.imports import files, mapping, of_units, storing
from visit_api.imports.mapping import Thing
from visit_api.imports.worker import Importing

pytestmark = pytest.mark.usefixtures("told_whole")


def line(thing: Thing, source: str = "plain", **fields: str) -> Json:
    """A unit or somebody in the columns of a system."""
    return {column: fields.get(field, "") for field, column in mapping.source(thing, source).columns.items()}


async def sent(world: World, thing: Thing, data: bytes, unit: str = "374", **query: Any) -> Json:
    client = world.client("integration", unit=unit, sub="marketing")
    answer = await client.post(f"/{thing}/import", content=data, params=query)
    assert (answer.status_code, answer.json()["thing"]) == (202, thing), answer.text
    its: Json = answer.json()
    return its


async def imported(world: World, thing: Thing, data: bytes, unit: str = "374", **query: Any) -> Json:
    id_ = (await sent(world, thing, data, unit, **query))["id"]
    await world.stack.settle()
    its: Json = (await world.client("admin", unit=unit).get(f"/imports/{id_}")).json()
    assert its["state"] == "done"
    assert its["read"] == its["stored"] + its["same"] + its["bad"]
    return its


def unit(code: str, parent_code: str, name: str = "供电所", source: str = "plain") -> Json:
    return line("units", source, code=code, name=name, parent_code=parent_code)


@pytest.mark.parametrize("source", mapping.SOURCES)
async def test_units_come_in_any_order_and_again(world: World, source: str) -> None:
    new = [unit("3740101", "374010", source=source), unit("374010", "37401", source=source)]
    its = await imported(world, "units", as_csv(*new, encoding="gb18030"))
    assert (its["source"], counts(its)) == (source, (2, 0, 0))
    before = len(await world.told())
    moved = [new[0], unit("374010", "37402", "营业厅", source)]
    assert counts(await imported(world, "units", as_csv(*moved))) == (1, 1, 0)
    its = (await world.admin.get("/units/374010")).json()
    assert (its["parent_code"], its["name"], its["version"]) == ("37402", "营业厅", 2)
    (told,) = (await world.told())[before:]
    assert told.payload is not None
    assert (told.type, told.payload["parent_code"], told.payload["version"]) == (
        "directory.unit_changed.v1",
        "37402",
        2,
    )
    again = await world.admin.post("/units", json={"code": "3740101", "name": "供电所", "parent_code": "374010"})
    assert again.status_code == 201, "the same, made by hand, is known again"


async def test_every_unit_that_cannot_be_made_is_named(world: World) -> None:
    rows = [
        unit("a", "b"),
        unit("b", "a"),
        unit("375", "374"),
        unit("c", "99999"),
        unit("d", "37401"),
        unit("d", "37402"),
        unit("e/f", "37401"),
        unit("g", "37401", ""),
    ]
    its = await imported(world, "units", as_csv(*rows))
    assert counts(its) == (1, 0, 7)
    assert await faults(world, its) == [
        (1, "parent_code", "cycle"),
        (2, "parent_code", "cycle"),
        (3, "code", "taken"),
        (4, "parent_code", "unknown_parent"),
        (6, "code", "duplicate"),
        (7, "code", "bad_code"),
        (8, "name", "missing"),
    ]
    assert await world.rows("SELECT FROM import_units") == []


async def test_units_that_were_laid_aside_wait_for_a_crash_to_be_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    its = await sent(world, "units", as_csv(*[unit(f"u{n}", f"u{n + 1}" if n < 4 else "37401") for n in range(5)]))
    worker = Importing(world.runtime)
    worker.config.batch = 2
    assert await worker.run_once()
    assert len(await world.rows("SELECT FROM import_units")) == 2
    monkeypatch.setattr("visit_api.imports.of_units._MOST", 2)
    await world.stack.settle()
    done = (await world.admin.get(f"/imports/{its['id']}")).json()
    assert (done["state"], done["read"], counts(done)) == ("done", 5, (5, 0, 0))
    assert (await world.admin.get("/units/u0")).json()["parent_code"] == "u1"


async def test_any_number_of_units_is_refused_at_once_and_beside_the_loop(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, threads = of_units.order, []

    def ordered(*its: Any) -> Any:
        threads.append(threading.current_thread())
        return order(*its)

    monkeypatch.setattr(of_units, "order", ordered)
    its = await sent(world, "units", as_csv(unit("u0", "37401")))
    aside = "INSERT INTO import_units SELECT $1, n, 'u' || n, '供电所', 'nowhere' FROM generate_series(10, 33000) AS n"
    await world.rows(aside, UUID(its["id"]))
    await world.stack.settle()
    done = (await world.admin.get(f"/imports/{its['id']}")).json()
    assert (done["state"], counts(done)) == ("done", (1, 0, 32991))
    assert threading.main_thread() not in threads


async def test_units_that_the_database_refuses_together_end_their_import(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object) -> None:
        raise asyncpg.DataError

    monkeypatch.setattr(of_units, "settle", refused)
    its = await sent(world, "units", as_csv(unit("u0", "37401")))
    worker = Importing(world.runtime)
    worker.config.batch = 1
    for _ in range(2):  # the line, and what was laid aside
        await worker.run_once()
    done = (await world.admin.get(f"/imports/{its['id']}")).json()
    assert (done["state"], await faults(world, done)) == ("failed", [(0, "", "broken")])


async def test_a_fault_of_ours_ends_one_import_and_holds_up_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    async def unreadable(*_: object) -> None:
        raise KeysUnusable

    monkeypatch.setitem(storing._TAKES, "units", broken)
    bad, good = (
        await sent(world, "units", as_csv(unit("u0", "37401"))),
        await sent(world, "staff", as_csv(member("007"))),
    )
    with monkeypatch.context() as patch:
        patch.setitem(storing._TAKES, "units", unreadable)
        with pytest.raises(Outage):
            await Importing(world.runtime).run_once()
    assert (await world.admin.get(f"/imports/{bad['id']}")).json()["state"] == "waiting", "for the file of keys"
    await world.stack.settle()
    first, second = [(await world.admin.get(f"/imports/{each['id']}")).json() for each in (bad, good)]
    assert (first["state"], first["read"], await faults(world, first)) == ("failed", 0, [(0, "", "broken")])
    assert (second["state"], counts(second)) == ("done", (1, 0, 0))
    folder = files.folder_of(world.runtime)
    assert not (folder / bad["id"]).exists()


def member(staff_no: str, source: str = "plain", **fields: str) -> Json:
    its = {"name": "张三", "unit_code": "37401", "phone": "13812340000", "email": "z@example.com", "post": "客户经理"}
    return line("staff", source, staff_no=staff_no, **{**its, **fields})


@pytest.mark.parametrize("source", mapping.SOURCES)
async def test_staff_are_taken_over_from_each_system(world: World, source: str) -> None:
    rows = [member("007", source), member("E101", source, name="李四")]
    its = await imported(world, "staff", as_csv(*rows), role=["handler", "visitor"])
    assert (its["source"], counts(its)) == (source, (2, 0, 0))
    new = (await world.admin.get("/staff/007")).json()
    wanted = {"name": "张三", "unit_code": "37401", "email": "z@example.com", "post": "客户经理", "active": True}
    assert {**new, **wanted, "roles": ["handler", "visitor"], "version": 1} == new
    contact = (await world.service.get("/staff/007/contact")).json()
    assert (contact["phone"], contact["email"]) == ("13812340000", "z@example.com")
    assert await world.rows("SELECT 1 FROM staff WHERE phone IS NOT NULL OR email IS NOT NULL") == []
    known = (await world.admin.get("/staff/E101")).json()
    assert (known["name"], known["roles"], known["version"]) == ("李四", ["visitor"], 2)
    told = [each.payload for each in await world.told() if each.type == "directory.staff_changed.v1"][-2:]
    assert [(each["staff_no"], each["roles"]) for each in told if each] == [
        ("007", ["handler", "visitor"]),
        ("E101", ["visitor"]),
    ]
    assert counts(await imported(world, "staff", as_csv(*rows))) == (0, 2, 0)
    left = {"sg186": "02", "sg2": "LEFT", "csg": "2", "plain": "false"}[source]
    assert counts(await imported(world, "staff", as_csv(member("007", source, active=left)))) == (1, 0, 0)
    assert (await world.admin.get("/staff/007")).json()["active"] is False


async def test_what_a_file_does_not_say_of_staff_stays(world: World) -> None:
    assert counts(await imported(world, "staff", as_csv(member("007", roles="handler;callback")))) == (1, 0, 0)
    short = {"staff_no": "007", "name": "张三丰", "unit_code": "37402"}
    assert counts(await imported(world, "staff", as_ndjson(short))) == (1, 0, 0)
    its = (await world.admin.get("/staff/007")).json()
    assert (its["name"], its["unit_code"], its["post"]) == ("张三丰", "37402", "客户经理")
    assert its["roles"] == ["callback", "handler"]


async def test_every_line_of_staff_that_is_not_taken_is_named(world: World) -> None:
    await imported(world, "staff", as_csv(member("E900", unit_code="375")), unit="375")
    rows = [
        member("E900"),
        member("1", unit_code="375"),
        member("2", roles="boss"),
        member("3", email="nowhere"),
        member("4", phone="138****0000"),
        member("5"),
        member("5", name="李四"),
    ]
    its = await imported(world, "staff", as_csv(*rows))
    assert counts(its) == (1, 0, 6)
    assert await faults(world, its) == [
        (1, "staff_no", "taken"),
        (2, "unit_code", "unknown_code"),
        (3, "roles", "unknown_code"),
        (4, "email", "bad_email"),
        (5, "phone", "masked"),
        (7, "staff_no", "duplicate"),
    ]
    assert (await world.visitor.post("/staff/import", content=as_csv(*rows))).status_code == 403
