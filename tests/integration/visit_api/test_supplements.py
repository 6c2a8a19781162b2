"""What comes of a visit after its archive becomes a supplement by itself, with its cause; nothing of it is lost."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from chassis import migrate
from chassis.vault import KeysUnusable
from tests.integration.visit_api.phone import NEEDS, Phone, outcomes
from tests.integration.visit_api.test_archive import closed, ended, entries
from tests.integration.visit_api.test_archive_export import with_file
from tests.integration.visit_api.test_attachments import begun, completed, put
from tests.integration.visit_api.test_chain import verified
from tests.integration.visit_api.test_online import group
from tests.integration.visit_api.test_sync_deciding import conflict, resolve
from tests.integration.visit_api.world import World, made, problem, waits
from tests.support import samples
from tests.support.databases import Databases
from tests.support.eventually import eventually
from visit_api.archive import supplementing
from visit_api.archive.entering import opened
from visit_api.archive.worker import Supplementing

BEFORE = "2026-10-09T09:58:00+08:00"  # before the archive
CALLED = {"kind": "missed_call", "called_at": BEFORE}
OLDER = """
INSERT INTO units (id, code, name, version, content_digest, updated_at)
VALUES (gen_random_uuid(), '1', '', 1, '', now());
INSERT INTO customers (id, name, kind, unit_code, accounts, version, content_digest, updated_at)
VALUES ('{customer}', '', 'other.important', '1', '{{}}', 1, '', now());
INSERT INTO visits (id, customer_id, unit_code, channel, direction, form, state, scheduled_at, visitor_ids, preparation,
                    archived_at, version, content_digest, updated_at)
VALUES ('{visit}', '{customer}', '1', 'online', 'outbound', 'ordinary', 'archived', now(), '{{}}', '{{}}',
        now() - interval '1 hour', 1, '', now());
INSERT INTO online_groups (id, unit_code, platform, kind, name, customer_ids, version, content_digest, updated_at)
VALUES ('{group}', '1', 'wechat', 'group', '', '{{}}', 1, '', now());
INSERT INTO online_inquiries (id, group_id, unit_code, visit_id, question, received_at, recorded_at, recorded_by,
                              answer, answered_at, answered_by, content_digest, updated_at)
VALUES ('{inquiry}', '{group}', '1', '{visit}', '何时送电', now() - interval '3 hours', now() - interval '2 hours',
        'E101', '今日', now() - interval '2 hours', 'E102', '', now());
"""


async def archived(world: World, **fields: Any) -> dict[str, Any]:
    visit = await ended(world, visitor_ids=["E101"], **fields)
    return await world.act(visit["id"], "archive")


async def supplements(world: World, visit: dict[str, Any]) -> list[dict[str, Any]]:
    """What came after the archive of a visit, once nothing is left to do."""
    await world.stack.settle()
    its: list[dict[str, Any]] = (await entries(world, visit["id"]))["supplements"]
    return its


@pytest.mark.clause("7.2.6")
async def test_what_comes_late_is_a_supplement_by_itself_which_names_its_cause(world: World) -> None:
    visit = await archived(world)
    path = f"/visits/{visit['id']}"
    assert await supplements(world, visit) == []
    world.later(hours=1)
    content = {"kind": "consultation", "topic": "outages", "question": "何时送电", "answer": "今日 18 时前"}
    await made(world.visitor.post(f"{path}/steps", json={"content": content, "at": BEFORE}))
    no = {"item": "on_site.kit", "answer": "no", "note": "未带意见簿"}
    await world.visitor.post(f"{path}/checklist", json={"answers": [no], "at": BEFORE})
    await with_file(world, visit, samples.png(text="晚到"), name="晚到.png")
    asked = {"question": "表计走得快", "received_at": BEFORE, "visit_id": visit["id"]}
    inquiry = await made(world.visitor.post(f"/online/groups/{(await group(world))['id']}/inquiries", json=asked))
    call = {**CALLED, "customer_id": visit["customer_id"], "visit_id": visit["id"]}
    owed = await made(world.admin.post("/obligations", json=call))
    (first,) = await supplements(world, visit)
    record = first["record"]
    assert record["told"] == {
        "type": "brought_late",
        "what": ["obligations", "checklist", "steps", "online", "attachments"],
        "by": ["E001", "E101"],
        "at": "2026-10-09T03:00:00+00:00",
    }
    assert first["entered_by"] is None
    assert [record["steps"][0]["content"]["answer"], record["checklist"][0]["note"]] == ["今日 18 时前", "未带意见簿"]
    assert [record["online"]["inquiries"][0]["question"], record["attachments"][0]["name"]] == [
        "表计走得快",
        "晚到.png",
    ]
    assert [each["id"] for each in record["obligations"]] == [owed["id"]]
    assert await supplements(world, visit) == [first], "once"

    await world.visitor.post(f"/online/inquiries/{inquiry['id']}/answer", json={"answer": "已校验"})
    await world.admin.post(f"/obligations/{owed['id']}/discharge", json={"words": "已回电"})
    second = (await supplements(world, visit))[1]["record"]
    assert (second["online"]["inquiries"][0]["answer"], second["obligations"][0]["words"]) == ("已校验", "已回电")
    assert sorted(second) == ["obligations", "online", "told"], "what is known is not said again"
    await world.stack.settle()
    assert await verified(world) == 0
    (page,) = [await world.admin.get(f"/archive/{visit['id']}", headers={"Accept": "text/html"})]
    assert [
        each for each in ("归档后补送", "今日 18 时前", "未带意见簿", "已回电", "表计走得快") if each not in page.text
    ] == []
    found = await world.admin.get("/archive", params={"words": "意见簿"})
    assert [each["visit_id"] for each in found.json()["items"]] == [visit["id"]]


async def test_whoever_does_not_wait_for_it_has_it_at_once_or_is_shown_it(world: World) -> None:
    visit = await archived(world)
    path = f"/visits/{visit['id']}"
    problem(await world.visitor.post(f"{path}/supplements"), 409, "nothing-to-supplement")
    late = {"content": {"kind": "needs", "needs": []}, "at": BEFORE}
    await made(world.visitor.post(f"{path}/steps", json=late))
    by_hand = await made(world.visitor.post(f"{path}/supplements"))
    assert (by_hand["entered_by"], by_hand["record"]["told"]["by"]) == ("E101", ["E101"])
    assert await supplements(world, visit) == [by_hand], "and not a second time by itself"
    problem(await world.visitor.post(f"{path}/supplements"), 409, "nothing-to-supplement")
    await made(world.visitor.post(f"{path}/steps", json={**late, "id": str(uuid4())}))
    by_itself = (await supplements(world, visit))[1]
    assert await made(world.visitor.post(f"{path}/supplements")) == by_itself


@pytest.mark.clause("7.2.6", "6.2.2.3")
async def test_a_call_whose_number_is_forgotten_is_not_entered_again(
    world: World, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def as_before(*of: Any) -> dict[str, Any]:
        record = await opened(*of)
        return record | {"obligations": [each | {"phone": "137****1234"} for each in record["obligations"]]}

    visit = await ended(world, visitor_ids=["E101"])
    call = {**CALLED, "customer_id": visit["customer_id"], "visit_id": visit["id"]}
    owed = await made(world.visitor.post("/obligations", json=call))
    await world.visitor.post(f"/obligations/{owed['id']}/discharge", json={"words": "已回电"})
    await world.act(visit["id"], "archive")
    monkeypatch.setattr(supplementing, "opened", as_before)
    await owner.execute("UPDATE obligations SET version = version + 1, updated_at = now()")
    problem(await world.visitor.post(f"/visits/{visit['id']}/supplements"), 409, "nothing-to-supplement")
    assert await supplements(world, visit) == []


@pytest.mark.clause("8.1.4")
async def test_a_supplement_tells_whoever_asks_for_it_what_they_may_know(world: World) -> None:
    visit, phone = await archived(world), Phone(world, world.visitor)
    colleague = world.client("visitor", unit="37401", sub="E102")
    supervisor = world.client("supervisor", unit="374", sub="E109")
    path = f"/visits/{visit['id']}/supplements"
    quiet = phone.item("appeal", visit["id"], ago=9, type="complaint", summary="停电", confidential=True)
    opinion = phone.item("appeal", visit["id"], ago=9, type="opinion", summary="好")
    assert outcomes(await phone.push(quiet, opinion)) == ["stored"] * 2
    told = await made(supervisor.post(path))
    assert [len(told["record"][section]) for section in ("devices", "appeals")] == [2, 2]
    read = "SELECT by, thing_id FROM trail WHERE act = 'appeal.read'"
    assert [(row["by"], row["thing_id"]) for row in await world.rows(read)] == [("E109", quiet["id"])]

    worse = {**quiet, "body": {**quiet["body"], "summary": "天天停电"}}
    assert outcomes(await phone.push(worse)) == ["conflict"]
    problem(await colleague.post(path), 409, "nothing-to-supplement")
    assert len(await supplements(world, visit)) == 2, "it is entered by itself all the same"
    problem(await colleague.post(path), 409, "nothing-to-supplement")
    assert (await made(world.visitor.post(path)))["record"]["devices"][0]["item_id"] == quiet["id"], "who brought it"

    worst = {**quiet, "body": {**quiet["body"], "summary": "夜夜停电"}}
    other = Phone(world, colleague, name="P-2")
    assert outcomes(await phone.push(worst)) == ["conflict"]
    step = other.item("step", visit["id"], ago=8000, content=NEEDS)
    assert outcomes(await other.push(step)) == ["stored"]
    unnamed = phone.item("appeal", visit["id"], ago=9, type="report", summary="收费", anonymous=True)
    assert outcomes(await phone.push(unnamed)) == ["stored"]
    call = {**CALLED, "customer_id": visit["customer_id"], "visit_id": visit["id"]}
    await made(supervisor.post("/obligations", json=call))
    its = await made(colleague.post(path))
    assert [each["item_id"] for each in its["record"]["devices"]] == [step["id"]]
    told = its["record"]["told"]
    assert (told["what"], told["by"]) == (["obligations", "steps", "devices"], ["E102", "E109"])
    assert ("收费" in str(its), its["appeal_types"]) == (False, [])
    assert [line["entries"] for line in its["contents"] if line["section"] == "devices"] == [1]
    entered = (await supplements(world, visit))[2]
    brought = {each["item_id"] for each in entered["record"]["devices"]}
    assert brought == {quiet["id"], step["id"], unnamed["id"]}, "all of it is kept"
    assert [each["summary"] for each in entered["record"]["appeals"]] == ["收费"]


@pytest.mark.clause("7.2.6")
async def test_all_that_a_device_brings_to_an_archived_visit_is_in_its_archive(world: World) -> None:
    visit, phone = await archived(world), Phone(world, world.visitor)
    supervisor = world.client("supervisor", unit="37401", sub="E109")
    world.later(hours=2)
    step = phone.item("step", visit["id"], ago=8000, content=NEEDS)
    appeal = phone.item("appeal", visit["id"], ago=8000, type="complaint", summary="三天两头停电")
    other = {"kind": "needs", "needs": [{"category": "connection", "description": "三电源"}]}
    after = phone.item("step", visit["id"], ago=10, content=other)
    assert outcomes(await phone.push(step, appeal)) == ["stored"] * 2
    its = await conflict(phone, after)
    (first,) = [each["record"] for each in await supplements(world, visit)]
    assert [each["outcome"] for each in first["devices"]] == ["stored", "stored", "conflict"]
    assert [first["appeals"][0]["summary"], first["steps"][0]["id"]] == ["三天两头停电", step["id"]]
    assert "三电源" not in str(first), "nobody has said yet what of it is to be kept"

    await resolve(supervisor, its, "device", reason="补记")
    second = (await supplements(world, visit))[1]["record"]
    ((line),) = second["devices"]
    assert (line["conflict"]["keep"], line["conflict"]["reason"]) == ("device", "补记")
    assert line["conflict"]["device_version"]["body"]["content"]["needs"][0]["description"] == "三电源"
    page = await world.admin.get(f"/archive/{visit['id']}", headers={"Accept": "text/html"})
    assert [each for each in ("三电源", "与记录不符", "补记") if each not in page.text] == []
    state = (await world.admin.get(f"/visits/{visit['id']}")).json()
    assert (state["state"], state["version"]) == ("archived", visit["version"]), "what is archived is not corrected"
    assert outcomes(await phone.push(step, appeal, after)) == ["same"] * 3
    assert len(await supplements(world, visit)) == 2
    await world.hear(closed(world, {**appeal, "unit_code": "37401"}))
    assert [each["record"]["told"]["type"] for each in await supplements(world, visit)][2:] == ["appeal.closed.v1"]


async def test_one_that_cannot_be_entered_waits_and_holds_up_none(
    world: World, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = [await archived(world) for _ in range(2)]
    late = {"content": {"kind": "needs", "needs": []}, "at": BEFORE}
    for visit in (bad, good):
        await made(world.visitor.post(f"/visits/{visit['id']}/steps", json=late))
    whole = await owner.fetchval("SELECT sealed FROM archive_entries WHERE visit_id::text = $1", bad["id"])
    turned = "UPDATE archive_entries SET sealed = $2 WHERE visit_id::text = $1"
    await owner.execute(turned, bad["id"], whole[:-1] + bytes([whole[-1] ^ 1]))
    (worker,) = [each for each in world.stack["visit_api"].workers if isinstance(each, Supplementing)]
    assert len(await supplements(world, good)) == 1
    await owner.execute(turned, bad["id"], whole)
    assert await supplements(world, bad) == [], "not at once"
    monkeypatch.setattr("visit_api.archive.worker.AGAIN", -1.0)
    assert len(await supplements(world, bad)) == 1
    assert not await worker.run_once()


async def test_while_the_keys_cannot_be_read_none_is_entered_and_none_is_put_off(world: World) -> None:
    visit = await archived(world)
    await made(world.visitor.post(f"/visits/{visit['id']}/steps", json={"content": {**NEEDS}, "at": BEFORE}))
    (worker,) = [each for each in world.stack["visit_api"].workers if isinstance(each, Supplementing)]
    keys, vault = world.stack.vault_keys, world.runtime.vault
    whole = keys.read_text()
    keys.write_text("half a li")
    vault.masters.forget()
    vault._keys.clear()
    vault._current.clear()
    try:
        with pytest.raises(KeysUnusable):
            await worker.run_once()
    finally:
        keys.write_text(whole)
    assert await worker.run_once(), "at once"
    assert len(await supplements(world, visit)) == 1


async def test_a_photo_that_is_stored_while_the_visit_is_archived_is_not_missing(
    world: World, owner: asyncpg.Connection
) -> None:
    visit = await ended(world, visitor_ids=["E101"])
    picture = samples.png(text="同时")
    upload = await begun(world, picture, visit_id=visit["id"])
    await put(world, upload, 1, picture)
    async with owner.transaction():
        await owner.execute("LOCK TABLE archive_entries IN EXCLUSIVE MODE")  # the archiving stops half way
        archiving = asyncio.create_task(world.admin.post(f"/visits/{visit['id']}/archive"))
        await eventually(lambda: waits(owner))
        storing = asyncio.create_task(completed(world, upload))
        await eventually(lambda: waits(owner, 2))
    assert [answer.status_code for answer in await asyncio.gather(archiving, storing)] == [200, 200]
    (late,) = await supplements(world, visit)
    assert [each["id"] for each in late["record"]["attachments"]] == [upload["id"]]


@pytest.mark.clause("7.2.6")
async def test_what_came_late_before_is_noted_and_no_visit_is_held_meanwhile(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = databases.server.ensure_database(f"older_{uuid4().hex}").migration
    await migrate.upgrade("visit_api", url, "0030")
    its, other = await asyncpg.connect(url), await asyncpg.connect(url)
    customer, visit, inquiry, circle = (uuid4() for _ in range(4))
    await its.execute(OLDER.format(customer=customer, visit=visit, inquiry=inquiry, group=circle))
    monkeypatch.setattr(migrate, "_PAUSE", 0.1)
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'online_inquiries'::regclass AND NOT granted)"
    held = "SELECT mode FROM pg_locks WHERE relation = 'visits'::regclass AND granted AND pid <> pg_backend_pid()"
    async with other.transaction():
        await other.execute("LOCK TABLE online_inquiries")
        migrating = asyncio.create_task(migrate.upgrade("visit_api", url, "0031"))
        await eventually(lambda: its.fetchval(waits))
        assert {row["mode"] for row in await its.fetch(held)} <= {"AccessShareLock"}
    await migrating
    late = await its.fetch("SELECT visit_id, what, brought_by FROM visit_late")
    assert [tuple(row) for row in late] == [(visit, "online", "E102")]
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await its.execute("UPDATE visit_late SET visit_id = gen_random_uuid()")
    await its.close()
    await other.close()
