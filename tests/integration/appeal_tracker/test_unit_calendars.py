"""A unit's own calendar: its appeals are counted on it, and no pack grows lax by it."""

import asyncio
from typing import Any

import pytest
from asyncpg import Connection

from appeal_tracker.policies import publishing
from chassis.web.tokens import Principal
from tests.integration.appeal_tracker.desk import Desk, got, problem
from tests.integration.appeal_tracker.test_audit import look
from tests.integration.appeal_tracker.test_publishing_calendars import AUGUST, report, typhoon
from tests.integration.appeal_tracker.test_recalculations import recalculate
from tests.support.eventually import eventually
from tests.unit.appeal_tracker.test_calendar import notice_2027

ANY = {"If-Match": "*"}
STOPPED = "2026-10-12"  # a Monday


@pytest.fixture
async def qingdao(desk: Desk) -> Desk:
    """The desk, where a typhoon stopped work in Qingdao."""
    await desk.publish_days("qingdao", typhoon(STOPPED))
    return desk


async def refused(desk: Desk, slug: str, pointer: str, **body: Any) -> dict[str, Any]:
    found = problem(await desk.admin.put("/units/37401/policy", json=body, headers=ANY), 422, slug)
    assert pointer in [error["pointer"] for error in found["errors"]]
    return found


async def test_an_appeal_is_counted_on_its_units_calendar(qingdao: Desk) -> None:
    before = await qingdao.clocks(await qingdao.raised())
    shown = await qingdao.assign("37401", "t-sdpea", calendar="qingdao")
    assert (shown["calendar"], shown["own"][0]["calendar"], shown["laxer"]) == ("qingdao", "qingdao", [])
    after = await qingdao.clocks(await qingdao.raised())
    assert (before["answer"]["due_at"], after["answer"]["due_at"]) == ("2026-10-19T16:00:00Z", "2026-10-20T16:00:00Z")
    assert after["answer"]["calendar"] == "qingdao@1+cn-statutory@1"
    assert after["contact"]["due_at"] == before["contact"]["due_at"], "hours run through any day"


async def test_a_calculation_for_the_unit_agrees(qingdao: Desk) -> None:
    await qingdao.assign("37401", "t-sdpea", calendar="qingdao")
    clocks = await qingdao.clocks(await qingdao.raised())
    case = {"appeal_type": "complaint", "received_at": "2026-10-09T09:30:00+08:00"}
    found = await got(qingdao.first.post("/deadline-calculations", json={**case, "unit_code": "37401"}))
    assert (found["calendar"], found["clocks"][1]["due_at"]) == ("qingdao@1+cn-statutory@1", clocks["answer"]["due_at"])
    assert (await got(qingdao.first.post("/deadline-calculations", json=case)))["calendar"] == "cn-statutory@1"
    other = {**case, "unit_code": "37401", "policy": "state-grid"}
    found = await got(qingdao.first.post("/deadline-calculations", json=other))
    assert (found["policy"], found["calendar"]) == ("state-grid@1", "qingdao@1+cn-statutory@1"), (
        "as it would be brought"
    )


async def test_units_below_inherit_the_calendar_with_the_choice(qingdao: Desk) -> None:
    await qingdao.assign("374", "state-grid", calendar="qingdao")
    shown = await got(qingdao.supervisor.get("/units/37402/policy"))
    assert (shown["policy"], shown["calendar"], shown["origin"]) == ("state-grid", "qingdao", "inherited")
    await qingdao.assign("37402", "state-grid")
    shown = await got(qingdao.supervisor.get("/units/37402/policy"))
    assert (shown["calendar"], shown["origin"]) == ("cn-statutory", "own"), "a choice is made as a whole"


async def test_a_clock_that_starts_later_is_counted_on_it_too(qingdao: Desk) -> None:
    callback = {"milestone": "callback", "within": "2 working days", "clause": "1"}
    await qingdao.publish(id="own", appeals={"complaint": [callback]})
    await qingdao.assign("37401", "own", calendar="qingdao")
    case = await qingdao.raised()
    await qingdao.assign("37401", "own", "2026-10-10")  # what counts tomorrow is nothing to an appeal of today
    await qingdao.answer(case, "10-09T09:45")
    clock = (await qingdao.clocks(case))["callback"]
    # Saturday 10-10 works, Monday the 12th is stopped.
    assert (clock["due_at"], clock["calendar"]) == ("2026-10-13T16:00:00Z", "qingdao@1+cn-statutory@1")


CALLBACK = {"complaint": [{"milestone": "callback", "within": "2 working days", "clause": "1"}]}


async def called_back_by(desk: Desk, case: str) -> tuple[str, str]:
    """By when, and on which calendar, the appeal is to be called back once it is answered."""
    await desk.answer(case, "10-09T09:45")
    clock = (await desk.clocks(case))["callback"]
    return clock["due_at"], clock["calendar"]


# Saturday 10-10 works, Monday the 12th is stopped.
ON_QINGDAO = ("2026-10-13T16:00:00Z", "qingdao@1+cn-statutory@1")


async def test_a_choice_that_is_made_anew_on_its_first_day_leaves_what_began_under_it(qingdao: Desk) -> None:
    await qingdao.publish(id="own", appeals=CALLBACK)
    await qingdao.assign("37401", "own", calendar="qingdao")
    case = await qingdao.raised()
    await qingdao.assign("37401", "own")
    assert await called_back_by(qingdao, case) == ON_QINGDAO


async def test_what_was_brought_to_another_version_keeps_the_calendar_that_counts(qingdao: Desk) -> None:
    await qingdao.publish(id="own", appeals=CALLBACK)
    await qingdao.assign("37401", "own", calendar="qingdao")
    case = await qingdao.raised()
    await qingdao.publish(id="own", appeals=CALLBACK, effective_from="2026-12-01")
    await recalculate(qingdao, cause="policy_version", policy="own")
    assert (await qingdao.appeal(case))["policy"] == "own@2"
    assert await called_back_by(qingdao, case) == ON_QINGDAO


async def test_what_is_brought_to_another_pack_keeps_the_units_calendar_where_that_lies_over_the_packs(
    qingdao: Desk,
) -> None:
    """A typhoon that stopped work in one place stopped it by whatever pack; the dry run says so too."""
    limits = {"complaint": [{"milestone": "answer", "within": "5 working days", "clause": "1"}]}
    await qingdao.publish(id="own", appeals=limits)
    await qingdao.assign("37401", "t-sdpea", calendar="qingdao")
    case = await qingdao.raised()
    body = {"cause": "policy_version", "policy": "t-sdpea", "to": "own"}
    dry = await got(qingdao.admin.post("/recalculations", json=body, params={"dry_run": True}))
    (moved,) = [each for each in dry["items"] if each["milestone"] == "answer"]
    await recalculate(qingdao, **body)
    answer = (await qingdao.clocks(case))["answer"]
    # Saturday 10-10 works, Monday the 12th is stopped: 10, 13, 14, 15, 16.
    assert (answer["due_at"], answer["calendar"]) == ("2026-10-16T16:00:00Z", "qingdao@1+cn-statutory@1")
    assert moved["due_at"] == answer["due_at"]
    assert (await qingdao.appeal(case))["policy"] == "own@1"


async def test_a_pack_that_is_laxer_on_a_units_calendar_is_refused_there_by_a_recalculation_too(desk: Desk) -> None:
    await desk.publish_days("plant", typhoon(*AUGUST))
    await desk.publish(id="base", appeals=report("15 calendar days"))
    await desk.publish(id="own", extends="base", appeals=report("5 working days"))
    await desk.assign("37401", "base", calendar="plant")
    await desk.raised(appeal_type="report")
    body = {"cause": "policy_version", "policy": "base", "to": "own"}
    found = problem(await desk.admin.post("/recalculations", json=body), 422, "laxer-policy")
    assert (found["policy"], found["calendar"]) == ("own@1", "plant@1+cn-statutory@1")


async def test_what_was_brought_to_another_calendar_is_counted_on_that_from_then_on(qingdao: Desk) -> None:
    """Though no clock of it was running that would have told of it."""
    await qingdao.publish(id="own", appeals=CALLBACK)
    await qingdao.assign("37401", "own")
    case = await qingdao.raised(appeal_type="report")
    await qingdao.publish(id="other", appeals={"report": CALLBACK["complaint"]})
    await qingdao.assign("37401", "other")
    await recalculate(qingdao, cause="assignment", unit_code="37401")
    await qingdao.assign("37401", "other", calendar="qingdao")
    await recalculate(qingdao, cause="assignment", unit_code="37401")
    await qingdao.assign("37401", "own")
    assert await called_back_by(qingdao, case) == ON_QINGDAO


async def test_a_reopened_appeal_is_counted_on_the_calendar_it_keeps(qingdao: Desk) -> None:
    await qingdao.assign("37401", "t-sdpea", calendar="qingdao")
    case = await qingdao.raised()
    await qingdao.answer(case, "10-09T09:45")
    await qingdao.act(case, "close")
    await qingdao.assign("37401", "t-sdpea")
    await qingdao.act(case, "reopen", reason="客户不认可")
    again = [clock for clock in (await qingdao.appeal(case))["clocks"] if clock["round"] == 2]
    assert {clock["calendar"] for clock in again} == {"qingdao@1+cn-statutory@1"}


SINCE_THE_COMPLAINT = {"policy": "t-sdpea", "calendar": "qingdao", "effective_from": "2026-10-09"}


async def test_a_stop_of_work_reaches_what_is_open_in_a_unit_that_had_picked_no_calendar(desk: Desk) -> None:
    case = await desk.raised()
    await desk.at("10-11T12:00")
    await desk.publish_days("qingdao", typhoon(STOPPED))
    shown = await got(desk.admin.put("/units/37401/policy", json=SINCE_THE_COMPLAINT, headers=ANY))
    assert (shown["calendar"], shown["own"][0]["effective_from"]) == ("qingdao", "2026-10-09")
    assert shown["own"][0]["assigned_at"] == "2026-10-11T04:00:00Z"
    await recalculate(desk, cause="assignment", unit_code="37401")
    late = await desk.raised()  # of which nobody had heard
    on_it = ("2026-10-20T16:00:00Z", "qingdao@1+cn-statutory@1")
    for each in (case, late):
        answer = (await desk.clocks(each))["answer"]
        assert (answer["due_at"], answer["calendar"]) == on_it
    await recalculate(desk, cause="policy_version", policy="t-sdpea", unit_code="37401")
    assert (await desk.clocks(case))["answer"]["calendar"] == on_it[1], "whatever is done later"
    assert await look(desk) == {}


async def test_for_days_gone_by_a_unit_picks_nothing_but_what_lies_over_the_calendar_that_counted(desk: Desk) -> None:
    await desk.publish_days("qingdao", typhoon(STOPPED))
    await desk.publish_days("shinan", typhoon("2026-10-14", extends="qingdao"))
    await desk.publish_days("plant", typhoon("2026-10-13"))
    await desk.publish(id="own")
    await desk.assign("374", "t-sdpea", calendar="qingdao")
    await desk.at("10-11T12:00")
    since = {"policy": "t-sdpea", "effective_from": "2026-10-09"}
    for body in (
        {**since, "policy": "own", "calendar": "shinan"},  # another pack
        since,  # the pack's own calendar, without the days of the one that counted
        {**since, "calendar": "plant"},
        {**since, "calendar": "shinan", "effective_from": "2025-10-08"},  # of more than a year
    ):
        found = await refused(desk, "assignment-in-the-past", "/effective_from", **body)
        assert found["today"] == "2026-10-11"
    await desk.assign("37401", "own", "2026-10-11")
    await got(desk.admin.put("/units/37401/policy", json={**since, "calendar": "shinan"}, headers=ANY))
    its = (await got(desk.admin.get("/units/37401/policy")))["own"]
    assert [(each["effective_from"], each["policy"]) for each in its] == [
        ("2026-10-11", "own"),
        ("2026-10-09", "t-sdpea"),
    ]
    # What was picked for that day already is on record, and counts beside what is picked for days before it.
    await refused(desk, "assignment-in-the-past", "/effective_from", **since, calendar="shinan")
    before = {**since, "calendar": "plant", "effective_from": "2026-10-08"}
    await got(desk.admin.put("/units/37401/policy", json=before, headers=ANY))
    assert (await desk.clocks(await desk.raised()))["answer"]["calendar"].startswith("shinan@1+qingdao@1+")


async def test_a_day_on_which_another_pack_counted_is_left_as_it_was(desk: Desk) -> None:
    await desk.publish_days("qingdao", typhoon(STOPPED))
    await desk.assign("374", "state-grid", "2026-10-10")
    await desk.at("10-12T12:00")
    await refused(desk, "assignment-in-the-past", "/effective_from", **SINCE_THE_COMPLAINT)
    await refused(desk, "assignment-in-the-past", "/effective_from", **{**SINCE_THE_COMPLAINT, "policy": "state-grid"})
    later = {**SINCE_THE_COMPLAINT, "policy": "state-grid", "effective_from": "2026-10-10"}
    assert (await got(desk.admin.put("/units/37401/policy", json=later, headers=ANY)))["calendar"] == "qingdao"


async def test_what_is_laxer_on_a_calendar_is_not_brought_to_it_for_days_gone_by(desk: Desk) -> None:
    await desk.publish_days("plant", typhoon(*AUGUST))
    await desk.publish(id="base", appeals=report("15 calendar days"))
    await desk.publish(id="own", extends="base", appeals=report("5 working days"))
    await desk.assign("37401", "own")
    await desk.at("10-12T12:00")
    await refused(desk, "laxer-policy", "/calendar", policy="own", calendar="plant", effective_from="2026-10-10")


async def test_an_older_appeal_is_counted_on_the_calendar_of_its_clocks(qingdao: Desk, owner: Connection) -> None:
    """The column came later than the row."""
    await qingdao.publish(id="own", appeals=CALLBACK)
    await qingdao.assign("37401", "own", calendar="qingdao")
    case = await qingdao.raised()
    await owner.execute("UPDATE appeals SET calendar = NULL")
    await qingdao.assign("37401", "own")
    assert await called_back_by(qingdao, case) == ON_QINGDAO


async def test_the_calendar_is_the_packs_or_lies_over_it(qingdao: Desk) -> None:
    await qingdao.publish_days("own-days", notice_2027())
    await refused(qingdao, "unknown-calendar", "/calendar", policy="t-sdpea", calendar="nowhere")
    await refused(qingdao, "calendar-elsewhere", "/calendar", policy="t-sdpea", calendar="own-days")
    await qingdao.publish(id="own", calendar="qingdao")
    found = await refused(qingdao, "calendar-elsewhere", "/calendar", policy="own", calendar="cn-statutory")
    assert (found["calendar"], found["below"]) == ("cn-statutory", "qingdao")
    await qingdao.publish_days("shinan", typhoon("2026-10-13", extends="qingdao"))
    assert (await qingdao.assign("37401", "own", calendar="shinan"))["calendar"] == "shinan"


async def test_a_pack_that_is_laxer_on_the_units_calendar_is_refused_with_the_first_start(desk: Desk) -> None:
    await desk.publish_days("plant", typhoon(*AUGUST))
    await desk.publish(id="base", appeals=report("15 calendar days"))
    await desk.publish(id="own", extends="base", appeals=report("5 working days"))
    found = await refused(desk, "laxer-policy", "/calendar", policy="own", calendar="plant")
    assert (found["policy"], found["calendar"]) == ("own@1", "plant@1+cn-statutory@1")
    (place,) = found["laxer"]
    assert (place["than"], place["place"]) == ("base@1", "/appeals/report/answer/within")
    assert (place["start"], place["parent_due_at"]) == ("2026-07-27T16:00:00Z", "2026-08-17T16:00:00Z")
    assert (await got(desk.admin.get("/units/37401/policy")))["own"] == []
    assert (await desk.assign("37401", "own"))["calendar"] == "cn-statutory", "on the pack's own it is not"


async def test_a_version_to_come_is_looked_at_too(desk: Desk) -> None:
    await desk.publish_days("plant", typhoon(*AUGUST))
    await desk.publish(id="base", appeals=report("15 calendar days"))
    await desk.publish(id="own", extends="base", appeals=report("1 working day"))
    await desk.publish(id="own", extends="base", appeals=report("5 working days"), effective_from="2026-12-01")
    found = await refused(desk, "laxer-policy", "/calendar", policy="own", calendar="plant")
    assert found["policy"] == "own@2"


async def test_a_version_to_come_of_what_it_extends_is_looked_at_too(desk: Desk) -> None:
    await desk.publish(id="base", appeals=report("5 working days"))
    await desk.publish(id="own", extends="base")
    await desk.publish(id="base", appeals=report("2 working days"), effective_from="2026-12-01")
    for since in (None, "2026-11-30", "2026-12-02"):
        found = await refused(desk, "laxer-policy", "/policy", policy="own", effective_from=since)
        assert (found["policy"], found["laxer"][0]["than"]) == ("own@1", "base@2")
    await desk.publish(id="own", extends="base", appeals=report("2 working days"), effective_from="2026-12-01")
    await desk.assign("37401", "own")  # by then another version of it is in force


async def test_a_version_published_while_a_unit_picks_the_pack_is_looked_at_too(desk: Desk) -> None:
    await desk.publish_days("plant", typhoon(*AUGUST))
    await desk.publish(id="base", appeals=report("15 calendar days"))
    await desk.publish(id="own", extends="base", appeals=report("1 working day"))
    laxer = {"id": "own", "extends": "base", "appeals": report("5 working days"), "effective_from": "2026-12-01"}
    body = {"policy": "own", "calendar": "plant"}
    async with desk.runtime.db.transaction() as tx:
        admin = Principal("E009", "374", frozenset({"admin"}))
        prepared = await publishing.prepare(tx, admin, laxer, desk.clock.now(), lock=True)
        picking = asyncio.create_task(desk.admin.put("/units/37401/policy", json=body, headers=ANY))

        async def waits() -> bool:
            waiting = await desk.rows("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            return bool(waiting) or picking.done()

        await eventually(waits)
        await publishing.publish(tx, prepared, admin.sub, desk.clock.now())
    assert problem(await picking, 422, "laxer-policy")["policy"] == "own@2"


async def test_who_picks_a_pack_holds_no_unit_while_others_change_packs(desk: Desk) -> None:
    """Whoever withdraws one waits for acts, which may wait for the units that are heard of, and these for the row."""
    async with desk.runtime.db.transaction() as tx:
        await publishing.hold(tx)
        picking = asyncio.create_task(desk.admin.put("/units/37401/policy", json={"policy": "t-sdpea"}, headers=ANY))

        async def waits() -> bool:
            return bool(await desk.rows("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))

        await eventually(waits)
        assert await desk.rows("SELECT FROM units WHERE code = '37401' FOR UPDATE NOWAIT")
    assert (await picking).status_code == 200


async def test_a_calendar_published_while_a_unit_picks_it_is_looked_at_too(desk: Desk) -> None:
    """Whoever is later sees the other: either the pack is refused, or it is named to whoever publishes."""
    await desk.publish_days("plant", typhoon("2026-10-12"))
    await desk.publish(id="base", appeals=report("15 calendar days"))
    await desk.publish(id="own", extends="base", appeals=report("5 working days"))
    body, document = {"policy": "own", "calendar": "plant"}, typhoon("2026-10-12", *AUGUST)
    async with desk.runtime.db.transaction() as tx:
        await publishing.hold(tx)  # as long as this one, nobody picks anything
        picking = asyncio.create_task(desk.admin.put("/units/37401/policy", json=body, headers=ANY))

        async def waits(those: int = 1) -> bool:
            found = await desk.rows("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            return len(found) == those or picking.done()

        await eventually(waits)
        publish = asyncio.create_task(desk.admin.post("/calendars/plant/versions", json=document))
        await eventually(lambda: waits(2))
    assert (await picking).status_code == 200
    (relaxed,) = (await publish).json()["laxer"]
    assert (relaxed["policy"], relaxed["units"]) == ("own@1", ["37401"])
