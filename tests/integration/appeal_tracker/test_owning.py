"""Whose appeals these are: somebody's day in one call, what everybody has, and who stands in."""

from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest
from sqlalchemy import text

from appeal_tracker.absences.worker import Telling
from appeal_tracker.appeals import owned
from appeal_tracker.migrations import versions
from contracts.absences import AbsenceChanged
from tests.integration.appeal_tracker.desk import Desk, got, instant, made, problem, staff, unit


@pytest.fixture
def second(desk: Desk) -> httpx.AsyncClient:
    """A colleague of the first."""
    return desk.client("handler", unit="37401", sub="E102")


async def day(client: httpx.AsyncClient) -> dict[str, list[str]]:
    its = await got(client.get("/my-day"))
    return {name: [each["id"] for each in its[name]] for name in ("overdue", "due_next", "to_call_back", "to_accept")}


async def away(
    desk: Desk, by: httpx.AsyncClient, since: str, until: str | None = None, **fields: Any
) -> dict[str, Any]:
    times = {"since": instant(since).isoformat(), "until": instant(until).isoformat() if until else None}
    return await made(by.post("/absences", json={**times, **fields}))


@pytest.mark.clause("8.2.4")
async def test_a_day_is_seen_in_one_call(desk: Desk, second: httpx.AsyncClient) -> None:
    await desk.assign("37401", "state-grid")
    later = await desk.raised(received_at=instant("10-09T09:50"))
    sooner = await desk.raised(received_at=instant("10-09T09:30"))
    answered = await desk.raised(received_at=instant("10-09T09:55"))
    theirs = await desk.raised(raised_by="E102")
    assert await day(desk.first) == {
        "overdue": [],
        "due_next": [sooner, later, answered],
        "to_call_back": [],
        "to_accept": sorted([sooner, later, answered]),
    }
    await desk.at("10-10T09:40")
    given = {"at": instant("10-10T09:35").isoformat(), "content": "已检修线路"}
    await made(second.post(f"/appeals/{answered}/answers", json=given))
    await desk.act(later, "accept", desk.first)
    assert await day(desk.first) == {
        "overdue": [sooner],
        "due_next": [later, sooner],
        "to_call_back": [answered],
        "to_accept": sorted([sooner, answered]),
    }
    assert (await day(second))["overdue"] == [theirs]
    await desk.act(sooner, "transfer", handler="E102", reason="轮岗")
    assert sooner in (await day(second))["overdue"]
    assert sooner not in (await day(desk.first))["overdue"]
    assert (await desk.appeal(sooner))["first_contact"] == "E101"


@pytest.mark.clause("002 6.4.5.4")
async def test_whom_to_call_back_is_not_lost_among_those_that_nobody_need_call(
    desk: Desk, second: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owned, "MOST", 2)
    await desk.assign("37401", "state-grid")
    cases = [await desk.raised(appeal_type="consultation") for _ in range(2)] + [await desk.raised(anonymous=True)]
    cases += [await desk.raised(), await desk.raised()]
    given = {"at": instant("10-09T09:40").isoformat(), "content": "已检修线路"}
    for case in cases[:-1]:
        await made(second.post(f"/appeals/{case}/answers", json=given))
    await desk.answer(cases[-1], "10-09T09:40")
    days = [(await day(each))["to_call_back"] for each in (desk.first, second, desk.supervisor)]
    assert days == [[cases[-2]], [], [cases[-1]]], "nobody calls about their own work: their supervisor does"


@pytest.mark.clause("8.2.4", "002 6.4.5.4")
async def test_what_is_nobodys_is_in_the_day_of_the_supervisors_next_above(
    desk: Desk, second: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await desk.assign("37401", "state-grid")
    gone, below = staff("E103", "37401"), unit("3740101", "37401")
    await desk.hear(gone, below, staff("E109", "37402", "supervisor"))
    answered, nobodys, elsewhere = [await desk.raised(unit_code=code) for code in ("37401", "3740101", "37402")]
    await owner.execute("UPDATE appeals SET first_contact = NULL")
    left = await desk.raised(raised_by="E103")
    assert (await day(desk.supervisor))["to_accept"] == sorted([answered, nobodys]), "in no unit with its own"
    await desk.hear(msgspec.structs.replace(gone, active=False, version=2))
    assert (await day(desk.supervisor))["to_accept"] == sorted([answered, nobodys, left])
    assert (await day(desk.client("supervisor", unit="37402", sub="E109")))["due_next"] == [elsewhere]
    assert await day(second) == await day(desk.client("visitor", unit="374", sub="E003")) == NOTHING
    # Nobody in particular is to call about it: whoever calls back there may, but for who answered.
    given = {"at": instant("10-09T09:40").isoformat(), "content": "已检修线路"}
    await made(second.post(f"/appeals/{answered}/answers", json=given))
    (task,) = (await got(desk.supervisor.get("/callback-tasks")))["items"]
    assert (task["whose"], task["person"]) == ("acceptor", None)
    callers = [desk.client("handler", "callback", unit="37401", sub=sub) for sub in ("E102", "E106")]
    days = [(await day(each))["to_call_back"] for each in (*callers, desk.supervisor)]
    assert days == [[], [answered], [answered]]


NOTHING: dict[str, list[str]] = {"overdue": [], "due_next": [], "to_call_back": [], "to_accept": []}


async def test_who_stands_in_has_the_others_day_too_and_their_contact_counts(
    desk: Desk, second: httpx.AsyncClient
) -> None:
    await desk.hear(staff("E102", "37401", "handler"))
    case = await desk.raised()
    await desk.act(case, "dispatch", handler="E101")
    assert (await day(second))["due_next"] == []
    absence = await away(desk, desk.first, "10-09T09:00", "10-09T18:00", substitute="E102")
    its = await got(second.get("/my-day"))
    assert (its["stands_in_for"], [each["id"] for each in its["due_next"]]) == (["E101"], [case])
    await desk.at("10-09T19:00")
    assert (await day(second))["due_next"] == []
    assert not (await desk.contact(case, "10-09T18:30", by=second))["counts"]
    assert (await desk.contact(case, "10-09T17:00", by=second))["counts"]
    assert (await desk.clocks(case))["contact"]["met_at"] == "2026-10-09T09:00:00Z"
    problem(await second.post(f"/absences/{absence['id']}/end", json={}), 403, "not-your-absence")
    back = {"until": instant("10-09T12:00").isoformat()}
    assert (await got(desk.first.post(f"/absences/{absence['id']}/end", json=back)))["until"] == "2026-10-09T04:00:00Z"


async def test_absences_are_told_and_those_of_before_too(desk: Desk, second: httpx.AsyncClient) -> None:
    await desk.hear(staff("E102", "37401"))
    made = await away(desk, desk.first, "10-09T09:00", None, substitute="E102")
    await got(desk.first.post(f"/absences/{made['id']}/end", json={"until": instant("10-09T12:00").isoformat()}))
    (path,) = Path(versions.__path__[0]).glob("*_absences_told.py")
    migration = import_module(f"{versions.__name__}.{path.stem}")
    async with desk.runtime.db.transaction() as tx:
        await tx.execute(text(migration.TELL))
    async with desk.runtime.db.connection() as connection:
        query = "SELECT aggregateid AS key, payload FROM outbox WHERE type = $1 ORDER BY seq"
        rows = await connection.fetch(query, AbsenceChanged.type)
    told = [msgspec.json.decode(row["payload"], type=AbsenceChanged) for row in rows]
    assert {row["key"] for row in rows} == {made["id"]}
    ends = [None, instant("10-09T12:00"), instant("10-09T12:00")]
    assert [(each.staff_no, each.substitute, each.until) for each in told] == [("E101", "E102", end) for end in ends]


async def test_an_absence_that_older_code_recorded_or_ended_is_told_once(desk: Desk, second: httpx.AsyncClient) -> None:
    made, loop = await away(desk, second, "10-09T09:00", None), Telling(desk.runtime)
    query = "SELECT payload, time FROM outbox WHERE type = $1 ORDER BY seq"
    assert not await loop.run_once()
    assert len(await desk.rows(query, AbsenceChanged.type)) == 1, "what is recorded now is told at once"
    older = (
        "INSERT INTO absences (id, staff_no, unit_code, since, recorded_by, recorded_at, updated_at)"
        " SELECT gen_random_uuid(), 'E101', unit_code, since, recorded_by, recorded_at, updated_at FROM absences"
    )
    await desk.rows(older)
    await desk.rows(
        "UPDATE absences SET until = $2, updated_at = $2, changed_xid = pg_current_xact_id()::text::bigint"
        " WHERE id = $1",
        UUID(made["id"]),
        instant("10-09T12:00"),
    )
    feed = await desk.rows("SELECT id, changed_xid FROM absences ORDER BY id")
    for _ in range(2):
        assert not await loop.run_once()
        rows = (await desk.rows(query, AbsenceChanged.type))[1:]
        its = [(msgspec.json.decode(row["payload"], type=AbsenceChanged), row["time"]) for row in rows]
        assert {(each.staff_no, each.until, each.at == time) for each, time in its} == {
            ("E101", None, True),
            (made["staff_no"], instant("10-09T12:00"), True),
        }
        assert len(its) == 2
    assert await desk.rows("SELECT id, changed_xid FROM absences ORDER BY id") == feed, "lists go on as they were"


async def test_an_absence_that_cannot_be_is_refused(desk: Desk, second: httpx.AsyncClient) -> None:
    since = {"since": instant("10-09T09:00").isoformat()}
    for by, body, status, slug in (
        (second, {"staff_no": "E101"}, 403, "not-your-absence"),
        (desk.supervisor, {"staff_no": "E777"}, 422, "unknown-staff"),
        (desk.stranger, {"staff_no": "E101"}, 422, "unknown-staff"),
        (desk.first, {"substitute": "E101"}, 422, "stands-in-for-themselves"),
        (desk.first, {"substitute": "E777"}, 422, "unknown-staff"),
        (desk.first, {"until": instant("10-09T09:00").isoformat()}, 422, "ends-before-it-begins"),
    ):
        problem(await by.post("/absences", json={**since, **body}), status, slug)


async def test_what_everybody_has_is_counted_also_of_those_who_left(desk: Desk) -> None:
    here = staff("E103", "37401")
    await desk.hear(here)
    case, other = await desk.raised(), await desk.raised()
    await desk.raised(raised_by="E103")
    await desk.hear(type(here)(id=here.id, staff_no="E103", unit_code="37401", roles=[], active=False, version=2))
    await desk.answer(case, "10-09T09:40")
    await desk.act(other, "accept")
    shares = {each["owner"]: each for each in (await got(desk.supervisor.get("/workload")))["items"]}
    assert shares["E101"] == {
        "unit_code": "37401",
        "owner": "E101",
        "active": True,
        "present": "E101",
        "open": 2,
        "overdue": 0,
        "due_soon": 1,
        "unaccepted": 1,
        "answered": 1,
    }
    assert (shares["E103"]["active"], shares["E103"]["open"]) == (False, 1)
    await desk.at("10-10T12:00")
    later = {each["owner"]: each["overdue"] for each in (await got(desk.supervisor.get("/workload")))["items"]}
    assert later == {"E101": 1, "E103": 1}
    await desk.act(other, "reclassify", type="report", reason="实为举报")  # whose round has no deadline
    assert (await day(desk.first))["overdue"] == []
    assert {each["overdue"] for each in (await got(desk.supervisor.get("/workload")))["items"]} == {0, 1}
    query = {"unit_code": "37402"}
    assert (await got(desk.supervisor.get("/workload", params=query)))["items"] == []


async def test_what_a_large_company_has_is_counted_in_parts_and_to_a_number(
    desk: Desk, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owned, "_LOADS", owned._LOADS.replace("LIMIT 200", "LIMIT 3"))
    for place in range(9):
        case = await desk.raised(raised_by=f"E10{place % 2}", unit_code=("374", "37401", "37402")[place % 3])
    nobodys = await desk.raised(unit_code="37402")
    await owner.execute("UPDATE appeals SET first_contact = NULL WHERE id = $1", nobodys)
    await desk.raised(unit_code="375", raised_by="E301")
    handler = desk.client("handler", unit="37402", sub="E109")
    await desk.act(case, "dispatch", handler="E109")

    async def pages(by: httpx.AsyncClient, **query: Any) -> list[list[tuple[str, str | None, int]]]:
        found, cursor = [], {}
        while True:
            page = await got(by.get("/workload", params={"limit": 2, **query, **cursor}))
            found.append([(each["unit_code"], each["owner"], each["open"]) for each in page["items"]])
            if page["next"] is None:
                return found
            cursor = {"cursor": page["next"]}

    whole = [
        [("374", "E100", 2), ("374", "E101", 1)],
        [("37401", "E100", 1), ("37401", "E101", 2)],
        [("37402", None, 1), ("37402", "E100", 1)],
        [("37402", "E101", 1), ("37402", "E109", 1)],
    ]
    assert await pages(desk.supervisor) == whole
    assert await pages(handler) == whole[2:]
    assert await pages(desk.supervisor, unit_code="37401") == [whole[1]]
    for _ in range(3):
        await desk.raised(raised_by="E100", unit_code="374")
    assert (await pages(desk.supervisor))[0] == [("374", "E100", 3), ("374", "E101", 1)]
    problem(await desk.first.get("/workload", params={"cursor": "WyJsaXN0IixbMV1d"}), 422, "unprocessable")
