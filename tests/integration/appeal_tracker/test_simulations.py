"""The past, run against another policy or calendar: who would have breached, against what happened."""

import csv
import io
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy.dialects import postgresql

from appeal_tracker.appeals.models import Appeal
from appeal_tracker.simulations import repository
from appeal_tracker.simulations.models import Simulation
from appeal_tracker.simulations.worker import Simulating
from chassis.ids import new_id
from tests.integration.appeal_tracker.conftest import begin, keep
from tests.integration.appeal_tracker.desk import Desk, got, instant, made, problem
from tests.integration.appeal_tracker.test_publishing_calendars import typhoon
from tests.support.stack import Stack

PERIOD = {"from": "2026-10-01", "to": "2026-10-31"}
FIVE_DAYS = {**PERIOD, "policy": "state-grid"}  # an answer in 5 working days instead of 7
CSV = {"Accept": "text/csv"}
OWN_TABLES = {"simulations", "simulation_counts", "simulation_differences"}


@pytest.fixture(scope="module")
async def happened(tracker_alone: Stack, administrator: asyncpg.Connection, founded: str) -> dict[str, str]:
    """What `past` is: it happens once."""
    desk = await begin(tracker_alone, administrator, founded)
    cases = {
        "early": await desk.raised(appeal_no="V1"),
        "between": await desk.raised(appeal_no="V2"),
        "late": await desk.raised(appeal_no="V3", unit_code="37402"),
        "never": await desk.raised(appeal_no="V4"),
        "report": await desk.raised(appeal_no="V5", appeal_type="report"),
    }
    await desk.at("11-09T09:00")
    for case, at in (("early", "10-14T10:00"), ("between", "10-19T17:00"), ("late", "10-20T10:00")):
        await desk.answer(cases[case], at) if case != "late" else await answer_from_above(desk, cases[case], at)
    await desk.answer(cases["report"], "10-26T10:00")
    await desk.stack.settle()
    await keep(administrator, "past")
    return cases


@pytest.fixture
async def past(desk: Desk, owner: asyncpg.Connection, happened: dict[str, str]) -> dict[str, str]:
    """Complaints received on Friday 10-09 at 09:30: by 7 working days due at 24:00 of 10-19, by 5 of 10-15."""
    await begin(desk.stack, owner, "past")
    desk.clock.set(instant("11-09T09:00"))
    return happened


async def answer_from_above(desk: Desk, case: str, at: str) -> None:
    body = {"at": instant(at).isoformat(), "content": "已答复"}
    await made(desk.admin.post(f"/appeals/{case}/answers", json=body))


async def simulated(desk: Desk, body: dict[str, Any], who: Any = None) -> dict[str, Any]:
    """A simulation that was asked for and is done."""
    who = who or desk.admin
    asked = await made(who.post("/simulations", json=body))
    assert (asked["state"], asked["rows"]) == ("queued", [])
    await desk.stack.settle()
    done = await got(who.get(f"/simulations/{asked['id']}"))
    assert done["state"] == "done"
    return done


def row(result: dict[str, Any], unit: str, appeal_type: str, milestone: str) -> dict[str, int]:
    (found,) = [
        {name: value for name, value in each.items() if isinstance(value, int)}
        for each in result["rows"]
        if (each["unit_code"], each["appeal_type"], each["milestone"]) == (unit, appeal_type, milestone)
    ]
    return found


async def stop_work(desk: Desk, *more: str) -> dict[str, Any]:
    """The notice of 2026 with more days off."""
    listed = await desk.rows(
        "SELECT name, date, NOT working AS off FROM calendar_days"
        " WHERE calendar = 'cn-statutory' AND extract(year FROM date) = 2026"
    )
    days = [{"name": each["name"], "date": str(each["date"]), "isOffDay": each["off"]} for each in listed]
    days += [{"name": "停工", "date": day, "isOffDay": True} for day in more]
    return {"year": 2026, "papers": ["国办发明电〔2026〕1号"], "days": days}


async def differing(desk: Desk, id: str, **params: Any) -> list[dict[str, Any]]:
    found, cursor = [], None
    while True:
        query = params | ({"cursor": cursor} if cursor else {})
        page = await got(desk.admin.get(f"/simulations/{id}/appeals", params=query))
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found


async def test_a_stricter_policy_is_set_against_what_happened(desk: Desk, past: dict[str, str]) -> None:
    result = await simulated(desk, FIVE_DAYS)
    assert (result["done"], result["total"], result["unit_code"]) == (5, 5, "374")
    assert result["candidate"] == {"policy": "state-grid@1", "pack": None, "calendar": None, "notice": None}
    assert row(result, "37401", "complaint", "answer") == {
        "judged": 3,
        "would_breach": 2,
        "did_breach": 1,
        "newly_breached": 1,
        "newly_kept": 0,
        "undecided": 0,
    }
    assert row(result, "37402", "complaint", "answer")["did_breach"] == 1
    report = row(result, "37401", "report", "answer")
    assert (report["would_breach"], report["newly_breached"]) == (1, 1), "10 working days, and there was no number"
    assert result["totals"]["newly_breached"] == 2
    differences = {each["appeal_id"]: each for each in await differing(desk, result["id"])}
    assert differences.keys() == {past["between"], past["report"]}
    between = differences[past["between"]]
    assert (between["did"], between["would"], between["milestone"]) == ("kept", "breached", "answer")
    assert (between["due_at"], between["would_be_due_at"]) == ("2026-10-19T16:00:00Z", "2026-10-15T16:00:00Z")
    assert between["stopped_at"] == "2026-10-19T09:00:00Z"
    assert differences[past["report"]]["did"] == "none"


async def test_a_round_that_was_closed_ended_then_and_the_next_one_is_judged_by_itself(desk: Desk) -> None:
    case = await desk.raised()
    await desk.at("10-12T09:00")
    await desk.answer(case, "10-12T09:00")
    await got(desk.first.post(f"/appeals/{case}/close", json={}))
    await desk.at("10-13T09:00")
    await desk.act(case, "reopen", reason="客户仍有异议")
    await desk.at("11-09T09:00")
    await desk.answer(case, "10-21T10:00")  # in 7 working days of the reopening, and not in 5
    result = await simulated(desk, FIVE_DAYS)
    rounds = {each["round"]: each for each in await differing(desk, result["id"])}
    assert rounds.keys() == {2}
    assert (rounds[2]["milestone"], rounds[2]["would_be_due_at"]) == ("answer", "2026-10-20T16:00:00Z")
    assert row(result, "37401", "complaint", "answer")["judged"] == 2


async def test_the_policy_that_counted_changes_nothing(desk: Desk, past: dict[str, str]) -> None:
    result = await simulated(desk, {**PERIOD, "policy": "t-sdpea@1"})
    assert (result["totals"]["newly_breached"], result["totals"]["newly_kept"]) == (0, 0)
    assert result["totals"]["would_breach"] == result["totals"]["did_breach"] > 0


async def test_an_inline_notice_is_tried_before_it_is_published(desk: Desk, past: dict[str, str]) -> None:
    notice = await stop_work(desk, "2026-10-19")
    result = await simulated(desk, {**PERIOD, "calendar": "cn-statutory", "notice": notice})
    assert result["candidate"]["notice"] == 2026
    (kept,) = await differing(desk, result["id"])
    assert (kept["appeal_id"], kept["did"], kept["would"]) == (past["late"], "breached", "kept")
    assert kept["would_be_due_at"] == "2026-10-20T16:00:00Z"
    assert row(result, "37402", "complaint", "answer")["newly_kept"] == 1
    versions = await desk.rows("SELECT 1 FROM calendar_versions")
    assert len(versions) == 1, "nothing was published"
    same = await simulated(desk, {**PERIOD, "calendar": "cn-statutory@1"})
    assert await differing(desk, same["id"]) == []


async def test_an_inline_pack_is_tried_before_it_is_published(desk: Desk, past: dict[str, str]) -> None:
    limit = {"milestone": "answer", "within": "2 working days", "clause": "own 1"}
    pack = {"id": "own", "extends": "state-grid", "appeals": {"complaint": [limit]}}
    result = await simulated(desk, {**PERIOD, "pack": pack})
    assert result["candidate"]["pack"] == "own"
    assert row(result, "37401", "complaint", "answer")["newly_breached"] == 2  # due at 24:00 of the 12th
    assert row(result, "37401", "report", "answer")["newly_breached"] == 1, "what it does not restate it inherits"
    assert not await desk.rows("SELECT 1 FROM policies WHERE id = 'own'")


async def test_it_touches_nothing_but_its_own_tables(desk: Desk, past: dict[str, str]) -> None:
    async def stored() -> dict[str, Any]:
        names = [
            each["tablename"] for each in await desk.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ]
        digest = "SELECT count(*), sum(hashtextextended(t::text, 0)) FROM {} t"
        return {name: tuple((await desk.rows(digest.format(name)))[0]) for name in names if name not in OWN_TABLES}

    before = await stored()
    assert (await simulated(desk, FIVE_DAYS))["totals"]["newly_breached"] == 2
    assert await stored() == before


async def test_a_simulation_that_was_cut_off_goes_on_where_it_was(
    desk: Desk, past: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await simulated(desk, FIVE_DAYS)
    asked = await made(desk.admin.post("/simulations", json=FIVE_DAYS))
    first = Simulating(desk.runtime)
    first.config.batch = 2
    assert await first.run_once()
    shown = await got(desk.admin.get(f"/simulations/{asked['id']}"))
    assert (shown["state"], shown["done"], shown["total"], shown["finished_at"]) == ("running", 2, 5, None)

    async def dies(*_: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(repository, "add", dies)
        with pytest.raises(SystemExit):
            await first.run_once()
    assert (await got(desk.admin.get(f"/simulations/{asked['id']}")))["done"] == 2, "the step is undone whole"
    second = Simulating(desk.runtime)  # another process, which knows nothing but what was stored
    second.config.batch = 2
    while await second.run_once():
        pass
    result = await got(desk.admin.get(f"/simulations/{asked['id']}"))
    assert (result["state"], result["done"]) == ("done", 5)
    assert (result["totals"], result["rows"]) == (whole["totals"], whole["rows"])
    assert len(await differing(desk, asked["id"])) == 2


async def test_several_wait_for_each_other_in_the_order_they_were_asked_for(desk: Desk, past: dict[str, str]) -> None:
    ids = []
    for _ in range(3):
        ids.append((await made(desk.admin.post("/simulations", json=FIVE_DAYS)))["id"])
        desk.later(seconds=1)
    worker, finished = Simulating(desk.runtime), []
    worker.config.batch = 3
    while await worker.run_once():
        states = {each["id"]: each["state"] for each in (await got(desk.admin.get("/simulations")))["items"]}
        finished += [each for each in ids if states[each] == "done" and each not in finished]
        assert list(states.values()).count("running") <= 1
    assert finished == ids


async def test_the_candidate_is_the_one_that_was_asked_for_whatever_is_published_meanwhile(
    desk: Desk, past: dict[str, str]
) -> None:
    asked = await made(desk.admin.post("/simulations", json={**PERIOD, "calendar": "cn-statutory"}))
    assert asked["candidate"]["calendar"] == "cn-statutory@1"
    await desk.publish_days("cn-statutory", await stop_work(desk, "2026-10-19"))
    await desk.stack.settle()
    assert (await got(desk.admin.get(f"/simulations/{asked['id']}")))["totals"]["newly_kept"] == 0
    again = await simulated(desk, {**PERIOD, "calendar": "cn-statutory"})
    assert (again["candidate"]["calendar"], again["totals"]["newly_kept"]) == ("cn-statutory@2", 1)


async def test_a_simulation_is_seen_where_it_was_asked_for_and_above(desk: Desk, past: dict[str, str]) -> None:
    below = desk.client("supervisor", unit="37401", sub="E110")
    narrow = await simulated(desk, FIVE_DAYS, below)
    assert {each["unit_code"] for each in narrow["rows"]} == {"37401"}
    wide = await simulated(desk, {**FIVE_DAYS, "unit_code": "37402"})
    assert {each["unit_code"] for each in wide["rows"]} == {"37402"}
    for client, seen in (
        (below, {narrow["id"]}),
        (desk.supervisor, {narrow["id"], wide["id"]}),
        (desk.stranger, set()),
    ):
        assert {each["id"] for each in (await got(client.get("/simulations")))["items"]} == seen
    for path in ("", "/appeals"):
        problem(await below.get(f"/simulations/{wide['id']}{path}"), 404, "simulation-not-found")
        problem(await below.get(f"/simulations/{new_id()}{path}"), 404, "simulation-not-found")
    outside = await below.post("/simulations", json={**FIVE_DAYS, "unit_code": "37402"})
    assert problem(outside, 422, "unknown-scope")["errors"][0]["pointer"] == "/unit_code"


async def test_supervisors_ask_auditors_read(desk: Desk, past: dict[str, str]) -> None:
    result = await simulated(desk, FIVE_DAYS)
    auditor = desk.client("auditor", unit="374")
    await got(auditor.get(f"/simulations/{result['id']}"))
    assert (await auditor.post("/simulations", json=FIVE_DAYS)).status_code == 403
    for role in ("visitor", "handler", "callback", "integration", "service"):
        assert (await desk.client(role, unit="374").get("/simulations")).status_code == 403


async def test_tables_open_in_a_spreadsheet(desk: Desk, past: dict[str, str]) -> None:
    await desk.rows("UPDATE appeals SET appeal_no = '=1+1' WHERE id = $1::uuid", past["between"])
    result = await simulated(desk, FIVE_DAYS)
    counts = await desk.admin.get(f"/simulations/{result['id']}", headers=CSV)
    assert counts.content.startswith(b"\xef\xbb\xbf")
    assert counts.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(counts.content.decode("utf-8-sig"))))
    assert [{**each, **{name: int(each[name]) for name in result["totals"]}} for each in rows] == result["rows"]
    table = await desk.admin.get(f"/simulations/{result['id']}/appeals", headers=CSV, params={"limit": 1})
    found = {each["appeal_id"]: each for each in csv.DictReader(io.StringIO(table.content.decode("utf-8-sig")))}
    assert found.keys() == {past["between"], past["report"]}, "a table has all of them"
    between = found[past["between"]]
    assert (between["appeal_no"], between["due_at"]) == ("'=1+1", "2026-10-19 24:00")
    assert (between["would_be_due_at"], between["stopped_at"]) == ("2026-10-15 24:00", "2026-10-19 17:00:00")
    assert len(await differing(desk, result["id"], limit=1)) == 2


async def test_the_days_are_civil_days_and_both_are_included(desk: Desk) -> None:
    for received in ("10-08T23:59:59", "10-09T00:00:00", "10-09T09:59:00"):
        await desk.raised(received_at=instant(received))
    desk.later(days=1)
    day = {"from": "2026-10-09", "to": "2026-10-09", "policy": "state-grid"}
    assert (await simulated(desk, day))["total"] == 2
    today = {"from": "2026-10-10", "to": "2026-10-10", "policy": "state-grid"}
    assert (await simulated(desk, today))["total"] == 0


@pytest.mark.parametrize(
    ("body", "slug", "pointer"),
    [
        ({}, "no-candidate", None),
        ({"policy": "state-grid", "pack": {"id": "own"}}, "two-candidate-policies", "/pack"),
        ({"policy": "none-such"}, "unknown-version", "/policy"),
        ({"policy": "state-grid@2"}, "unknown-version", "/policy"),
        ({"calendar": "none-such"}, "unknown-version", "/calendar"),
        ({"calendar": "cn-statutory@2"}, "unknown-version", "/calendar"),
        ({"calendar": "cn-statutory@x"}, "unknown-version", "/calendar"),
        ({"notice": {"year": 2026, "papers": [], "days": []}}, "notice-without-calendar", "/calendar"),
        ({"calendar": "cn-statutory", "notice": {"year": 2026, "papers": []}}, "malformed-notice", "/notice/days"),
        ({"calendar": "new", "notice": typhoon("2061-01-03")}, "malformed-notice", "/notice/days/0/date"),
        ({"pack": {"id": "own", "extends": "t-sdpea", "surprise": 1}}, "malformed-pack", "/pack/surprise"),
        ({"pack": {"id": "own", "extends": "none-such"}}, "malformed-pack", "/pack/extends"),
        ({"policy": "state-grid", "to": "2026-10-10"}, "not-past", "/to"),
        ({"policy": "state-grid", "from": "2026-10-09", "to": "2026-10-08"}, "not-past", "/from"),
        ({"policy": "state-grid", "from": "2006-12-31"}, "not-past", "/from"),
    ],
)
async def test_what_cannot_be_run_is_refused_with_a_pointer(
    desk: Desk, body: dict[str, Any], slug: str, pointer: str | None
) -> None:
    answer = await desk.admin.post("/simulations", json={"from": "2026-10-01", "to": "2026-10-09", **body})
    found = problem(answer, 422, slug)
    assert [each["pointer"] for each in found.get("errors", [])][:1] == ([pointer] if pointer else [])
    assert not await desk.rows("SELECT 1 FROM simulations")


async def test_a_period_is_read_by_its_index(desk: Desk) -> None:
    await desk.raised()
    its = Simulation(scope="374")
    query = repository.covered(its, desk.clock.now() - timedelta(days=30), desk.clock.now())
    query = query.order_by(Appeal.received_at, Appeal.id).limit(500)
    sql = str(query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))
    async with desk.runtime.db.connection() as connection, connection.transaction():
        # However few there are and whatever was counted of them: in their order, by nothing that sorts.
        await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        assert "appeals_received_at" in str(await connection.fetch(f"EXPLAIN {sql}"))
