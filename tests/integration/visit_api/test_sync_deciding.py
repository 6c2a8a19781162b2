"""Where a device and the record contradict each other, or two records may be one, a person decides; nothing is lost."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest

from tests.integration.visit_api.phone import NEEDS, Phone, outcomes
from tests.integration.visit_api.world import APPOINTMENT, World, made, problem, waits
from tests.support.eventually import eventually


@pytest.fixture
def phone(world: World) -> Phone:
    return Phone(world, world.visitor)


@pytest.fixture
def supervisor(world: World) -> httpx.AsyncClient:
    return world.client("supervisor", unit="37401", sub="E109")


async def conflict(phone: Phone, item: dict[str, Any]) -> str:
    (answer,) = await phone.push(item)
    assert answer["outcome"] == "conflict", answer
    its: str = answer["conflict_id"]
    return its


async def resolve(client: httpx.AsyncClient, its: str, keep: str, **fields: str) -> dict[str, Any]:
    answer = await client.post(f"/sync/conflicts/{its}/resolve", json={"keep": keep, **fields})
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    assert (result["state"], result["keep"]) == ("resolved", keep)
    return result


async def test_a_conflict_shows_both_versions_and_is_decided_by_a_person(
    world: World, phone: Phone, supervisor: httpx.AsyncClient
) -> None:
    visit = await world.visit(visitor_ids=["E101"])
    at = {"at": "2026-10-09T09:30:00+08:00"}
    assert (await world.admin.post(f"/visits/{visit['id']}/start", json=at)).status_code == 200
    start = phone.item("start", visit["id"], ago=60)
    its = await conflict(phone, start)
    assert await conflict(phone, start) == its, "brought again, it is the same"
    shown = (await supervisor.get(f"/sync/conflicts/{its}")).json()
    assert (shown["kind"], shown["problem"], shown["brought_by"]) == ("start", "visit-act-refused", "E101")
    assert shown["server_version"]["started_at"] == "2026-10-09T01:30:00Z"
    assert shown["device_version"]["id"] == start["id"]
    assert shown["at"] == "2026-10-09T01:59:00Z"
    open_ones = (await supervisor.get("/sync/conflicts", params={"state": "open"})).json()["items"]
    assert [each["id"] for each in open_ones] == [its]
    (sealed,) = await world.rows("SELECT device_sealed FROM sync_conflicts")
    assert start["id"].encode() not in sealed["device_sealed"]

    assert (await world.visitor.post(f"/sync/conflicts/{its}/resolve", json={"keep": "device"})).status_code == 403
    decided = await resolve(supervisor, its, "device", reason="以现场终端为准")
    assert (decided["resolved_by"], decided["server_version"]["started_at"]) == ("E109", "2026-10-09T01:30:00Z")
    assert (await world.admin.get(f"/visits/{visit['id']}")).json()["started_at"] == "2026-10-09T01:59:00Z"
    told = [event for event in await world.told() if event.type == "visit.started.v1"]
    assert [event.payload and event.payload["at"] for event in told] == ["2026-10-09T01:30:00Z", "2026-10-09T01:59:00Z"]
    await resolve(supervisor, its, "device")
    problem(
        await supervisor.post(f"/sync/conflicts/{its}/resolve", json={"keep": "server"}), 409, "sync-conflict-resolved"
    )
    assert outcomes(await phone.push(start)) == ["same"]
    (line,) = (await world.admin.get("/trail", params={"thing": "sync_conflict"})).json()["items"]
    assert (line["act"], line["by"], line["reason"]) == ("sync.kept_device", "E109", "以现场终端为准")


async def test_other_content_under_one_id_is_kept_beside(
    world: World, phone: Phone, supervisor: httpx.AsyncClient
) -> None:
    visit = await world.visit(visitor_ids=["E101"])
    step = phone.item("step", visit["id"], content=NEEDS)
    appeal = phone.item("appeal", visit["id"], type="complaint", summary="停电", confidential=True)
    photo = phone.item("attachment", visit["id"], name="a.png", kind="photo", size=9, sha256="0" * 64)
    assert set(outcomes(await phone.push(phone.item("start", visit["id"], ago=9), step, appeal, photo))) == {"stored"}
    nothing = {**step, "body": {"content": {"kind": "needs", "needs": []}}}
    worse = {**appeal, "body": {"type": "complaint", "summary": "天天停电", "confidential": True}}
    other = {**photo, "body": {**photo["body"], "sha256": "1" * 64}}
    found = [await conflict(phone, each) for each in (nothing, worse, other)]
    colleague = world.client("visitor", unit="37401", sub="E102")
    seen = (await colleague.get("/sync/conflicts")).json()["items"]
    assert [each["id"] for each in seen] == [found[0], found[2]], "what was said in confidence is not for everybody"
    assert (await colleague.get(f"/sync/conflicts/{found[1]}")).status_code == 404
    problem(await supervisor.get(f"/sync/conflicts/{found[1]}"), 404, "not-found")
    above = world.client("supervisor", unit="374", sub="E209")
    for each, who in zip(found, (supervisor, above, supervisor), strict=True):
        assert (await resolve(who, each, "device"))["made_id"] == each
    read = (await world.admin.get("/trail", params={"thing": "sync_conflict"})).json()["items"]
    assert [(each["by"], each["thing_id"]) for each in read if each["act"] == "appeal.read"] == [("E209", found[1])]
    steps = (await world.visitor.get(f"/visits/{visit['id']}/steps")).json()["items"]
    assert {each["id"]: each["superseded_by"] for each in steps} == {step["id"]: found[0], found[0]: None}
    appeals = (await world.visitor.get(f"/visits/{visit['id']}/appeals")).json()["items"]
    assert {each["id"]: each["summary"] for each in appeals} == {appeal["id"]: "停电", found[1]: "天天停电"}
    assert {each["raised_by"] for each in appeals} == {"E101"}
    (answer,) = await phone.push(other)
    assert (answer["outcome"], answer["thing_id"]) == ("same", found[2]), "its bytes go there"


@pytest.mark.clause("8.1.4", "002 6.4.5.5")
async def test_where_nobody_stands_above_its_own_decide_what_was_said_in_confidence(world: World) -> None:
    visit, phone = await world.visit("374"), Phone(world, world.client("visitor", unit="374", sub="E101"))
    quiet = phone.item("appeal", visit["id"], type="complaint", summary="停电", anonymous=True)
    assert outcomes(await phone.push(quiet)) == ["stored"]
    its = await conflict(phone, {**quiet, "body": {**quiet["body"], "summary": "天天停电"}})
    supervisor, other = (world.client("supervisor", unit="374", sub=sub) for sub in ("E109", "E110"))
    assert (await supervisor.get(f"/visits/{visit['id']}/appeals")).json()["items"] == []
    assert (await supervisor.get("/sync/items")).json()["items"] == [], "nothing else of it"

    async def seen(client: httpx.AsyncClient) -> tuple[list[str], int]:
        listed = (await client.get("/sync/conflicts")).json()["items"]
        return [each["id"] for each in listed], (await client.get(f"/sync/conflicts/{its}")).status_code

    for role in ("admin", "auditor", "handler"):
        assert await seen(world.client(role, unit="374", sub="E111")) == ([], 404), role
    assert await seen(supervisor) == await seen(other) == ([its], 200)
    decided = await resolve(supervisor, its, "server", reason="已向李某核实")
    assert decided["device_version"]["body"]["summary"] == "天天停电"
    assert await resolve(supervisor, its, "server") == decided, "whoever decided is answered again"
    assert await seen(other) == ([], 404), "there is nothing more to decide"
    trail = await world.rows("SELECT by, reason FROM trail WHERE act = 'sync.kept_server'")
    assert [tuple(line) for line in trail] == [("E109", None)], "whoever audits the unit may be whom it is about"


@pytest.mark.clause("8.1.4", "002 6.4.5.5")
async def test_who_pushes_the_id_of_a_hidden_appeal_is_shown_nothing_of_it(world: World) -> None:
    visit = await world.visit("374")
    heard, other = (Phone(world, world.client("supervisor", unit="374", sub=sub)) for sub in ("E101", "E109"))
    quiet = heard.item("appeal", visit["id"], type="complaint", summary="停电", confidential=True)
    assert outcomes(await heard.push(quiet)) == ["stored"]
    (answer,) = await other.push({**quiet, "body": {"type": "opinion", "summary": "好"}})
    assert (answer["outcome"], answer["problem"]["type"]) == ("refused", "/problems/appeal-taken")
    assert await world.rows("SELECT 1 FROM sync_conflicts") == []


async def test_a_visit_that_was_called_off_and_made_all_the_same(
    world: World, phone: Phone, supervisor: httpx.AsyncClient
) -> None:
    visit = await world.visit(visitor_ids=["E101"])
    await world.act(visit["id"], "cancel")
    start, step = phone.item("start", visit["id"], ago=60), phone.item("step", visit["id"], ago=30, content=NEEDS)
    begun, done = await conflict(phone, start), await conflict(phone, step)
    # What a customer said is stored whatever becomes of the visit.
    assert outcomes(await phone.push(phone.item("appeal", visit["id"], type="opinion", summary="好"))) == ["stored"]
    refusal = await supervisor.post(f"/sync/conflicts/{done}/resolve", json={"keep": "device"})
    problem(refusal, 409, "visit-act-refused")
    made = (await resolve(supervisor, begun, "device"))["made_id"]
    await resolve(supervisor, done, "device")
    assert outcomes(await phone.push(phone.item("completion", visit["id"]))) == ["stored"]
    shown = (await world.visitor.get(f"/visits/{made}")).json()
    assert (shown["state"], shown["started_at"], shown["customer_id"]) == (
        "completed",
        "2026-10-09T01:59:00Z",
        visit["customer_id"],
    )
    assert [each["id"] for each in (await world.visitor.get(f"/visits/{made}/steps")).json()["items"]] == [step["id"]]
    assert (await world.visitor.get(f"/visits/{visit['id']}")).json()["state"] == "cancelled"


async def test_what_is_too_early_is_refused_and_what_is_prepared_otherwise_asked(
    world: World, phone: Phone, supervisor: httpx.AsyncClient
) -> None:
    visit = await world.visit(visitor_ids=["E101"])
    step = phone.item("step", visit["id"], content=NEEDS)
    (answer,) = await phone.push(step)
    assert (answer["outcome"], answer["problem"]["state"]) == ("refused", "planned")
    await world.prepare(visit["id"])
    kit = phone.item("preparation", visit["id"], kit=[{"item": "recorder", "ready": "no", "note": "损坏"}])
    its = await conflict(phone, kit)
    await resolve(supervisor, its, "device")
    prepared = (await world.visitor.get(f"/visits/{visit['id']}/preparation")).json()
    assert [each["item"] for each in prepared["kit"] if each["ready"]] == ["recorder"]
    assert outcomes(await phone.push(step, phone.item("start", visit["id"]))) == ["stored", "stored"]
    plan = {**phone.item("visit"), "id": visit["id"]}
    plan["body"] = {"customer_id": visit["customer_id"], "channel": "phone", "scheduled_at": visit["scheduled_at"]}
    its = await conflict(phone, plan)
    problem(await supervisor.post(f"/sync/conflicts/{its}/resolve", json={"keep": "device"}), 409, "visit-act-refused")
    await resolve(supervisor, its, "server")
    assert (await world.visitor.get(f"/visits/{visit['id']}")).json()["channel"] == "on_site"


@pytest.mark.clause("6.1.3.1")
async def test_a_call_that_was_made_on_site_all_the_same_is_kept_without_a_place(
    world: World, phone: Phone, supervisor: httpx.AsyncClient
) -> None:
    call = await world.visit(channel="phone", visitor_ids=["E101"])
    none = {name: value for name, value in APPOINTMENT.items() if name != "place"}
    await made(world.visitor.post(f"/visits/{call['id']}/appointment", json=none))
    plan = {"customer_id": call["customer_id"], "channel": "on_site", "scheduled_at": call["scheduled_at"]}
    its = await conflict(phone, {**phone.item("visit", **plan), "id": call["id"]})
    await resolve(supervisor, its, "device")
    assert (await world.visitor.get(f"/visits/{call['id']}")).json()["channel"] == "on_site"
    await world.act(call["id"], "cancel")
    beside = (await resolve(supervisor, await conflict(phone, phone.item("start", call["id"])), "device"))["made_id"]
    agreed = (await world.visitor.get(f"/visits/{beside}/appointment/history")).json()["items"]
    assert [(each["kind"], each["place"]) for each in agreed] == [("agreed", None)]


async def test_two_records_of_one_visit_are_suspected_and_merged_by_a_person(
    world: World, phone: Phone, supervisor: httpx.AsyncClient
) -> None:
    customer = await world.customer()
    other = Phone(world, world.client("visitor", unit="37401", sub="E102"), name="P-2")
    visits = []
    for each, channel, hour in ((phone, "on_site", "08"), (other, "on_site", "23"), (other, "phone", "09")):
        body = {"customer_id": customer["id"], "channel": channel, "scheduled_at": f"2026-10-09T{hour}:00:00+08:00"}
        visits.append(each.item("visit", **body))
        assert outcomes(await each.push(visits[-1], each.item("start", visits[-1]["id"]))) == ["stored"] * 2
    first, second = visits[0]["id"], visits[1]["id"]
    (suspicion,) = (await supervisor.get("/sync/suspicions", params={"state": "open"})).json()["items"]
    assert (suspicion["first_id"], suspicion["second_id"], suspicion["day"]) == (first, second, "2026-10-09")
    path, counts = f"/sync/suspicions/{suspicion['id']}", {"from": "2026-10-01", "to": "2026-10-31"}
    assert (await supervisor.post(f"{path}/merge", json={"kept": visits[2]["id"]})).status_code == 422
    before = (await supervisor.get("/analysis", params=counts)).json()["items"]
    merged = await supervisor.post(f"{path}/merge", json={"kept": first, "reason": "同一次走访"})
    assert (merged.json()["state"], merged.json()["kept"], merged.json()["decided_by"]) == ("merged", first, "E109")
    shown = (await supervisor.get(f"/visits/{second}")).json()
    assert (shown["double_of"], shown["state"]) == (first, "in_progress"), "it stays, with all that is on it"

    def on_site(items: list[dict[str, Any]]) -> int:
        return sum(each["count"] for each in items if (each["figure"], each["of"]) == ("visits_by_channel", "on_site"))

    assert on_site(before) - on_site((await supervisor.get("/analysis", params=counts)).json()["items"]) == 1
    apart = await supervisor.post(f"{path}/different", json={})
    assert apart.json()["state"] == "different"
    assert (await supervisor.get(f"/visits/{second}")).json()["double_of"] is None
    acts = (await world.admin.get("/trail", params={"thing": "sync_suspicion"})).json()["items"]
    assert [each["act"] for each in acts] == ["sync.merged", "sync.different"]


@pytest.mark.clause("7.2.6")
async def test_what_was_decided_of_two_records_is_in_the_archive_of_each_also_afterwards(
    world: World, phone: Phone, supervisor: httpx.AsyncClient
) -> None:
    customer, visits = await world.customer(), list[str]()
    for hour in ("08", "09"):
        body = {"customer_id": customer["id"], "channel": "phone", "scheduled_at": f"2026-10-09T{hour}:00:00+08:00"}
        visits.append((its := phone.item("visit", **body))["id"])
        assert outcomes(await phone.push(its, phone.item("start", its["id"]))) == ["stored"] * 2
    kept, double = visits
    await world.act(double, "complete", "archive")
    (suspicion,) = (await supervisor.get("/sync/suspicions")).json()["items"]
    path = f"/sync/suspicions/{suspicion['id']}"

    async def said(visit_id: str) -> list[dict[str, Any]]:
        await world.stack.settle()
        archive = (await supervisor.get(f"/archive/{visit_id}")).json()
        records = [each["record"] for each in (archive["record"], *archive["supplements"])]
        return [line for record in records for line in record.get("doubles", [])]

    merged = {"state": "merged", "reason": "同一次走访", "decided_by": "E109"}
    assert (await supervisor.post(f"{path}/merge", json={"kept": kept, "reason": "同一次走访"})).status_code == 200
    await world.act(kept, "complete", "archive")
    for visit_id, other, counts in ((double, kept, False), (kept, double, True)):
        (line,) = await said(visit_id)
        assert line.items() >= {**merged, "other_id": other, "counts": counts}.items()
    assert (await supervisor.post(f"{path}/different", json={"reason": "上下午各一次"})).status_code == 200
    for visit_id in visits:
        (_, line) = await said(visit_id)
        assert (line["state"], line["counts"], line["reason"]) == ("different", True, "上下午各一次")
    page = (await supervisor.get(f"/archive/{double}", headers={"Accept": "text/html"})).text
    assert [each for each in ("重复记录的认定", "同一次走访", "上下午各一次", kept) if each not in page] == []


@pytest.mark.clause("7.2.6")
async def test_what_is_contradicted_is_not_archived_before_somebody_decided(
    world: World, phone: Phone, supervisor: httpx.AsyncClient
) -> None:
    visit = await world.visit(visitor_ids=["E101"])
    path = f"/visits/{visit['id']}/archive"
    await phone.push(phone.item("start", visit["id"], ago=90), phone.item("completion", visit["id"], ago=5))
    its = await conflict(phone, phone.item("completion", visit["id"], ago=1))
    missing = (await supervisor.post(path, json={})).json()["missing"]
    assert missing == [{"clause": "7.2.6", "what": f"conflict_resolved:{its}"}]
    await resolve(supervisor, its, "server")
    assert (await supervisor.post(path, json={})).status_code == 200
    record = (await supervisor.get(f"/archive/{visit['id']}")).json()["record"]["record"]["devices"]
    assert [(each["kind"], each["clock"], each["outcome"]) for each in record] == [
        ("start", "as_said", "stored"),
        ("completion", "as_said", "stored"),
        ("completion", "as_said", "conflict"),
    ]
    assert (record[2]["conflict"]["keep"], record[2]["conflict"]["resolved_by"]) == ("server", "E109")


async def test_whoever_makes_a_visit_is_held_before_it(
    world: World, phone: Phone, supervisor: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """As whoever hands their work over holds them, and then their visits: neither waits for the other."""
    visit = await world.visit(visitor_ids=["E101"])
    await world.act(visit["id"], "cancel")
    its = await conflict(phone, phone.item("start", visit["id"], ago=60))
    async with owner.transaction():
        await owner.execute("SELECT FROM staff WHERE staff_no = 'E101' FOR NO KEY UPDATE")
        resolving = asyncio.create_task(resolve(supervisor, its, "device"))
        await eventually(lambda: waits(owner))
        await owner.execute("SELECT FROM visits WHERE id = $1 FOR UPDATE NOWAIT", visit["id"])
    assert (await resolving)["made_id"] == its


async def test_two_visits_planned_at_desks_may_be_one_too(world: World, supervisor: httpx.AsyncClient) -> None:
    customer = await world.customer()

    async def planned(hour: int, **fields: Any) -> str:
        new = {"customer_id": customer["id"], "channel": "phone", "scheduled_at": f"2026-10-09T{hour:02}:00:00+08:00"}
        return str((await made(world.admin.post("/visits", json={**new, **fields})))["id"])

    first, second = await planned(8), await planned(23)
    off = await planned(9)
    await world.act(off, "cancel")
    await planned(10, channel="on_site")
    await planned(9, scheduled_at="2026-10-10T00:00:00+08:00")

    async def suspected() -> bool:
        await world.stack.settle()
        return (await supervisor.get("/sync/suspicions")).json()["items"] != []

    await eventually(suspected)
    (its,) = (await supervisor.get("/sync/suspicions", params={"state": "open"})).json()["items"]
    assert ({its["first_id"], its["second_id"]}, its["day"]) == ({first, second}, "2026-10-09")
    different = await supervisor.post(f"/sync/suspicions/{its['id']}/different", json={"reason": "上下午各一次"})
    assert different.status_code == 200, different.text
    await world.act(first, "start")
    await world.stack.settle()
    assert len((await supervisor.get("/sync/suspicions")).json()["items"]) == 1, "what was decided stands"
