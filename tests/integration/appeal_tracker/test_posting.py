"""Appeals that other systems send: opened at once, once, with their clocks; and nothing guessed about their codes."""

import asyncio
import json
from typing import Any

import asyncpg
import httpx
import pytest

from appeal_tracker.__main__ import CHAINED
from appeal_tracker.appeals.bodies import NewAppeal
from appeal_tracker.appeals.posting import content
from chassis.chain.verifying import verify
from chassis.ids import new_id
from tests.integration.appeal_tracker.desk import Desk, got, instant, made, problem

NEW: dict[str, Any] = {
    "source": "95598",
    "source_no": "20261009000017",
    "type": "complaint",
    "received_at": instant("10-09T09:30").isoformat(),
    "summary": "连续三日夜间停电，望尽快处理。",
}


@pytest.fixture
def system(desk: Desk) -> httpx.AsyncClient:
    """A hotline's system, of unit 374."""
    return desk.client("integration", unit="374", sub="hotline")


@pytest.mark.clause("7.2.3")
async def test_it_is_opened_with_its_clocks_from_when_the_customer_spoke(desk: Desk, system: httpx.AsyncClient) -> None:
    its = await made(system.post("/appeals", json={**NEW, "unit_code": "37401", "taken_by": "E150"}))
    assert (its["source"], its["source_no"], its["unit_code"]) == ("95598", NEW["source_no"], "37401")
    assert (its["appeal_no"][:2], its["first_contact"], its["unknown_codes"]) == ("TA", "E150", [])
    assert {clock["milestone"]: clock["started_at"] for clock in its["clocks"]} == {
        "contact": "2026-10-09T01:30:00Z",
        "answer": "2026-10-09T01:30:00Z",
    }
    (told,) = await desk.told("appeal.opened.v1")
    assert (told["appeal_id"], told["source"], told["visit_id"]) == (its["id"], "95598", None)
    assert "停电" not in str(told)
    (entry,) = await desk.timeline(its["id"])
    assert (entry["actor"], entry["data"]["source_no"]) == ("hotline", NEW["source_no"])


async def test_sent_again_it_is_free_and_with_other_content_refused(desk: Desk, system: httpx.AsyncClient) -> None:
    first = await made(system.post("/appeals", json=NEW))
    assert await made(system.post("/appeals", json=NEW)) == first
    other = {**NEW, "summary": "另一件事"}
    problem(await system.post("/appeals", json=other), 409, "source-number-taken")
    assert len(await desk.rows("SELECT FROM appeals")) == len(await desk.told("appeal.opened.v1")) == 1
    stranger = desk.client("integration", unit="375", sub="hotline")
    problem(await stranger.post("/appeals", json=NEW), 409, "source-number-taken")
    twins = await asyncio.gather(*(system.post("/appeals", json={**NEW, "source_no": "18"}) for _ in range(4)))
    assert len({twin.json()["id"] for twin in twins if twin.is_success}) == 1


@pytest.mark.clause("002 6.4.5.6")
async def test_what_cannot_be_corrected_is_void_and_raised_anew_and_no_breach_goes_away(
    desk: Desk, system: httpx.AsyncClient
) -> None:
    wrong = await made(system.post("/appeals", json={**NEW, "customer_id": str(new_id())}))
    await desk.at("10-10T09:10")
    await desk.contact(wrong["id"], "10-10T09:00", by=desk.supervisor)  # with somebody else
    await desk.at("10-10T12:00")
    await desk.act(wrong["id"], "void", reason="登记错户")
    anew = {**NEW, "source_no": f"{NEW['source_no']}-2", "customer_id": str(new_id())}
    right = await made(system.post("/appeals", json=anew))
    await desk.at("10-10T12:01")
    assert {clock["milestone"]: clock["state"] for clock in (await desk.appeal(right["id"]))["clocks"]} == {
        "contact": "breached",
        "answer": "running",
    }
    assert [each["subject_id"] for each in await desk.told("deadline.breached.v1")] == [right["id"]]
    assert (await desk.appeal(wrong["id"]))["outcome"] == "void"


async def test_its_words_are_sealed(desk: Desk, system: httpx.AsyncClient) -> None:
    its = await made(system.post("/appeals", json=NEW))
    words = await got(desk.supervisor.get(f"/appeals/{its['id']}/words"))
    assert words == {
        "appeal_id": its["id"],
        "state": "kept",
        "summary": NEW["summary"],
        "reason_not_answered": None,
    }
    (row,) = await desk.rows("SELECT * FROM appeal_words")
    assert "停电".encode() not in row["summary"]
    assert len(row["pairs"]) > 5
    assert (await desk.stranger.get(f"/appeals/{its['id']}/words")).status_code == 404


def test_it_is_known_again_whatever_fields_a_later_version_adds() -> None:
    known = content("37401", NewAppeal.model_validate_json(json.dumps(NEW)))
    assert known == content("37401", NewAppeal.model_validate_json(json.dumps({**NEW, "anonymous": False})))
    assert "anonymous" not in known


async def test_codes_mean_what_the_table_says(desk: Desk, system: httpx.AsyncClient) -> None:
    table = {"types": {"0701": "complaint", "0702": "report"}, "categories": {"T1": "attitude"}}
    written = await got(desk.admin.put("/code-tables/95598", json=table, headers={"If-Match": "*"}))
    assert (written["version"], written["types"]) == (1, table["types"])
    coded = {**NEW, "type": None, "type_code": "0701", "category_code": "T1"}
    its = await made(system.post("/appeals", json=coded))
    assert (its["type"], its["category"], its["unknown_codes"]) == ("complaint", "attitude", [])
    its = await made(system.post("/appeals", json={**coded, "source_no": "2", "category_code": "T9"}))
    assert (its["type"], its["category"], its["unknown_codes"]) == ("complaint", None, ["category_code"])
    problem(
        await desk.admin.put("/code-tables/95598", json=table, headers={"If-Match": '"old"'}),
        412,
        "precondition-failed",
    )
    assert (await desk.supervisor.put("/code-tables/x", json=table, headers={"If-Match": "*"})).status_code == 403


async def test_an_unknown_type_is_reported_taken_in_and_never_guessed(desk: Desk, system: httpx.AsyncClient) -> None:
    its = await made(system.post("/appeals", json={**NEW, "type": None, "type_code": "0799"}))
    assert (its["type"], its["unknown_codes"], its["clocks"]) == ("95598:0799", ["type_code"], [])
    assert its["no_clock_reason"] == "unknown_type"
    await desk.at("10-09T15:00")
    shown = await desk.act(its["id"], "reclassify", type="complaint", reason="来电核实为投诉")
    assert {clock["started_at"] for clock in shown["clocks"]} == {"2026-10-09T01:30:00Z"}


async def test_what_cannot_be_is_refused_where_it_stands(desk: Desk, system: httpx.AsyncClient) -> None:
    customer = "0199c6a0-0000-7000-8000-000000000003"
    for fault, pointer in (
        ({"type": None}, "/type"),
        ({"type_code": "0701"}, "/type"),
        ({"type": "consultation"}, "/reason_not_answered"),
        ({"type": "report", "category": "attitude"}, "/category"),
        ({"received_at": "2006-12-31T00:00:00+08:00"}, "/received_at"),
        ({"received_at": "2027-01-01T00:00:00+08:00"}, "/received_at"),
        ({"unit_code": "375"}, "/unit_code"),
        ({"unit_code": "none"}, "/unit_code"),
        ({"confidential": True, "customer_id": customer}, "/customer_id"),
        ({"source": "visit"}, "/source"),
    ):
        answer = await system.post("/appeals", json={**NEW, **fault})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer), answer.text
    assert await desk.rows("SELECT FROM appeals") == []


@pytest.mark.clause("002 6.4.5.5")
async def test_an_anonymous_one_has_no_contact_clock_and_says_why(desk: Desk, system: httpx.AsyncClient) -> None:
    new = {**NEW, "unit_code": "37401", "anonymous": True, "customer_id": "0199c6a0-0000-7000-8000-000000000003"}
    its = await made(system.post("/appeals", json=new))
    assert ([clock["milestone"] for clock in its["clocks"]], its["no_contact_reason"]) == (["answer"], "anonymous")
    assert its["customer_id"] is None, "whose it is is not kept"
    assert (await made(system.post("/appeals", json=new)))["id"] == its["id"], "and it is known again"
    assert new["customer_id"] not in str(await desk.rows("SELECT a::text, o.payload FROM appeals a, outbox o"))
    (entry,) = await desk.timeline(its["id"])
    assert entry["data"]["no_contact_reason"] == "anonymous"
    await desk.answer(its["id"], "10-09T09:40")
    await desk.act(its["id"], "close")
    assert (await desk.act(its["id"], "reopen", reason="再次来信"))["clocks"][-1]["milestone"] == "answer"


@pytest.mark.clause("002 6.4.5.5")
async def test_what_was_said_in_confidence_is_read_by_few_and_leaves_a_trail(
    desk: Desk, system: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    secret = {**NEW, "unit_code": "37401", "confidential": True}
    its = await made(system.post("/appeals", json=secret))
    near = desk.client("supervisor", unit="37401", sub="E109")
    assert (await got(near.get(f"/appeals/{its['id']}/words")))["summary"] is None
    assert await desk.rows("SELECT FROM trail") == []
    assert (await got(desk.supervisor.get(f"/appeals/{its['id']}/words")))["summary"] == NEW["summary"]
    (row,) = await desk.rows("SELECT by, act, thing_id, unit_code FROM trail")
    assert tuple(row) == ("E001", "words.read", its["id"], "37401")
    await desk.stack.settle()
    report = await verify(owner, CHAINED)
    assert (report.links, list(report.heads), list(report.findings)) == (1, ["374"], [])
    await owner.execute("UPDATE trail SET by = 'E002'")
    assert [finding.what for finding in (await verify(owner, CHAINED)).findings] == ["edited"]
    (kept,) = await desk.rows("SELECT pairs FROM appeal_words")
    assert kept["pairs"] == []
