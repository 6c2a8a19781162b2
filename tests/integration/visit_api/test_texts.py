"""What people say in the course of a visit: nowhere in the clear, and shown as it was said."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from prometheus_client import REGISTRY

from tests.integration.visit_api.phone import Phone
from tests.integration.visit_api.test_archive import closed, entries
from tests.integration.visit_api.test_attachments import PICTURE, completed, declared, put
from tests.integration.visit_api.test_online import group
from tests.integration.visit_api.test_steps import CONTENTS, QUESTION
from tests.integration.visit_api.world import World, made, member, problem, tag, waits
from tests.support.databases import everything
from tests.support.eventually import eventually
from visit_api.__main__ import SERVICE
from visit_api.appointments.schemas import NewAppointment
from visit_api.attachments.schemas import NewAttachment
from visit_api.base import digest
from visit_api.leaving.schemas import NewHandOver
from visit_api.obligations.schemas import NewObligation
from visit_api.online.schemas import NewInquiry
from visit_api.steps.schemas import NewStep
from visit_api.texts.worker import SEALED, PlainWords
from visit_api.visits.models import Visit
from visit_api.visits.preparing import kept_as
from visit_api.visits.schemas import Preparation

STEPS = [*CONTENTS, {**QUESTION, "reason_not_answered": "须核实当地文件"}]
SAID = (
    "增容 800",
    "何时送电",
    "18 时前",
    "增设一台",
    "待设备",
    "光伏如何",
    "核实当地",
    "未带意见簿",
    "厂区办公楼",
    "扩建后",
    "改到周四",
    "表计",
    "老人来电",
    "致歉",
    "负荷偏高",
    "对讲机没电",
    "增派一人",
    "老宅门前",
)
ELSEWHERE = ("客户住院", "调往检修")  # of another visit, and of somebody who left
PREPARED = {
    "usage_analysis": "用电负荷偏高",
    "kit": [{"item": "recorder", "ready": "no", "note": "对讲机没电"}, {"item": "handheld", "ready": "yes"}],
}
APPOINTED = {
    "id": str(uuid4()),
    "purpose": "了解扩建后的用电需求",
    "place": "厂区办公楼三楼会议室",
    "reason": "客户改到周四",
    "window_from": "2026-10-12T09:00:00+08:00",
    "window_to": "2026-10-12T10:00:00+08:00",
}


CALLED_AT = "2026-10-09T09:00:00+08:00"


class Said:
    """A visit on which much was said, and everything that shows it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.steps = [{"id": str(uuid4()), "content": content} for content in STEPS]
        self.call = {"id": str(uuid4()), "kind": "missed_call", "called_at": CALLED_AT, "note": "老人来电未接"}
        self.file = declared(name="老宅门前", id=str(uuid4()))
        self.left = {"id": str(uuid4()), "to_staff_no": "E102", "reason": "调往检修班组"}
        self.asked = {"id": str(uuid4()), "question": "表计为何走得快", "received_at": CALLED_AT}

    async def say(self) -> None:
        """Says it all, of which some is said again."""
        world = self.world
        visit = await world.visit(visitor_ids=["E101"])
        self.visit, self.path = visit["id"], f"/visits/{visit['id']}"
        self.asked["visit_id"] = self.visit
        self.call |= {"customer_id": visit["customer_id"], "visit_id": self.visit}
        self.online = f"/online/groups/{(await group(world))['id']}/inquiries"
        await world.visitor.post(f"{self.path}/appointment", json=APPOINTED)
        await self.prepare(PREPARED)
        handed = {"visitor_ids": ["E101", "E102"], "reason": "路远增派一人"}
        assert (await world.visitor.post(f"{self.path}/hand-over", json=handed)).status_code == 200
        self.off = (await world.visit(visitor_ids=["E101"]))["id"]
        off = await world.visitor.post(f"/visits/{self.off}/cancel", json={"reason": "客户住院"})
        assert off.json()["reason"] == "客户住院"
        await made(world.admin.post("/staff", json=member("E109", "37401")))
        await world.act(self.visit, "start")
        key = {"Idempotency-Key": uuid4().hex}
        no = {"item": "on_site.kit", "answer": "no", "note": "未带意见簿"}
        await world.visitor.post(f"{self.path}/checklist", json={"answers": [no]}, headers=key)
        await self.repeat()
        assert (await put(world, self.file, 1, PICTURE)).status_code == 200
        assert (await completed(world, self.file)).json()["name"] == "老宅门前.png"
        await world.visitor.post(f"/online/inquiries/{self.asked['id']}/answer", json={"answer": "表计已校验"})
        await world.visitor.post(f"/obligations/{self.call['id']}/discharge", json={"words": "已致歉并说明"})

    async def repeat(self) -> list[dict[str, Any]]:
        """The answers to what is said again."""
        world = self.world
        return [
            *[await made(world.visitor.post(f"{self.path}/steps", json=each)) for each in self.steps],
            await made(world.visitor.post(f"{self.path}/appointment", json=APPOINTED)),
            await made(world.visitor.post(self.online, json=self.asked)),
            await made(world.visitor.post("/obligations", json=self.call)),
            await made(world.visitor.post(f"{self.path}/attachments", json=self.file)),
            await made(world.admin.post("/staff/E109/hand-over", json=self.left)),
        ]

    async def prepare(self, prepared: dict[str, Any]) -> dict[str, Any]:
        """The preparation, which is now this."""
        path = f"{self.path}/preparation"
        answer = await self.world.visitor.put(path, json=prepared, headers=await tag(self.world.visitor, path))
        assert answer.status_code == 200, answer.text
        its: dict[str, Any] = answer.json()
        return its

    async def shown(self) -> list[Any]:
        """All answers in which it is shown."""
        world = self.world
        phone = Phone(world, world.visitor)
        places = [f"{self.path}/steps", f"{self.path}/checklist", f"{self.path}/appointment", "/online/inquiries"]
        places += ["/obligations", f"/obligations/{self.call['id']}"]
        places += [f"{self.path}/appointment/history", "/my-day?day=2026-10-12", "/online/figures"]
        places += [f"{self.path}/{its}" for its in ("preparation", "hand-overs", "attachments")]
        places += [f"/visits/{self.off}", "/visits", f"/attachments/{self.file['id']}", "/staff/E109/hand-overs"]
        answers = [await world.visitor.get(place) for place in places]
        assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
        await phone.pull()
        pulled = [value for (kind, _), value in sorted(phone.copy.items()) if kind in ("answer", "visit")]
        assert "对讲机没电" in str(pulled)
        analysed = (await world.admin.get("/analysis", params={"from": "2026-10-01", "to": "2026-10-31"})).json()
        return [*[answer.json() for answer in answers], pulled, analysed]


@pytest.fixture
async def said(world: World) -> Said:
    its = Said(world)
    await its.say()
    return its


@pytest.mark.clause("8.1.4", "6.3.2.5", "004 4.2")
async def test_a_dump_and_the_topics_tell_nothing_that_was_said_on_a_visit(
    world: World, owner: asyncpg.Connection, said: Said, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown = str([await said.shown(), await said.repeat()])
    assert [each for each in SAID + ELSEWHERE if each not in shown] == []
    other = {**said.steps[0], "content": {"kind": "needs", "needs": []}}
    problem(await world.visitor.post(f"{said.path}/steps", json=other), 409, "step-taken")
    await world.stack.settle(seldom=True)
    await world.act(said.visit, "complete")
    page = (await world.visitor.get(f"{said.path}/sheet")).text
    dumped = await everything(owner)
    logged = str([record.__dict__ for record in caplog.records])
    told = str(await world.told())
    assert [each for each in SAID + ELSEWHERE if each in dumped or each in told or each in logged] == []
    assert [each for each in ("未带意见簿", "厂区办公楼", "增容 800") if each not in page] == []
    categories = "SELECT jsonb_path_query(content, '$.needs[*].category') #>> '{}' FROM steps"
    assert [row[0] for row in await world.rows(categories)] == ["connection"], "what is counted can be"


async def test_what_is_archived_of_it_is_what_was_said(world: World, said: Said) -> None:
    for appeal in (await world.admin.get(f"{said.path}/appeals")).json()["items"]:
        await world.hear(closed(world, appeal))
    await world.act(said.visit, "complete", "archive")
    record = str((await entries(world, said.visit))["record"]["record"])
    assert [each for each in SAID if each not in record] == []
    found = await world.admin.get("/archive", params={"words": "意见簿 办公楼"})
    assert [each["visit_id"] for each in found.json()["items"]] == [said.visit]


async def plainly(owner: asyncpg.Connection, said: Said) -> None:
    """Writes what was said as an earlier version did."""
    for each in said.steps:
        content = NewStep(**each).content.model_dump_json()
        await owner.execute(
            "UPDATE steps SET content = $2::jsonb, words_sealed = NULL, content_digest = $3 WHERE id = $1",
            UUID(each["id"]), content, digest(NewStep(**each)),
        )  # fmt: skip
    prepared = kept_as(Preparation.model_validate(PREPARED))
    await owner.execute(
        "UPDATE visits SET preparation = $1, preparation_sealed = NULL WHERE id = $2",
        json.dumps(prepared), UUID(said.visit),
    )  # fmt: skip
    await owner.execute("UPDATE visits SET reason = '客户住院', reason_sealed = NULL WHERE id = $1", UUID(said.off))
    await owner.execute("UPDATE visit_hand_overs SET reason = '路远增派一人', reason_sealed = NULL")
    await owner.execute(
        "UPDATE staff_hand_overs SET reason = $1, content_digest = $2, reason_sealed = NULL",
        said.left["reason"], digest(NewHandOver(**said.left)),
    )  # fmt: skip
    await owner.execute(
        "UPDATE attachments SET name = '老宅门前.png', content_digest = $1, name_sealed = NULL",
        digest(NewAttachment(**said.file)),
    )
    await owner.execute("UPDATE checklist_answers SET note = '未带意见簿', words_sealed = NULL")
    await owner.execute(
        "UPDATE appointments SET purpose = $1, place = $2, reason = $3, words_sealed = NULL, content_digest = $4",
        APPOINTED["purpose"], APPOINTED["place"], APPOINTED["reason"], digest(NewAppointment(**APPOINTED)),
    )  # fmt: skip
    await owner.execute(
        "UPDATE obligations SET note = '老人来电未接', words = '已致歉并说明', content_digest = $1, "
        "note_sealed = NULL, words_sealed = NULL",
        digest(NewObligation(**said.call)),
    )
    await owner.execute(
        "UPDATE online_inquiries SET question = $1, answer = '表计已校验', content_digest = $2, "
        "question_sealed = NULL, answer_sealed = NULL",
        said.asked["question"], digest(NewInquiry(**said.asked)),
    )  # fmt: skip


async def test_what_an_earlier_version_wrote_is_sealed_meanwhile_and_once(
    world: World, owner: asyncpg.Connection, said: Said
) -> None:
    before, again = await said.shown(), await said.repeat()
    await plainly(owner, said)
    marks = "SELECT changed_xid FROM steps UNION ALL SELECT changed_xid FROM appointments"
    written = sorted(await owner.fetch(marks))
    assert (await said.shown(), await said.repeat()) == (before, again), "it is read as it stands"
    await world.stack.settle(seldom=True)
    assert sorted(await owner.fetch(marks)) == written, "no feed tells it again"
    assert (await said.shown(), await said.repeat()) == (before, again)
    dumped = await everything(owner)
    assert [each for each in SAID + ELSEWHERE if each in dumped] == []
    ids = [UUID(each["id"]) for each in said.steps]
    bad = [b"other words"] * len(ids)
    await world.rows("SELECT seal_steps($1, $2, $3, $2)", ids, bad, ["{}"] * len(ids))
    await world.rows("SELECT seal_appointments($1, $2, $2)", [UUID(APPOINTED["id"])], bad[:1])
    await world.rows("SELECT seal_online_inquiries($1, $2, $2, $2)", [UUID(said.asked["id"])], bad[:1])
    ours = [row["id"] for row in await owner.fetch("SELECT id FROM visit_hand_overs")]
    await world.rows("SELECT seal_visit_hand_overs($1, $2)", ours, bad[:1])
    await world.rows("SELECT seal_staff_hand_overs($1, $2, $2)", [UUID(said.left["id"])], bad[:1])
    assert await said.shown() == before, "once, and never again"
    await plainly(owner, said)
    late = [UUID(said.off)], bad[:1], ["{}"], bad[:1], [1]
    await world.rows("SELECT seal_visits($1, $2, $3, $4, $5)", *late)
    await world.rows("SELECT seal_attachments($1, $2, $2, $3)", [UUID(said.file["id"])], bad[:1], [1])
    assert await said.shown() == before, "what was changed meanwhile is not what was read"
    await owner.execute(
        "UPDATE steps SET words_sealed = NULL, content = $1 WHERE kind = 'appeals'", '{"kind": "appeals"}'
    )
    await world.rows(
        "SELECT seal_steps($1, $2, $3, $2)", ids, bad, ['{"kind": "appeals", "appeal_ids": ["x"]}'] * len(ids)
    )
    assert await owner.fetch("SELECT 1 FROM steps WHERE words_sealed = 'other words'") == [], "nothing is said instead"


async def test_who_seals_holds_few_visits_at_a_time(world: World, owner: asyncpg.Connection) -> None:
    """Whoever raises something on one of them waits meanwhile; and what was prepared may be long."""
    visit = await world.visit()
    await owner.execute(
        "INSERT INTO visits SELECT its.* FROM visits, generate_series(1, $2) AS number, jsonb_populate_record("
        "visits, jsonb_build_object('id', md5(number::text)::uuid, 'preparation', $1::jsonb)) AS its",
        json.dumps({"usage_analysis": "用电负荷偏高"}), SEALED + 3,
    )  # fmt: skip
    sealed = "SELECT count(*) FROM visits WHERE preparation_sealed IS NOT NULL"
    async with owner.transaction():
        await owner.execute("SELECT FROM visits ORDER BY id DESC LIMIT 1 FOR UPDATE")
        sealing = asyncio.create_task(PlainWords(world.runtime, [Visit]).run_once())
        await eventually(lambda: waits(owner))
        assert await owner.fetchval(sealed) == SEALED <= 20
        assert await world.raised(visit["id"])
    await sealing
    assert await owner.fetchval(sealed) == SEALED + 3


async def test_an_earlier_version_that_still_runs_reads_what_was_said_if_that_is_asked_for(
    world: World, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = world.runtime.settings.model_copy(update={"keep_plain": True})
    monkeypatch.setattr(world.runtime, "settings", settings)
    said = Said(world)
    await said.say()
    await world.stack.settle(seldom=True)
    dumped, shown = await everything(owner), await said.shown()
    assert [each for each in SAID + ELSEWHERE if each not in dumped] == []
    digests = {row["content_digest"] for row in await owner.fetch("SELECT content_digest FROM steps")}
    assert digests == {digest(NewStep(**each)) for each in said.steps}, "by which it knows again what it is sent twice"
    monkeypatch.undo()
    await world.stack.settle(seldom=True)
    dumped = await everything(owner)
    assert [each for each in SAID + ELSEWHERE if each in dumped] == []
    assert await said.shown() == shown
    monkeypatch.setattr(world.runtime, "settings", settings)
    await world.rows("UPDATE visits SET state = 'planned' WHERE state = 'in_progress'")
    await said.prepare(PREPARED)  # the same as was sealed
    assert "负荷偏高" in await everything(owner)
    assert (await said.prepare({**PREPARED, "usage_analysis": "正常"}))["usage_analysis"] == "正常"
    monkeypatch.undo()
    await world.stack.settle(seldom=True)
    kept = await said.prepare({"kit": []})
    assert (kept["usage_analysis"], "正常" in await everything(owner)) == (None, False)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("visit_api.plain_sealer", "UPDATE customers SET unit_code = $1, phone = '1', phone_sealed = NULL"),
        ("visit_api.staff_sealer", "UPDATE staff SET unit_code = $1, phone = '1', reach_sealed = NULL"),
        ("visit_api.plain_words", "UPDATE appointments SET unit_code = $1, place = '1', words_sealed = NULL"),
    ],
)
async def test_a_loop_whose_keys_are_damaged_says_so_and_goes_on_once_they_are_not(
    world: World, owner: asyncpg.Connection, said: Said, name: str, plain: str
) -> None:
    code = uuid4().hex  # of a company that has no keys yet
    await made(world.client("admin", unit=code).post("/units", json={"code": code, "name": "新公司"}))
    await owner.execute(plain, code)
    table, column = plain.split()[1], plain.split("$1, ")[1].split()[0]
    open_ones = f"SELECT count(*) FROM {table} WHERE {column} IS NOT NULL"
    make = SERVICE.processes["keep"]
    (worker,) = [each for each in make(world.runtime) if each.name == name]  # type: ignore[attr-defined]
    keys: Path = world.stack.vault_keys
    there = keys.read_text()
    keys.write_text("damaged")
    running = worker.start()
    try:
        await eventually(lambda: "KeysUnusable" in worker.healthy()[1])
        assert worker.healthy()[0], "a restart would not help"
        assert REGISTRY.get_sample_value("worker_waiting", {"worker": name}) == 1
        assert await owner.fetchval(open_ones) > 0
        keys.write_text(there)
        await eventually(lambda: worker.healthy()[1] == "running")
        await eventually(lambda: _is_none(owner, open_ones))
        assert REGISTRY.get_sample_value("worker_waiting", {"worker": name}) == 0
    finally:
        keys.write_text(there)
        await worker.stop()
    assert running.exception() is None


async def _is_none(owner: asyncpg.Connection, count: str) -> bool:
    return bool(await owner.fetchval(count) == 0)


async def test_one_of_the_staff_who_cannot_be_opened_holds_up_none(world: World, owner: asyncpg.Connection) -> None:
    for staff_no in ("E103", "E104"):
        await made(world.admin.post("/staff", json=member(staff_no, "37401", phone="13800000000")))
    await owner.execute("UPDATE staff SET phone = '13900000000' WHERE staff_no IN ('E103', 'E104')")
    await owner.execute("UPDATE staff SET reach_sealed = 'damaged' WHERE staff_no = 'E103'")
    before = REGISTRY.get_sample_value("staff_unsealed_total")
    await world.stack.settle(seldom=True)
    rows = await owner.fetch("SELECT staff_no FROM staff WHERE phone IS NOT NULL")
    assert [row["staff_no"] for row in rows] == ["E103"]
    assert REGISTRY.get_sample_value("staff_unsealed_total") > before  # type: ignore[operator]
