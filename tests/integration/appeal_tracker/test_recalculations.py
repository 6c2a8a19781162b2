"""A calendar changes, a policy changes, the units turn out to be others: what is open moves, and it is on record."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text

from appeal_tracker.calendars.festivals import statutory_days
from appeal_tracker.calendars.loader import packaged_notices
from appeal_tracker.recalculations import concerned, writing
from appeal_tracker.recalculations.worker import Recalculating
from chassis.ids import new_id
from tests.integration.appeal_tracker.desk import RECEIVED, Desk, got, instant, made, problem

NOTICE = "国办发明电〔2026〕9号"
LATE = datetime.fromisoformat("2026-12-25T10:00:00+08:00")


def year_2027(*days: tuple[str, bool, str]) -> dict[str, Any]:
    """2027 as a notice would give it: the statutory days, and the days moved around them."""
    statutory = [{"name": day.name, "date": day.date.isoformat(), "isOffDay": True} for day in statutory_days(2027)]
    moved = [{"name": name, "date": day, "isOffDay": off} for day, off, name in days]
    return {"year": 2027, "papers": [NOTICE], "days": [*statutory, *moved]}


def stop_work(*days: str, extends: str | None = "cn-statutory") -> dict[str, Any]:
    listed = [{"name": "台风停工", "date": day, "isOffDay": True} for day in days]
    return {"extends": extends, "papers": ["青政发〔2026〕1号"], "days": listed}


async def publish(desk: Desk, calendar: str, document: dict[str, Any]) -> dict[str, Any]:
    """What was answered; the job has ended."""
    published = await made(desk.admin.post(f"/calendars/{calendar}/versions", json=document))
    await desk.stack.settle()
    return await got(desk.admin.get(f"/recalculations/{published['recalculation']['id']}"))


async def would(desk: Desk, calendar: str, document: dict[str, Any]) -> dict[str, Any]:
    return await got(desk.admin.post(f"/calendars/{calendar}/versions", json=document, params={"dry_run": "true"}))


async def recalculate(desk: Desk, **body: Any) -> dict[str, Any]:
    job = await made(desk.admin.post("/recalculations", json=body))
    await desk.stack.settle()
    return await got(desk.admin.get(f"/recalculations/{job['id']}"))


async def changes(desk: Desk, job: dict[str, Any]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await got(desk.admin.get(f"/recalculations/{job['id']}/changes")))["items"]
    return items


def worker(desk: Desk) -> Recalculating:
    return next(w for w in desk.stack["appeal_tracker"].workers if isinstance(w, Recalculating))


async def test_a_year_that_is_published_makes_its_deadlines_certain_and_moves_them(desk: Desk) -> None:
    """Bug classes: unpublished year; calendar changed later."""
    desk.clock.set(LATE)
    case = await desk.raised(received_at=LATE)
    before = await desk.clocks(case)
    assert (before["answer"]["due_at"], before["answer"]["provisional"]) == ("2027-01-06T16:00:00Z", True)
    notice = year_2027(("2027-01-04", True, "元旦"), ("2027-01-09", False, "元旦补班"))
    job = await publish(desk, "cn-statutory", notice)
    after = await desk.clocks(case)
    assert (after["answer"]["due_at"], after["answer"]["provisional"]) == ("2027-01-07T16:00:00Z", False)
    assert after["answer"]["calendar"] == "cn-statutory@2"
    assert after["contact"] == before["contact"], "hours pass by holidays and by notices alike"
    assert (job["state"], job["total"], job["done"], job["moved"], job["breaching"]) == ("done", 1, 1, 1, 0)
    (change,) = await changes(desk, job)
    assert (change["subject_id"], change["old_due_at"], change["due_at"]) == (
        case,
        "2027-01-06T16:00:00Z",
        "2027-01-07T16:00:00Z",
    )
    (entry,) = [entry for entry in await desk.timeline(case) if entry["kind"] == "deadline_recalculated"]
    kept = entry["data"]
    assert entry["actor"] == "E009"
    assert (kept["cause"], kept["old_calendar"], kept["calendar"], kept["recalculation_id"]) == (
        "calendar_version",
        "cn-statutory@1",
        "cn-statutory@2",
        job["id"],
    )
    (told,) = await desk.told("deadline.recalculated.v1")
    assert (told["old_due_at"], told["due_at"], told["provisional"], told["cause"]) == (
        "2027-01-06T16:00:00Z",
        "2027-01-07T16:00:00Z",
        False,
        "calendar_version",
    )


async def test_what_only_becomes_certain_is_told_too(desk: Desk) -> None:
    desk.clock.set(LATE)
    case = await desk.raised(received_at=LATE)
    job = await publish(desk, "cn-statutory", year_2027())
    clock = (await desk.clocks(case))["answer"]
    assert (clock["due_at"], clock["provisional"]) == ("2027-01-06T16:00:00Z", False)
    (change,) = await changes(desk, job)
    assert (change["old_provisional"], change["provisional"]) == (True, False)


async def test_a_dry_run_says_what_the_job_then_does(desk: Desk) -> None:
    desk.clock.set(LATE)
    cases = [await desk.raised(received_at=LATE - timedelta(days=days)) for days in range(6)]
    notice = year_2027(("2027-01-04", True, "元旦"), ("2027-01-09", False, "元旦补班"))
    before = [await desk.appeal(case) for case in cases]
    said = await would(desk, "cn-statutory", notice)
    assert (said["published"], said["version"], said["recalculation"]) == (False, 2, None)
    days = {change["date"]: (change["before"]["working"], change["after"]["working"]) for change in said["changes"]}
    assert days == {"2027-01-04": (True, False), "2027-01-09": (False, True)}
    assert [await desk.appeal(case) for case in cases] == before, "nothing is stored"
    job = await publish(desk, "cn-statutory", notice)
    preview = said["preview"]
    assert (preview["total"], preview["moved"], preview["breaching"]) == (
        job["total"],
        job["moved"],
        job["breaching"],
    )
    assert 0 < job["moved"] < job["total"], "some are touched by their last step alone"
    assert sorted(preview["items"], key=_clock) == sorted(await changes(desk, job), key=_clock)


def _clock(change: dict[str, Any]) -> str:
    return str(change["clock_id"])


async def test_a_dry_run_is_read_page_by_page(desk: Desk) -> None:
    desk.clock.set(LATE)
    for _ in range(7):
        await desk.raised(received_at=LATE)
    path, notice = "/calendars/cn-statutory/versions", year_2027(("2027-01-04", True, "元旦"))
    found: list[str] = []
    query: dict[str, Any] = {"dry_run": "true", "limit": 3}
    while True:
        page = (await got(desk.admin.post(path, json=notice, params=query)))["preview"]
        assert len(page["items"]) <= 3
        assert (page["moved"] == 7) == ("cursor" not in query)
        found += [item["clock_id"] for item in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert len(found) == len(set(found)) == 7


async def test_a_typhoon_stops_work_for_those_who_count_on_that_overlay(desk: Desk) -> None:
    await made(desk.admin.post("/calendars/qingdao/versions", json=stop_work("2026-11-02")))
    etag = (await desk.admin.get("/units/37401/policy")).headers["etag"]
    body = {"policy": "t-sdpea", "calendar": "qingdao"}
    await got(desk.admin.put("/units/37401/policy", json=body, headers={"If-Match": etag}))
    now = desk.clock.now()
    there, elsewhere = [await desk.raised(received_at=now, unit_code=code) for code in ("37401", "37402")]
    assert (await desk.clocks(there))["answer"]["calendar"] == "qingdao@1+cn-statutory@1"
    untouched = await desk.clocks(elsewhere)
    job = await publish(desk, "qingdao", stop_work("2026-11-02", "2026-10-13", "2026-10-14"))
    clock = (await desk.clocks(there))["answer"]
    assert (clock["due_at"], clock["calendar"]) == ("2026-10-21T16:00:00Z", "qingdao@2+cn-statutory@1")
    assert job["moved"] == 1
    assert await desk.clocks(elsewhere) == untouched


async def test_what_lies_over_a_calendar_moves_with_it(desk: Desk) -> None:
    desk.clock.set(LATE)
    await made(desk.admin.post("/calendars/qingdao/versions", json=stop_work("2026-12-28")))
    etag = (await desk.admin.get("/units/37401/policy")).headers["etag"]
    body = {"policy": "t-sdpea", "calendar": "qingdao"}
    await got(desk.admin.put("/units/37401/policy", json=body, headers={"If-Match": etag}))
    case = await desk.raised(received_at=LATE)
    assert (await desk.clocks(case))["answer"]["due_at"] == "2027-01-07T16:00:00Z"
    await publish(desk, "cn-statutory", year_2027(("2027-01-04", True, "元旦"), ("2027-01-09", False, "元旦补班")))
    clock = (await desk.clocks(case))["answer"]
    assert (clock["due_at"], clock["calendar"]) == ("2027-01-08T16:00:00Z", "qingdao@1+cn-statutory@2")


async def test_clocks_that_the_changed_days_cannot_touch_keep_their_row(desk: Desk, owner: asyncpg.Connection) -> None:
    case = await desk.raised()
    rows = "SELECT c.xmin, c.*, t.xmin, t.* FROM clocks c JOIN timers t ON t.clock_id = c.id ORDER BY c.id, t.step"
    before = [tuple(row) for row in await owner.fetch(rows)]
    job = await publish(desk, "cn-statutory", year_2027())
    assert (job["state"], job["total"], job["moved"]) == ("done", 0, 0)
    assert [tuple(row) for row in await owner.fetch(rows)] == before
    assert (await desk.clocks(case))["answer"]["calendar"] == "cn-statutory@1"


async def test_a_step_after_the_deadline_moves_though_the_deadline_does_not(desk: Desk) -> None:
    received = datetime.fromisoformat("2026-12-22T10:00:00+08:00")
    desk.clock.set(received)
    case = await desk.raised(received_at=received)
    before = {timer["step"]: timer for timer in await _timers(desk, case, "answer")}
    job = await publish(desk, "cn-statutory", year_2027(("2027-01-04", True, "元旦"), ("2027-01-09", False, "补班")))
    after = {timer["step"]: timer for timer in await _timers(desk, case, "answer")}
    moved = {step for step in before if before[step]["fire_at"] != after[step]["fire_at"]}
    assert moved == {"+1wd"}
    assert (job["done"], job["moved"]) == (1, 0)
    assert not await desk.told("deadline.recalculated.v1")
    (kept,) = [entry for entry in await desk.timeline(case) if entry["kind"] == "deadline_kept"]
    assert (kept["actor"], kept["data"]["cause"], kept["data"]["calendar"]) == (
        "E009",
        "calendar_version",
        "cn-statutory@2",
    )


async def _timers(desk: Desk, case: str, milestone: str) -> list[dict[str, Any]]:
    deadlines = (await got(desk.supervisor.get(f"/appeals/{case}/deadlines")))["items"]
    its: list[dict[str, Any]] = next(each for each in deadlines if each["milestone"] == milestone)["timers"]
    return its


async def test_recorded_breaches_and_what_has_ended_stay(desk: Desk) -> None:
    """Bug class: calendar changed later: breaches already recorded stay."""
    breached, met = [await desk.raised() for _ in range(2)]
    desk.clock.set(instant("10-09T12:00"))
    await desk.answer(met, "10-09T11:00")
    await desk.at("10-20T00:01")
    before = [await desk.clocks(case) for case in (breached, met)]
    assert [its["answer"]["state"] for its in before] == ["breached", "met"]
    job = await publish(desk, "cn-statutory", with_day_off("2026-10-13"))
    assert [await desk.clocks(case) for case in (breached, met)] == before
    assert (job["total"], job["moved"]) == (0, 0)


def with_day_off(day: str) -> dict[str, Any]:
    """2026 as it was published, with one more day off."""
    notice = next(notice for notice in packaged_notices() if notice.year == 2026)
    days = [
        {"name": each.name, "date": each.date.isoformat(), "isOffDay": not each.working, "source": each.source}
        for each in notice.days
        if each.date != date.fromisoformat(day)
    ]
    return {"year": 2026, "papers": [*notice.papers], "days": [*days, {"name": "加休", "date": day, "isOffDay": True}]}


@pytest.mark.parametrize("ends", ["withdraw", "reclassify"])
async def test_what_was_past_when_it_ended_is_moved_no_more_though_nobody_had_recorded_it(
    desk: Desk, ends: str
) -> None:
    """It would run on, and go up its ladder, on an appeal that is over."""
    await made(desk.admin.post("/calendars/qingdao/versions", json=stop_work("2026-10-12")))
    await desk.assign("37401", "t-sdpea", calendar="qingdao")
    case = await desk.raised(received_at=desk.clock.now())  # the answer is due at the end of 10-20
    batch, desk.escalation.config.batch = desk.escalation.config.batch, 0  # nobody looks
    try:
        await desk.at("10-21T09:00")
        if ends == "withdraw":
            await desk.act(case, "withdraw", at="10-21T08:30", channel="phone")
        else:
            await desk.act(case, "reclassify", type="report", reason="实为举报")
        body = stop_work("2026-10-12", "2026-10-19", "2026-10-20")
        said = await would(desk, "qingdao", body)
        job = await publish(desk, "qingdao", body)
        assert (said["preview"]["moved"], job["state"], job["moved"]) == (0, "done", 0)
    finally:
        desk.escalation.config.batch = batch
    await desk.at("11-02T09:00")
    clock = next(each for each in (await desk.appeal(case))["clocks"] if each["milestone"] == "answer")
    assert (clock["state"], clock["due_at"]) == ("breached", "2026-10-20T16:00:00Z")
    assert not [each for each in await desk.told("deadline.escalated.v1") if each["milestone"] == "answer"]


async def test_what_is_held_meanwhile_moves_too_and_is_resumed_by_the_new_days(desk: Desk) -> None:
    """Bug class: calendar changed later: open and held appeals are recomputed."""
    limit = {"milestone": "answer", "within": "10 working days", "clause": "企标 2", "holdable": True}
    await made(desk.admin.post("/calendars/qingdao/versions", json=stop_work("2026-11-20")))
    await desk.publish(id="own", calendar="qingdao", appeals={"report": [limit]})
    await desk.assign("37401", "own")
    case = await desk.raised(appeal_type="report", received_at=desk.clock.now())
    await desk.at("10-12T09:00")
    await desk.act(case, "hold", reason="等待客户材料")
    job = await publish(desk, "qingdao", stop_work("2026-10-20", "2026-11-20"))
    clock = (await desk.clocks(case))["answer"]
    assert (clock["state"], clock["due_at"], job["moved"]) == ("held", "2026-10-23T16:00:00Z", 1)
    await desk.at("10-14T09:00")
    await desk.act(case, "resume")
    clock = (await desk.clocks(case))["answer"]  # without the 13th, which was held, and the 20th, which is off
    assert (clock["state"], clock["due_at"]) == ("running", "2026-10-26T16:00:00Z")


async def test_a_step_of_anothers_ladder_moves_though_the_promise_alone_would_not(desk: Desk) -> None:
    """The leader goes up its own ladder along the promise of what is merged with it."""
    contact = {"milestone": "contact", "within": "24 hours", "clause": "企标 1"}
    ladder = [
        {"at": 0.75, "tell": ["owner", "unit_supervisors"], "mandatory": True},
        {"at": "+2h", "tell": ["unit_supervisors", "parent_unit_supervisors"], "mandatory": True},
        {"at": "+1wd", "tell": ["parent_unit_supervisors"]},
    ]
    await made(desk.admin.post("/calendars/qingdao/versions", json=stop_work("2026-11-20")))
    await desk.publish(id="own", appeals={"complaint": [{**contact, "ladder": ladder}]})
    await desk.assign("37401", "own", calendar="qingdao")
    await desk.assign("37402", "t-sdpea", calendar="qingdao")
    customer = new_id()
    await desk.at("10-16T09:30")  # a Friday
    child = await desk.raised(unit_code="37402", customer_id=customer, received_at=instant("10-15T10:00"))
    leader = await desk.raised(customer_id=customer, received_at=instant("10-16T09:00"))
    await desk.act(child, "merge", into=leader)

    async def last_step() -> datetime:
        (row,) = await desk.rows(
            "SELECT fire_at FROM timers WHERE step = '+1wd' AND phase = 'after' AND clock_id = $1",
            UUID((await desk.clocks(leader))["contact"]["id"]),
        )
        moment: datetime = row["fire_at"]
        return moment

    assert await last_step() == instant("10-19T10:00")
    saturday = {"name": "补班", "date": "2026-10-17", "isOffDay": False}
    await publish(desk, "qingdao", {**stop_work("2026-11-20"), "days": [*stop_work("2026-11-20")["days"], saturday]})
    assert await last_step() == instant("10-17T10:00")


@pytest.mark.parametrize(
    ("within", "step", "off", "was", "becomes"),
    [
        # Further than the leader's own last step reaches.
        ("7 working days", "+5wd", "2026-10-23", "10-27T00:00", "10-28T00:00"),
        # Back to the very day on which it began.
        ("80 hours", "-2wd", "2026-10-09", "10-09T18:00", "10-09T10:00"),
    ],
)
async def test_a_step_of_a_followers_ladder_moves_with_the_leaders_calendar_alone(
    desk: Desk, within: str, step: str, off: str, was: str, becomes: str
) -> None:
    """The leader climbs it along its own way; the calendar of the follower is another, and does not change."""
    own = {"milestone": "answer", "within": within, "clause": "企标 1", "ladder": [{"at": 0.5, "tell": ["owner"]}]}
    await made(desk.admin.post("/calendars/qingdao/versions", json=stop_work("2026-11-20")))
    await desk.publish(id="short", appeals={"report": [own]})
    further = [*own["ladder"], {"at": step, "tell": ["parent_unit_supervisors"]}]
    await desk.publish(id="long", appeals={"report": [{**own, "ladder": further}]})
    await desk.assign("37401", "short", calendar="qingdao")
    await desk.assign("37402", "long")
    its = {"appeal_type": "report", "customer_id": new_id(), "received_at": desk.clock.now()}
    leader = await desk.raised(**its)
    await desk.act(await desk.raised(unit_code="37402", **its), "merge", into=leader)

    async def fires_at() -> datetime:
        clock = (await desk.clocks(leader))["answer"]["id"]
        (row,) = await desk.rows("SELECT fire_at FROM timers WHERE step = $1 AND clock_id = $2", step, UUID(clock))
        moment: datetime = row["fire_at"]
        return moment

    assert await fires_at() == instant(was)
    await publish(desk, "qingdao", stop_work("2026-11-20", off))
    assert await fires_at() == instant(becomes)


_MANY = """
INSERT INTO clocks (id, subject_kind, subject_id, round, milestone, appeal_type, started_at, due_at, policy, calendar,
                    provisional, state, follows)
SELECT gen_random_uuid(), 'appeal', gen_random_uuid(), 1, 'answer', 'complaint', now(), now(), 't-sdpea@1',
       'cn-statutory@1', false, 'running', CASE WHEN n % 2 = 0 THEN gen_random_uuid() END
FROM generate_series(1, 3000) AS n
"""


@pytest.mark.parametrize("sql", [concerned._COUNT_TOUCHED, concerned._NEXT_TOUCHED])
async def test_whoever_leads_is_found_by_the_index_of_what_follows(
    desk: Desk, owner: asyncpg.Connection, sql: str
) -> None:
    """And not in all clocks that follow, however many they are, batch by batch."""
    await owner.execute(_MANY)
    await owner.execute("ANALYZE clocks")
    day = timedelta(days=1)
    kin = ["t-sdpea@1", "cn-statutory@1", "visit", "complaint", "answer"]
    stretch, held = [*([each] for each in kin), [RECEIVED], [RECEIVED + day]], [["cn-statutory@1"], [RECEIVED + day]]
    batch = [UUID(int=0), 500] if sql == concerned._NEXT_TOUCHED else []
    for mode in ("force_custom_plan", "force_generic_plan"):
        await owner.execute(f"SET plan_cache_mode = {mode}")
        rows = await owner.fetch(f"EXPLAIN {sql}", *stretch, *held, *batch)
        plan = "\n".join(row[0] for row in rows)
        assert "using clocks_follows on clocks f" in plan, plan
        assert "Index Cond: (follows = " in plan, plan


async def test_fired_steps_stay_fired_and_the_others_move(desk: Desk) -> None:
    case = await desk.raised()
    await desk.at("10-15T09:00")
    before = {timer["step"]: timer for timer in await _timers(desk, case, "answer")}
    assert before["0.5"]["state"] == "fired"
    await publish(desk, "cn-statutory", with_day_off("2026-10-13"))
    after = {timer["step"]: timer for timer in await _timers(desk, case, "answer")}
    assert after["0.5"] == before["0.5"]
    assert {step for step in after if after[step]["fire_at"] != before[step]["fire_at"]} == {
        "0.75",
        "-1wd",
        "due",
        "+1wd",
    }
    await desk.at("10-21T00:01")
    assert [event["step"] for event in await desk.told("deadline.warned.v1") if event["milestone"] == "answer"] == [
        "0.5",
        "0.75",
        "-1wd",
    ]


async def test_what_falls_into_the_past_by_it_is_breached_at_the_next_turn(desk: Desk) -> None:
    """A day off that turns into a working day: the promise was kept by a calendar that no longer is."""
    await publish(desk, "cn-statutory", with_day_off("2026-10-13"))
    case = await desk.raised()
    assert (await desk.clocks(case))["answer"]["due_at"] == "2026-10-20T16:00:00Z"
    await desk.at("10-20T10:00")
    document = with_day_off("2026-12-31")
    assert (await would(desk, "cn-statutory", document))["preview"]["breaching"] == 1
    job = await publish(desk, "cn-statutory", document)
    assert (job["moved"], job["breaching"]) == (1, 1)
    clock = (await desk.clocks(case))["answer"]
    assert (clock["due_at"], clock["state"]) == ("2026-10-19T16:00:00Z", "breached")
    (event,) = [event for event in await desk.told("deadline.breached.v1") if event["milestone"] == "answer"]
    assert event["late"]


async def test_whoever_opened_by_the_old_version_while_it_was_published_is_not_missed(desk: Desk) -> None:
    """A transaction reads the calendars, a version is published, and only then the appeal is opened."""
    desk.clock.set(LATE)
    async with desk.runtime.db.transaction() as tx:
        await tx.execute(text("SELECT 1"))  # begun before the publication, by the old calendars
        published = await made(desk.admin.post("/calendars/cn-statutory/versions", json=year_2027()))
        await desk.stack.settle()
        path = f"/recalculations/{published['recalculation']['id']}"
        assert (await got(desk.admin.get(path)))["state"] == "running"
        case = await desk.raised(received_at=LATE)
        await tx.execute(
            text("UPDATE clocks SET calendar = 'cn-statutory@1', provisional = true WHERE milestone = 'answer'")
        )
    await desk.stack.settle()
    assert (await got(desk.admin.get(path)))["state"] == "done"
    clock = (await desk.clocks(case))["answer"]
    assert (clock["calendar"], clock["provisional"]) == ("cn-statutory@2", False)


async def test_an_appeal_that_somebody_acts_on_is_come_back_to(desk: Desk) -> None:
    """The job waits for nobody and holds nobody up: it leaves what is held, and finds it again."""
    desk.clock.set(LATE)
    acted_on, other = [await desk.raised(received_at=LATE) for _ in range(2)]
    async with desk.runtime.db.transaction() as tx:
        await tx.execute(text("SELECT FROM appeals WHERE id = :id FOR UPDATE"), {"id": UUID(acted_on)})
        published = await made(desk.admin.post("/calendars/cn-statutory/versions", json=year_2027()))
        for _ in range(6):
            await worker(desk).run_once()
        assert (await desk.clocks(other))["answer"]["calendar"] == "cn-statutory@2"
        assert (await desk.clocks(acted_on))["answer"]["calendar"] == "cn-statutory@1"
    await desk.stack.settle()
    job = await got(desk.admin.get(f"/recalculations/{published['recalculation']['id']}"))
    assert (job["state"], job["done"], job["moved"]) == ("done", 2, 2)
    assert (await desk.clocks(acted_on))["answer"]["calendar"] == "cn-statutory@2"


async def test_acts_and_the_job_at_once(desk: Desk) -> None:
    desk.clock.set(LATE)
    cases = [await desk.raised(received_at=LATE) for _ in range(20)]
    published = await made(desk.admin.post("/calendars/cn-statutory/versions", json=year_2027()))
    at = LATE.isoformat()

    async def act(case: str) -> None:
        await made(
            desk.first.post(f"/appeals/{case}/contacts", json={"at": at, "channel": "phone", "result": "reached"})
        )
        await made(desk.first.post(f"/appeals/{case}/answers", json={"at": at, "content": "已答复"}))

    await asyncio.gather(desk.stack.settle(), *(act(case) for case in cases[::2]))
    await desk.stack.settle()
    job = await got(desk.admin.get(f"/recalculations/{published['recalculation']['id']}"))
    assert job["state"] == "done"
    for place, case in enumerate(cases):
        clock = (await desk.clocks(case))["answer"]
        assert clock["state"] == ("met" if place % 2 == 0 else "running")
        assert clock["state"] == "met" or clock["calendar"] == "cn-statutory@2"


async def test_a_job_that_was_cut_short_goes_on_where_it_stood(desk: Desk) -> None:
    """The worker is given up between two batches, and another one, which knows nothing, takes over."""
    desk.clock.set(LATE)
    for _ in range(9):
        await desk.raised(received_at=LATE)
    published = await made(desk.admin.post("/calendars/cn-statutory/versions", json=year_2027()))
    path = f"/recalculations/{published['recalculation']['id']}"
    first, second = (Recalculating(desk.runtime) for _ in range(2))
    for each in (first, second):
        each.config.lanes = 1
    await _few_at_once(first, turns=2)
    await first.close()  # as dying does: the lock goes with the connection
    job = await got(desk.admin.get(path))
    assert (job["state"], job["total"]) == ("running", 9)
    assert 0 < job["done"] < 9
    while await second.run_once():
        pass
    await second.close()
    job = await got(desk.admin.get(path))
    assert (job["state"], job["total"], job["done"], job["moved"]) == ("done", 9, 9, 9)
    assert len({change["clock_id"] for change in await changes(desk, job)}) == 9
    assert len(await desk.told("deadline.recalculated.v1")) == 9


async def _few_at_once(its: Recalculating, turns: int) -> None:
    """Begins a job, and does `turns` batches of two."""
    await its.run_once()
    assert its._turn is not None
    its._turn.errand.most = 2
    for _ in range(turns):
        await its.run_once()


async def test_while_somebody_waits_for_this_process_it_takes_little_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request, or an event that is heard, has its turn between small parts, and is let go before the next of them for
    as long as those before it took; and for a moment before what moves is written."""
    desk.clock.set(LATE)
    for _ in range(12):
        await desk.raised(received_at=LATE)
    its = Recalculating(desk.runtime)
    its.config.lanes, its.config.few, its.config.small = 2, 1, 2
    await made(desk.admin.post("/calendars/cn-statutory/versions", json=year_2027()))
    running, taken, batch = 0, list[tuple[int, int]](), its._batch

    async def watched(job: Any, turn: Any, ids: list[UUID]) -> bool:
        nonlocal running
        running += 1
        await asyncio.sleep(0)
        taken.append((len(ids), running))
        try:
            return await batch(job, turn, ids)
        finally:
            running -= 1

    patience = list[float]()
    leisure = desk.runtime.db.leisure

    async def waited(seconds: float) -> None:
        patience.append(seconds)
        await leisure(seconds)

    monkeypatch.setattr(its, "_batch", watched)
    monkeypatch.setattr(desk.runtime.db, "leisure", waited)
    await its.run_once()
    assert its._turn is not None
    its._turn.errand.most = 3
    await desk.supervisor.get("/appeals")
    await its.run_once()
    assert taken == [(2, 1), (2, 1), (2, 1)]
    parts = [place for place, seconds in enumerate(patience) if seconds != writing._MOMENT]
    assert parts == [0, 4, 8], "and of each part its clocks, its timelines, and what is told"
    assert [patience[place] > 0 for place in parts] == [False, True, True]
    its.config.attentive = 0.0
    await its.run_once()
    assert taken[3:] == [(3, 2), (3, 2)]
    await its.close()


async def test_it_rests_while_much_waits_to_be_told(desk: Desk) -> None:
    desk.clock.set(LATE)
    for _ in range(3):
        await desk.raised(received_at=LATE)
    its = Recalculating(desk.runtime)
    its.config.deep = 1
    await made(desk.admin.post("/calendars/cn-statutory/versions", json=year_2027()))
    row = "INSERT INTO outbox (id, aggregatetype, aggregateid, type, source, subject, time, payload)"
    await desk.rows(f"{row} VALUES (gen_random_uuid(), 'appeal.events', 'x', 'x', '/x', 'x', now(), NULL)")
    assert await its.run_once()  # begins
    assert not await its.run_once()
    await desk.rows("UPDATE outbox SET published_at = now()")
    assert await its.run_once()
    await its.close()


async def test_only_an_admin_of_a_top_level_unit_recalculates_and_an_auditor_reads(desk: Desk) -> None:
    body = {"cause": "calendar_version", "calendar": "cn-statutory"}
    below = desk.client("admin", unit="37401")
    assert (await below.post("/recalculations", json=body)).status_code == 403
    assert (await below.post("/calendars/cn-statutory/versions", json=year_2027())).status_code == 403
    assert (await desk.supervisor.post("/recalculations", json=body)).status_code == 403
    job = await recalculate(desk, **body)
    auditor = desk.client("auditor", unit="374")
    assert (await got(auditor.get(f"/recalculations/{job['id']}")))["id"] == job["id"]
    assert [each["id"] for each in (await got(auditor.get("/recalculations")))["items"]] == [job["id"]]
    assert (await desk.supervisor.get("/recalculations")).status_code == 403
    problem(await desk.admin.get(f"/recalculations/{UUID(int=1)}"), 404, "recalculation-not-found")


async def test_changes_are_shown_of_what_the_caller_may_see(desk: Desk) -> None:
    desk.clock.set(LATE)
    mine, theirs = [await desk.raised(received_at=LATE, unit_code=code) for code in ("37401", "375")]
    said = (await would(desk, "cn-statutory", year_2027()))["preview"]
    assert (said["moved"], [item["subject_id"] for item in said["items"]]) == (2, [mine])
    job = await publish(desk, "cn-statutory", year_2027())
    assert [change["subject_id"] for change in await changes(desk, job)] == [mine]
    shown = await got(desk.stranger.get(f"/recalculations/{job['id']}/changes"))
    assert [change["subject_id"] for change in shown["items"]] == [theirs]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"cause": "calendar_version"}, "/calendar"),
        ({"cause": "calendar_version", "calendar": "cn-statutory", "policy": "t-sdpea"}, "/policy"),
        ({"cause": "calendar_version", "calendar": "none-such"}, "/calendar"),
        ({"cause": "policy_version", "policy": "none-such"}, "/policy"),
        ({"cause": "policy_version", "policy": "t-sdpea", "to": "none-such"}, "/to"),
        ({"cause": "policy_version", "policy": "t-sdpea", "version": 9}, "/version"),
        ({"cause": "assignment"}, "/unit_code"),
        ({"cause": "assignment", "unit_code": "375"}, "/unit_code"),
    ],
)
async def test_what_cannot_be_meant_is_refused(desk: Desk, body: dict[str, Any], pointer: str) -> None:
    answer = await desk.admin.post("/recalculations", json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_a_refused_notice_publishes_and_starts_nothing(desk: Desk) -> None:
    problem(
        await desk.admin.post("/calendars/cn-statutory/versions", json={"year": 2027, "papers": ["x"], "days": []}),
        422,
        "half-year",
    )
    assert (await got(desk.admin.get("/recalculations")))["items"] == []
    assert not await desk.rows("SELECT FROM calendar_versions WHERE version > 1")
