"""Files of customers from marketing systems: every good line is stored, every bad one named, and again is the same."""

import asyncio
import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any, get_args

import asyncpg
import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import driver
from chassis.messaging.outbox import Outbox
from chassis.messaging.relay import Relay
from tests.integration.visit_api.world import World, problem
from tests.support.full import fill
from visit_api.customers.models import Kind
from visit_api.imports import mapping, repository
from visit_api.imports.worker import Importing

pytestmark = pytest.mark.usefixtures("told_whole")

Json = dict[str, Any]
PHONE = "13800000000"
OURS = {"customer_no": "0000000011", "name": "王伟", "unit_code": "37401", "address": "泉城路1号", "phone": PHONE}
CODES: dict[str, Json] = {
    "sg186": {"sort": "03", "importance": "", "voltage": "AC02202", "status": "0", "capacity": "8.500000"},
    "sg2": {"sort": "LVR", "importance": "N", "voltage": "0.22", "status": "ACTIVE", "capacity": "8.500000"},
    "csg": {"sort": "3", "importance": "0", "voltage": "01", "status": "1", "capacity": "8.500000"},
    "plain": {"kind": "government"},
}
SUPPLY = {"sort": "low_voltage_resident", "voltage": "220V", "status": "normal", "capacity": "8.500000"}


def row(source: str = "sg186", **fields: Any) -> Json:
    """A customer in the columns of a system."""
    its = {**OURS, "transformer": "0012377836", **CODES[source], **fields}
    return {column: its.get(field, "") for field, column in mapping.source("customers", source).columns.items()}


def as_csv(*rows: Json, encoding: str = "gb18030", end: str = "\r\n", quoting: Any = csv.QUOTE_MINIMAL) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator=end, quoting=quoting)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode(encoding, "surrogateescape")


def as_ndjson(*rows: Json) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


async def send(world: World, data: bytes, media_type: str = "", **query: str) -> httpx.Response:
    headers = {"content-type": media_type} if media_type else {}
    client = world.client("integration", unit="374", sub="marketing")
    return await client.post("/customers/import", content=data, headers=headers, params=query)


async def imported(world: World, data: bytes, media_type: str = "", **query: str) -> Json:
    """An import, read to its end."""
    answer = await send(world, data, media_type, **query)
    assert (answer.status_code, answer.json()["state"]) == (202, "waiting"), answer.text
    await world.stack.settle()
    its: Json = (await world.admin.get(f"/imports/{answer.json()['id']}")).json()
    assert (its["state"], its["position"]) == ("done", its["size"])
    assert its["read"] == its["stored"] + its["same"] + its["bad"]
    return its


async def faults(world: World, its: Json) -> list[tuple[int, str, str]]:
    """Its faults, page by page."""
    found: list[Json] = []
    query: Json = {"limit": 2}
    while True:
        page = (await world.admin.get(f"/imports/{its['id']}/faults", params=query)).json()
        found += page["items"]
        if page["next"] is None:
            return [(each["line"], each["field"], each["reason"]) for each in found]
        query["cursor"] = page["next"]


def counts(its: Json) -> tuple[int, int, int]:
    return its["stored"], its["same"], its["bad"]


async def customers(world: World) -> list[Json]:
    items: list[Json] = (await world.admin.get("/customers", params={"limit": 200})).json()["items"]
    return items


@pytest.mark.parametrize(
    ("source", "data", "media_type", "said"),
    [
        ("sg186", as_csv(row()), "", ("csv", "gb18030")),
        ("sg186", as_csv(row(), encoding="utf-8"), "text/csv; charset=UTF-8", ("csv", "utf-8")),
        ("sg2", as_ndjson(row("sg2")), "application/x-ndjson", ("ndjson", "utf-8")),
        ("csg", as_csv(row("csg"), encoding="utf-8-sig", end="\n", quoting=csv.QUOTE_ALL), "", ("csv", "utf-8")),
    ],
)
async def test_a_customer_is_taken_over_from_each_system(
    world: World, source: str, data: bytes, media_type: str, said: tuple[str, str]
) -> None:
    its = await imported(world, data, media_type)
    assert (its["source"], its["format"], its["encoding"], counts(its)) == (source, *said, (1, 0, 0))
    (customer,) = await customers(world)
    wanted = {"name": "王伟", "unit_code": "37401", "customer_no": "0000000011", "phone": "138****0000"}
    wanted |= {"kind": "other.ordinary", "source": source, "importance": None, "address": "泉城****"}
    assert wanted.items() <= customer.items()
    assert customer["supply"] == {**SUPPLY, "transformer": "0012377836"}
    query = {"reason": "核对联系方式"}
    opened = await world.visitor.get(f"/customers/{customer['id']}/full", params=query)
    assert (opened.json()["phone"], opened.json()["address"]) == (PHONE, "泉城路1号")


async def test_the_same_again_changes_nothing_and_what_changed_is_told(world: World) -> None:
    rows = [row(customer_no=f"00{number}", name=f"客户{number}") for number in range(5)]
    assert counts(await imported(world, as_csv(*rows))) == (5, 0, 0)
    assert counts(await imported(world, as_csv(*rows))) == (0, 5, 0)
    rows[1] = {**rows[1], "CONS_NAME": "改名", "MOBILE": "13911112222", "RRIO_CODE": "01"}
    assert counts(await imported(world, as_csv(*rows))) == (1, 4, 0)
    named = {customer["customer_no"]: customer for customer in await customers(world)}
    its = named["001"]
    assert (its["name"], its["phone"], its["importance"], its["version"]) == ("改名", "139****2222", "special", 2)
    told = [each for each in await world.told() if each.type == "customer.changed.v1"]
    assert len(told) == 6
    assert told[-1].payload is not None
    assert (told[-1].payload["customer_no"], told[-1].payload["kind"], told[-1].payload["version"]) == (
        "001",
        "other",
        2,
    )


async def test_changed_ones_are_written_by_a_plan_for_them_and_new_ones_by_kept_plans(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each new row it would be planned anew how its unit is looked for."""
    modes, store = list[list[str]](), repository.store

    async def watched(tx: AsyncSession, *its: Any) -> None:
        mode = "SHOW plan_cache_mode"
        before = await (await driver(tx)).fetchval(mode)
        await store(tx, *its)
        modes.append([before, await (await driver(tx)).fetchval(mode)])

    monkeypatch.setattr(repository, "store", watched)
    await imported(world, as_csv(row()))
    await imported(world, as_csv(row(address="泉城路2号"), row(customer_no="0000000012")))
    assert modes == [["auto", "auto"], ["force_custom_plan", "auto"]]


async def test_every_bad_line_is_named_and_the_good_ones_are_kept(world: World) -> None:
    good = [row(customer_no=f"01{number}") for number in range(3)]
    taken = row(customer_no="0900")
    assert counts(await imported(world, as_csv(taken))) == (1, 0, 0)
    await world.admin.delete(f"/customers/{(await customers(world))[0]['id']}", headers={"If-Match": "*"})
    dirty = [
        row(name=""),
        row(unit_code="375"),
        row(unit_code="99999"),
        good[0],
        taken,
        row(address="\udcff路"),
        row(address="泉城路\x001号"),
        row(name="=1+1", customer_no="0200"),
    ]
    data = as_csv(good[0], *dirty, *good[1:]) + b'"0000000001,half'
    its = await imported(world, data)
    assert counts(its) == (4, 0, 8)
    assert await faults(world, its) == [
        (2, "CONS_NAME", "missing"),
        (3, "ORG_NO", "unknown_code"),
        (4, "ORG_NO", "unknown_code"),
        (5, "CONS_NO", "duplicate"),
        (6, "CONS_NO", "removed"),
        (7, "ELEC_ADDR", "bad_encoding"),
        (8, "ELEC_ADDR", "control_character"),
        (12, "", "odd_quote"),
    ]
    stored = {customer["customer_no"]: customer["name"] for customer in await customers(world)}
    assert stored == {"010": "王伟", "011": "王伟", "012": "王伟", "0200": "=1+1"}


async def test_another_units_customer_is_not_taken_from_it(world: World) -> None:
    theirs = world.client("integration", unit="375", sub="marketing")
    await theirs.post("/customers/import", content=as_csv(row(unit_code="375")))
    await world.stack.settle()
    (before,) = (await world.stranger.get("/customers")).json()["items"]
    its = await imported(world, as_csv(row(name="他人"), row(customer_no="0002")))
    assert (counts(its), await faults(world, its)) == ((1, 0, 1), [(1, "CONS_NO", "taken")])
    assert [each["customer_no"] for each in await customers(world)] == ["0002"], "the lines around it are stored"
    assert (await world.stranger.get("/customers")).json()["items"] == [before]
    assert (await world.stranger.get(f"/imports/{its['id']}/faults")).status_code == 404


async def test_an_import_that_is_killed_goes_on_where_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row(customer_no=f"{number:04d}") for number in range(7)] + [row(customer_no="0003")]
    its = (await send(world, as_csv(*rows))).json()
    worker = Importing(world.runtime)
    worker.config.batch = 3
    assert await worker.run_once()

    async def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "put", die)
        with pytest.raises(KeyboardInterrupt):
            await worker.run_once()
    half = (await world.admin.get(f"/imports/{its['id']}")).json()
    assert (half["state"], half["read"], half["stored"], len(await customers(world))) == ("waiting", 3, 3, 3)
    both = await asyncio.gather(Importing(world.runtime).run_once(), Importing(world.runtime).run_once())
    assert any(both), "one of two reads it"
    await world.stack.settle()
    done = (await world.admin.get(f"/imports/{its['id']}")).json()
    assert (done["state"], counts(done)) == ("done", (7, 0, 1))
    assert await faults(world, done) == [(8, "CONS_NO", "duplicate")]
    told = [each for each in await world.told() if each.type == "customer.changed.v1"]
    stored = await customers(world)
    assert len(told) == len(stored) == 7
    assert {(each["phone"], each["address"]) for each in stored} == {("138****0000", "泉城****")}, "each is its own's"
    folder: Path = world.runtime.settings.attachments_dir / "imports"  # type: ignore[attr-defined]
    assert not [path for path in folder.iterdir() if path.name != "now"], "what was read is not kept"
    assert await world.rows("SELECT FROM import_numbers") == []


async def test_what_the_database_refuses_is_found_and_the_lines_around_it_are_stored(
    world: World, owner: asyncpg.Connection
) -> None:
    await owner.execute("ALTER TABLE customers ADD CONSTRAINT no_five CHECK (customer_no NOT LIKE '%5')")
    try:
        its = await imported(world, as_csv(*[row(customer_no=f"{number:04d}") for number in range(16)]))
    finally:
        await owner.execute("ALTER TABLE customers DROP CONSTRAINT no_five")
    assert counts(its) == (14, 0, 2)
    assert await faults(world, its) == [(6, "", "refused"), (16, "", "refused")]
    assert len([each for each in await world.told() if each.type == "customer.changed.v1"]) == 14


async def test_a_complaint_is_told_before_the_customers_that_came_before_it(world: World) -> None:
    visit = await world.visit()
    await world.act(visit["id"], "start")
    await world.stack.settle()
    await send(world, as_csv(*[row(customer_no=f"{number:04d}") for number in range(30)]))
    assert await Importing(world.runtime).run_once()
    await world.raised(visit["id"])
    (relay,) = [each for each in world.stack["visit_api"].workers if isinstance(each, Relay)]
    relay.config.part, relay._share = 5, 5
    try:
        assert await relay.run_once()
    finally:
        del relay.config.part
        relay._share = 4000
    waiting = await world.rows("SELECT aggregatetype AS topic, seq FROM outbox WHERE published_at IS NULL ORDER BY seq")
    assert [each["topic"] for each in waiting] == ["customer.changes"] * 25, "in turn, and the complaint was last"
    await world.stack.settle()


@pytest.mark.parametrize(
    ("data", "media_type", "status", "code"),
    [
        (b"", "", 422, "empty"),
        (b"\n \n", "", 422, "empty"),
        (as_csv(row()).partition(b"\n")[0], "", 422, "empty"),
        (b"CONS_NO,CONS_NO\n1,2\n", "", 422, "bad_head"),
        (b"CONS_NO, CONS_NO\n1,2\n", "", 422, "bad_head"),
        (b"CONS_NO,,,ORG_NO\n1,2,3,4\n", "", 422, "bad_head"),
        (b",,\n1,2,3\n", "", 422, "bad_head"),
        (b"a,b\n1,2\n", "", 422, "unknown_source"),
        (b"a,b\n1,2\n", "text/csv?sg186", 422, "columns_missing"),
        (as_csv(row(), encoding="utf-16"), "", 422, "bad_encoding"),
        (as_csv(row()), "text/csv; charset=big5", 415, "unsupported-export"),
        (as_ndjson(row("sg2")), "application/json", 415, "unsupported-export"),
        (b"PK\x03\x04" + b"\x00" * 200, "", 422, "bad_head"),
        (gzip.compress(as_csv(row()), mtime=0), "", 422, "bad_encoding"),  # no bomb goes off
    ],
)
async def test_a_file_of_which_no_line_can_be_read_is_refused(
    world: World, data: bytes, media_type: str, status: int, code: str
) -> None:
    media_type, _, source = media_type.partition("?")
    answer = await send(world, data, media_type, **({"source": source} if source else {}))
    its = problem(answer, status, code if status == 415 else "unprocessable")
    assert status == 415 or [error["code"] for error in its["errors"]] == [code]
    assert (await world.admin.get("/imports")).json()["items"] == []
    folder: Path = world.runtime.settings.attachments_dir / "imports"  # type: ignore[attr-defined]
    assert not list(folder.glob("*.new"))


@pytest.mark.parametrize("quota", [False, True])
async def test_where_no_room_is_left_nothing_half_stays_and_the_caller_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch, quota: bool
) -> None:
    data = as_csv(*[row(customer_no=f"{number:010}") for number in range(20_000)])
    assert len(data) > 1 << 20, "more than is written at once"
    fill(monkeypatch, quota)
    answer = await send(world, data)
    problem(answer, 503, "storage-full")
    assert int(answer.headers["retry-after"]) >= 60, "not at once again: it is much, and the disk is full"
    monkeypatch.undo()
    folder: Path = world.runtime.settings.attachments_dir / "imports"  # type: ignore[attr-defined]
    assert not list(folder.glob("*.new"))
    assert (await world.admin.get("/imports")).json()["items"] == []
    assert (await send(world, data)).status_code == 202


_HEAD = "CONS_NO,CONS_NAME,ORG_NO"


@pytest.mark.parametrize(
    "data",
    [
        "CONS_NO,CONS_NAME, ORG_NO\n0011,王伟,37401\n".encode(),
        '\u3000CONS_NO\u3000," CONS_NAME",ORG_NO \r\n0011,王伟,37401\r\n'.encode("gb18030"),
        f"{_HEAD},,\n0011,王伟,37401,,\n".encode(),
        f"{_HEAD},备注, ,\n0011,王伟,37401,,x,\n".encode(),
        b"\x84\x31\x95\x33" + f"{_HEAD}\n0011,王伟,37401\n".encode("gb18030"),
        b"\x84\x31\x95\x33" + f"{_HEAD}\n0011,Wang,37401\n".encode("gb18030"),
    ],
)
async def test_a_head_is_read_as_spreadsheets_write_it(world: World, data: bytes) -> None:
    its = await imported(world, data)
    assert (its["source"], counts(its), its["ignored"]) == ("sg186", (1, 0, 0), ["备注"] * ("备注".encode() in data))
    (customer,) = await customers(world)
    assert (customer["customer_no"], customer["unit_code"]) == ("0011", "37401")


async def test_our_own_names_and_kinds(world: World) -> None:
    its = await imported(world, as_ndjson(row("plain"), row("plain", customer_no="2", kind="")), kind="key_project")
    assert (its["source"], counts(its)) == ("plain", (2, 0, 0))
    assert sorted(customer["kind"] for customer in await customers(world)) == ["government", "key_project"]


@pytest.mark.clause("3.2", "4.4.3")
async def test_our_own_names_tell_every_kind_and_how_important_somebody_is(world: World) -> None:
    kinds = [*get_args(Kind)]
    rows = [row("plain", customer_no=f"0{number}", kind=kind) for number, kind in enumerate(kinds)]
    rows += [
        row("plain", customer_no=f"1{number}", kind=kind, importance=said)
        for number, (kind, said) in enumerate((("government", "特级"), ("other.ordinary", "first"), ("", "none")))
    ]
    its = await imported(world, as_csv(*rows))
    assert (its["source"], counts(its), its["ignored"]) == ("plain", (len(rows), 0, 0), [])
    told = {each["customer_no"]: (each["kind"], each["importance"]) for each in await customers(world)}
    assert [told[f"0{number}"] for number in range(len(kinds))] == [(kind, None) for kind in kinds]
    assert [told[f"1{number}"] for number in range(3)] == [
        ("government", "special"),
        ("other.important", "first"),
        ("other.ordinary", None),
    ]
    wrong = await imported(world, as_ndjson(row("plain", importance="甲级")))
    assert await faults(world, wrong) == [(1, "importance", "unknown_code")]


@pytest.mark.parametrize("source", mapping.SOURCES)
async def test_columns_of_which_nothing_is_taken_are_named(world: World, source: mapping.SourceName) -> None:
    more = {"备注": "x", "odd\tname": "y", "L" * 70: ""}
    shown = ["备注", "odd\\tname", "L" * 64]
    its = await imported(world, as_csv({**row(source), **more}), source=source)
    assert (its["ignored"], counts(its)) == (shown, (1, 0, 0))
    lines = [row(source, customer_no="2"), {**row(source, customer_no="3"), **more}, {**row(source), "nul\x00": "z"}]
    its = await imported(world, as_ndjson(*lines), source=source)
    assert sorted(its["ignored"]) == sorted([*shown, "nul\\x00"])
    assert counts(its)[2] == 0
    many = {f"c{number}": "" for number in range(80)}
    assert len((await imported(world, as_ndjson({**row(source), **many}), source=source))["ignored"]) == 50
