"""The clocks of visits are brought to other policies: on purpose, or because their units turn out to be others."""

import asyncio
from typing import Any

import asyncpg
import pytest

from appeal_tracker.appeals.repository import on_visits
from appeal_tracker.visits import service as visits
from chassis import migrate
from chassis.ids import new_id
from contracts.envelope import Message
from contracts.visits import VisitArrived, VisitCancelled, VisitCompleted
from tests.integration.appeal_tracker.desk import RECEIVED, Desk, got, instant, unit
from tests.integration.appeal_tracker.test_audit import look
from tests.integration.appeal_tracker.test_recalculations import changes, recalculate, stop_work
from tests.integration.appeal_tracker.test_visits import ARCHIVE, Round
from tests.support.databases import Databases
from tests.support.eventually import eventually

WINDOW = ("10-09T14:00", "10-09T15:00")


def archive(within: str, starts: str = "completed") -> list[dict[str, str]]:
    return [{"milestone": "archive", "within": within, "clause": "own 3", "starts": starts}]


@pytest.fixture
async def windowed(desk: Desk) -> Desk:
    """The desk, where a unit goes by the window standard of which the units below it have not been heard of."""
    await desk.hear(unit("377"))
    top = desk.client("admin", unit="377", sub="E709")
    etag = (await top.get("/units/377/policy")).headers["etag"]
    await got(top.put("/units/377/policy", json={"policy": "service-window"}, headers={"If-Match": etag}))
    return desk


async def assumed(visit: Round) -> bool:
    (row,) = await visit.desk.rows("SELECT policy_assumed FROM visits WHERE id = $1", visit.id)
    return bool(row["policy_assumed"])


async def clocks(visit: Round) -> list[tuple[Any, ...]]:
    columns = "milestone, round, state, policy, split_part(calendar, '@', 1)"
    query = f"SELECT {columns} FROM clocks WHERE subject_id = $1 ORDER BY round, due_at"
    return [tuple(row) for row in await visit.desk.rows(query, visit.id)]


@pytest.mark.clause("003 10(2)7")
@pytest.mark.parametrize("upwards", [True, False], ids=["from below", "from above"])
async def test_units_are_heard_of_after_the_visit(windowed: Desk, upwards: bool) -> None:
    visit = Round(windowed, unit_code="3770101")
    await windowed.hear(visit.planned("E101"), visit.appointed(*WINDOW))
    assert (await clocks(visit), await assumed(visit)) == ([], True)
    line = [unit("3770101", "37701"), unit("37701", "377")]
    first, last = line if upwards else line[::-1]
    await windowed.hear(first)
    assert (await clocks(visit), await assumed(visit)) == ([], True)
    await windowed.hear(last)
    assert await clocks(visit) == [("arrival", 1, "running", "service-window@1", "cn-statutory")]
    assert not await assumed(visit)
    await windowed.at("10-09T15:00")
    assert await visit.told() == [("deadline.warned.v1", "arrival"), ("deadline.breached.v1", "arrival")]
    await windowed.hear(visit.did(VisitArrived, "10-09T15:10"))
    assert await visit.timeline() == ["deadline_started", "deadline_warned", "deadline_breached", "deadline_ended"]
    assert await look(windowed) == {}


async def test_what_was_done_before_the_unit_was_heard_of_is_judged_by_its_time(windowed: Desk) -> None:
    visits = [Round(windowed, unit_code="37701") for _ in range(2)]
    windowed.clock.set(instant("10-09T16:00"))
    for visit, at in zip(visits, ("10-09T14:50", "10-09T15:10"), strict=True):
        await windowed.hear(visit.appointed(*WINDOW), visit.did(VisitArrived, at))
    await windowed.hear(unit("37701", "377"))
    assert [(await clocks(visit))[0][2] for visit in visits] == ["met", "breached"]
    assert not any([await assumed(visit) for visit in visits])
    assert [row[0] for row in await windowed.rows("SELECT late_arrival FROM clocks")] == [True, True]


async def test_a_visit_that_is_off_waits_for_no_unit(windowed: Desk) -> None:
    visit = Round(windowed, unit_code="37701")
    await windowed.hear(visit.appointed(*WINDOW), visit.did(VisitCancelled, "10-09T13:00"))
    assert not await assumed(visit)
    await windowed.hear(unit("37701", "377"))
    assert await clocks(visit) == []
    assert not await windowed.rows("SELECT FROM recalculations")


async def test_a_visit_whose_line_is_known_is_certain(desk: Desk) -> None:
    visit = Round(desk)
    await desk.hear(visit.appointed(*WINDOW))
    assert not await assumed(visit)


async def test_the_clocks_of_visits_are_brought_to_another_version(desk: Desk) -> None:
    await desk.publish(id="own", visits=archive("2 working days"))
    await desk.assign("37401", "own")
    visit = Round(desk)
    await desk.hear(visit.appointed(*WINDOW), visit.did(VisitCompleted, "10-09T09:50"))
    await desk.publish(id="own", visits=archive("1 working day"), effective_from="2026-10-12")
    asked = {"cause": "policy_version", "policy": "own"}
    said = await got(desk.admin.post("/recalculations", json=asked, params={"dry_run": "true"}))
    job = await recalculate(desk, **asked)
    assert (said["total"], said["moved"], said["items"]) == (1, 1, await changes(desk, job))
    assert (job["total"], job["done"], job["moved"], job["breaching"]) == (1, 1, 1, 0)
    (clock,) = await visit.deadlines()
    assert (clock["policy"], clock["due_at"]) == ("own@2", "2026-10-10T16:00:00Z")  # Saturday 10-10 works
    (told,) = await desk.told("deadline.recalculated.v1")
    assert (told["subject_id"], told["cause"], told["milestone"]) == (str(visit.id), "policy_version", "archive")
    assert (await recalculate(desk, **asked))["moved"] == 0
    assert await look(desk) == {}


async def test_what_another_policy_times_besides_begins_and_what_it_does_not_ends(desk: Desk) -> None:
    await desk.publish(**ARCHIVE)
    await desk.assign("37401", "timely")
    visit = Round(desk)
    await desk.hear(visit.appointed(*WINDOW), visit.did(VisitCompleted, "10-09T09:50"))
    assert await visit.states() == [("archive", 1, "running")]
    job = await recalculate(desk, cause="policy_version", policy="timely", to="service-window")
    assert sorted(await visit.states()) == [("archive", 1, "cancelled"), ("arrival", 1, "running")]
    found = {change["milestone"]: (change["old_policy"], change["policy"]) for change in await changes(desk, job)}
    assert found == {"archive": ("timely@1", None), "arrival": (None, "service-window@1")}
    await desk.hear(visit.planned("E102"))
    assert sorted(await visit.states()) == [("archive", 1, "cancelled"), ("arrival", 1, "running")], "ended on purpose"
    assert await look(desk) == {}
    await recalculate(desk, cause="policy_version", policy="service-window", to="timely")
    states = [("archive", 1, "cancelled"), ("archive", 2, "running"), ("arrival", 1, "cancelled")]
    assert sorted(await visit.states()) == states
    await desk.hear(visit.did(VisitArrived, "10-09T14:10"))
    assert sorted(await visit.states()) == states, "later news begins nothing again"
    assert await look(desk) == {}


@pytest.mark.parametrize("facts", [("completed", "appeals_closed"), ("appeals_closed", "completed")])
async def test_what_another_policy_times_from_another_fact_ends_and_begins(desk: Desk, facts: tuple[str, str]) -> None:
    for name, fact in zip(("old", "new"), facts, strict=True):
        await desk.publish(id=name, visits=archive("2 working days", fact))
    await desk.assign("37401", "old")
    visit = Round(desk)
    await desk.hear(visit.planned("E101"), visit.did(VisitCompleted, "10-09T09:20"))
    await recalculate(desk, cause="policy_version", policy="old", to="new")
    assert sorted(await clocks(visit)) == [
        ("archive", 1, "cancelled", "old@1", "cn-statutory"),
        ("archive", 2, "running", "new@1", "cn-statutory"),
    ]
    assert await look(desk) == {}


async def test_a_visit_that_runs_by_another_pack_is_left_alone(desk: Desk) -> None:
    await desk.assign("37401", "service-window")
    visit = Round(desk)
    await desk.hear(visit.appointed(*WINDOW))
    before = await visit.deadlines()
    await desk.publish(**ARCHIVE)
    job = await recalculate(desk, cause="policy_version", policy="t-sdpea", to="timely")
    assert (await visit.deadlines(), job["moved"]) == (before, 0)


async def test_visits_are_brought_to_what_counts_for_their_unit(desk: Desk) -> None:
    await desk.publish(**ARCHIVE)
    visit, over = Round(desk), Round(desk)
    await desk.hear(visit.appointed(*WINDOW), visit.did(VisitCompleted, "10-09T09:50"))
    await desk.hear(over.did(VisitCompleted, "10-08T09:50"))
    await desk.publish_days("qingdao", stop_work("2026-10-12"))
    await desk.assign("37401", "timely", calendar="qingdao")
    assert await visit.states() == []
    job = await recalculate(desk, cause="assignment", unit_code="374")
    assert job["moved"] == 1
    assert await clocks(visit) == [("archive", 1, "running", "timely@1", "qingdao")]
    assert await clocks(over) == [], "it was over before the choice counted"
    assert (await visit.deadlines())[0]["due_at"] == "2026-10-13T16:00:00Z"


async def test_an_open_appeal_keeps_the_archive_waiting_all_the_same(desk: Desk) -> None:
    visit = Round(desk)
    appeal = await visit.raise_appeal()
    await desk.hear(visit.did(VisitCompleted, "10-09T09:50"))
    await desk.publish(**ARCHIVE)
    await desk.assign("37401", "timely")
    await recalculate(desk, cause="assignment", unit_code="37401")
    assert await visit.states() == []
    await visit.close(appeal)
    assert await visit.states() == [("archive", 1, "running")]


async def test_a_unit_that_is_heard_of_while_its_visit_is_finds_it(windowed: Desk) -> None:
    visit = Round(windowed, unit_code="37701")
    event, now = visit.appointed(*WINDOW), windowed.clock.now()
    message = Message(new_id(), event.type, "/visit_api", event.subject, now, event, None)
    async with windowed.runtime.db.transaction() as tx:
        await visits.heard(windowed.runtime, on_visits, tx, [message])
        hearing = asyncio.create_task(windowed.hear(unit("37701", "377")))

        async def waits() -> bool:
            waiting = await windowed.rows("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            return bool(waiting) or hearing.done()

        await eventually(waits)
    await hearing
    assert await clocks(visit) == [("arrival", 1, "running", "service-window@1", "cn-statutory")]


async def test_visits_that_an_older_version_heard_of_are_looked_at_once_their_line_is(databases: Databases) -> None:
    """Nobody kept which of them came before their units: those that have no clock may have."""
    url = databases.server.ensure_database(f"older_{new_id().hex}").migration
    await migrate.upgrade("appeal_tracker", url, "0002")
    its = await asyncpg.connect(url)
    plain, timed, over = new_id(), new_id(), new_id()
    keep = "INSERT INTO visits (id, unit_code, window_from, archived_at, updated_at) VALUES ($1, '1', now(), $2, now())"
    for visit, archived in ((plain, None), (timed, None), (over, RECEIVED)):
        await its.execute(keep, visit, archived)
    await its.execute(
        "INSERT INTO clocks (id, subject_kind, subject_id, round, milestone, started_at, due_at, policy, calendar,"
        " provisional, state) VALUES ($1, 'visit', $2, 1, 'arrival', now(), now(), 'a@1', 'b@1', false, 'running')",
        new_id(),
        timed,
    )
    await migrate.upgrade("appeal_tracker", url)
    assert [row["id"] for row in await its.fetch("SELECT id FROM visits WHERE policy_assumed")] == [plain]
    await its.close()


async def test_a_visit_that_an_older_version_heard_of_meanwhile_is_looked_at_when_it_is_asked_for(
    desk: Desk, owner: asyncpg.Connection
) -> None:
    """While the older one is being replaced it keeps visits as here, without a mark; see `docs/upgrading.md`."""
    await desk.assign("374", "service-window")
    visit = Round(desk)
    keep = "INSERT INTO visits (id, unit_code, window_from, updated_at) VALUES ($1, '37401', $2, now())"
    await owner.execute(keep, visit.id, instant(WINDOW[0]))
    job = await recalculate(desk, cause="assignment", unit_code="374")
    assert (job["state"], job["done"]) == ("done", 1)
    assert await clocks(visit) == [("arrival", 1, "running", "service-window@1", "cn-statutory")]
