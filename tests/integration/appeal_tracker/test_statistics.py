"""How the appeals of a period were handled: figures that two people would count the same."""

import csv
import io
from typing import Any

import asyncpg
import pytest

from appeal_tracker.statistics import repository, service
from tests.integration.appeal_tracker.desk import Desk, got, instant, made, problem
from tests.integration.appeal_tracker.test_observed import metric
from tests.integration.appeal_tracker.test_recalculations import recalculate, worker
from tests.support.databases import Databases

OCTOBER = {"from": "2026-10-01", "to": "2026-10-31"}


async def items(desk: Desk, client: Any = None, by: str | list[str] = (), **params: Any) -> list[dict[str, Any]]:  # type: ignore[assignment]
    query = {**OCTOBER, **params, "by": by}
    return (await got((client or desk.supervisor).get("/statistics", params=query)))["items"]


async def one(desk: Desk, client: Any = None, **params: Any) -> dict[str, Any]:
    (only,) = await items(desk, client, **params)
    return only


async def test_each_figure_counts_what_it_says(desk: Desk) -> None:
    in_time, back_dated, late = [await desk.raised() for _ in range(3)]
    await desk.raised()  # nobody does anything about it
    desk.later(hours=1)
    await desk.contact(in_time, "10-09T10:30")  # after one hour
    await desk.at("10-10T11:00")  # contacts were due at 09:30
    await desk.contact(back_dated, "10-10T09:00")  # after 23.5 hours, recorded after the breach
    await desk.contact(late, "10-10T10:30")  # after 25 hours
    await desk.answer(in_time, "10-10T10:00")
    figures = await one(desk)
    assert (figures["unit_code"], figures["type"], figures["period"]) == ("374", None, None)
    assert (figures["received"], figures["closed"]) == (4, 0)
    assert (figures["contact_deadlines"], figures["answer_deadlines"]) == (4, 4)
    assert (figures["contact_in_time"], figures["contact_corrected"], figures["contact_breached"]) == (1, 1, 2)
    assert (figures["answer_in_time"], figures["answer_breached"]) == (1, 0)
    assert (figures["breached"], figures["corrected"], figures["late_arrivals"]) == (2, 1, 0)
    assert (figures["contact_median_seconds"], figures["contact_p90_seconds"]) == (23.5 * 3600, 25 * 3600)
    assert figures["answer_median_seconds"] == 24.5 * 3600
    assert figures["open_overdue"] == 1, "the contact that nobody made"
    assert figures["open_later"] == 3, "answers due on the 19th"
    assert figures["timers_fired"] == len(await desk.rows("SELECT 1 FROM timers WHERE state = 'fired'"))


async def test_what_is_open_is_sorted_by_the_time_left(desk: Desk) -> None:
    held = await desk.raised(appeal_type="consultation")
    await desk.rows("UPDATE clocks SET state = 'held' WHERE subject_id = $1::uuid", held)
    for received in ("10-08T11:00", "10-08T14:00", "10-09T09:00"):
        await desk.raised(received_at=instant(received))
    await desk.at("10-09T10:00")
    figures = await one(desk)
    assert [figures[f"open_{name}"] for name in ("overdue", "within_4h", "within_24h", "within_72h")] == [0, 1, 2, 0]
    assert [figures[f"open_{name}"] for name in ("within_168h", "later", "held")] == [0, 3, 1]
    await desk.at("10-16T12:00")
    figures = await one(desk)
    assert (figures["open_overdue"], figures["open_within_24h"], figures["open_within_168h"]) == (3, 2, 1)


async def test_a_closed_appeal_has_nothing_open(desk: Desk) -> None:
    case = await desk.raised()
    await desk.at("10-20T09:00")
    assert (await one(desk))["open_overdue"] == 2
    await desk.rows("UPDATE appeals SET state = 'closed' WHERE id = $1::uuid", case)
    figures = await one(desk)
    assert (figures["open_overdue"], figures["closed"], figures["breached"]) == (0, 1, 2)


async def test_what_was_broken_in_a_round_that_is_over_is_nothing_that_is_open(desk: Desk) -> None:
    """It counts as breached for ever; what is left to do is of the present round."""
    case, again = await desk.raised(), await desk.raised()
    await desk.at("10-10T12:00")
    await desk.act(case, "reclassify", type="report", reason="实为举报")  # for which the floor has no deadline
    await desk.act(again, "withdraw", at="10-10T11:00", channel="phone")
    await desk.act(again, "reopen", reason="客户再次反映")
    figures = await one(desk)
    assert (figures["contact_breached"], figures["open_overdue"], figures["open_within_24h"]) == (2, 0, 0)
    assert (figures["open_within_72h"], figures["open_later"]) == (1, 1), "the new round's contact and answer"


async def test_provisional_deadlines_and_late_arrivals_are_flagged(desk: Desk) -> None:
    await desk.at("12-30T10:00")
    await desk.raised(received_at=instant("12-30T09:00"))
    await desk.raised(received_at=instant("12-01T09:00"))
    december = {"from": "2026-12-01", "to": "2026-12-31"}
    figures = await one(desk, **december)
    assert figures["provisional"] == 1, "the answer, which is due in January"
    assert figures["late_arrivals"] == 2
    assert figures["breached"] == 2


async def test_what_was_done_in_time_before_other_rules_timed_it_came_not_late(desk: Desk) -> None:
    case = await desk.raised(appeal_type="report")
    await desk.at("10-12T09:00")
    await desk.contact(case, "10-09T10:00")
    contact = {"milestone": "contact", "within": "24 hours", "clause": "企标 1"}
    await desk.publish(id="timed", appeals={"report": [contact]})
    await recalculate(desk, cause="policy_version", policy="t-sdpea", to="timed")
    figures = await one(desk)
    assert (figures["contact_in_time"], figures["late_arrivals"]) == (1, 0)


async def test_lateness_is_that_of_the_machine_and_not_of_the_news(desk: Desk) -> None:
    await desk.raised(received_at=instant("10-08T09:45"), recorded_at=instant("10-09T10:00"))  # heard of a day late
    figures = await one(desk)
    assert (figures["timers_fired"] > 0, figures["lateness_p99_seconds"]) == (True, 0)
    desk.later(hours=26)  # the loop stood still
    await desk.stack.settle()
    assert (await one(desk))["lateness_p99_seconds"] > 3600


async def punctually(desk: Desk, until: str) -> None:
    """Lets time pass with a loop that is always there: each timer is met at its moment."""
    pending = "SELECT min(fire_at) AS at FROM timers WHERE state = 'pending' AND fire_at <= $1"
    while (at := (await desk.rows(pending, instant(until)))[0]["at"]) is not None:
        desk.clock.set(at)
        await desk.stack.settle()
    await desk.at(until)


async def record_an_answer_late(desk: Desk, case: str) -> None:
    await punctually(desk, "10-17T10:00")
    await desk.answer(case, "10-10T10:00")


async def resume_as_of_then(desk: Desk, case: str) -> None:
    await desk.act(case, "hold", reason="等待客户材料")
    await punctually(desk, "10-17T10:00")
    await desk.act(case, "resume", at="10-09T12:00")


async def shorten_the_answer(desk: Desk, case: str) -> None:
    await punctually(desk, "10-17T10:00")
    answer = {"milestone": "answer", "within": "3 working days", "clause": "企标 1"}
    await desk.publish(id="strict", extends="own", appeals={"report": [answer]}, effective_from="2026-10-18")
    await recalculate(desk, cause="policy_version", policy="own", to="strict")


async def time_a_contact_that_was_late(desk: Desk, case: str) -> None:
    """Whoever begins its clock finds it breached, and fires that in the same act."""
    await punctually(desk, "10-17T10:00")
    await desk.contact(case, "10-17T09:00")
    contact = {"milestone": "contact", "within": "24 hours", "clause": "企标 2"}
    await desk.publish(id="timed", extends="own", appeals={"report": [contact]}, effective_from="2026-10-18")
    await recalculate(desk, cause="policy_version", policy="own", to="timed")


async def reopen_what_was_breached(desk: Desk, case: str) -> None:
    await punctually(desk, "10-23T10:00")
    await desk.answer(case, "10-23T09:30")
    await desk.act(case, "close")
    await punctually(desk, "10-27T10:00")
    await desk.act(case, "reopen", reason="客户再次反映")


@pytest.mark.parametrize(
    "deed",
    [
        record_an_answer_late,
        resume_as_of_then,
        shorten_the_answer,
        time_a_contact_that_was_late,
        reopen_what_was_breached,
    ],
)
async def test_what_was_past_when_it_was_set_is_as_late_as_it_fired_after_that(desk: Desk, deed: Any) -> None:
    limits = [
        {"milestone": "answer", "within": "10 working days", "clause": "1", "holdable": True},
        {"milestone": "callback", "within": "2 working days", "clause": "2"},
    ]
    await desk.publish(id="own", reopen="continue", reopen_for=["report"], appeals={"report": limits})
    await desk.assign("37401", "own")
    late, shown = (metric(f"timer_lateness_seconds_{name}") for name in ("sum", "count"))
    await deed(desk, await desk.raised(appeal_type="report"))
    await desk.stack.settle()
    past = "SELECT 1 FROM timers WHERE state = 'fired' AND fired_at > fire_at + interval '1 day'"
    assert await desk.rows(past), "there are such"
    assert (await one(desk))["lateness_p99_seconds"] == 0
    assert (metric("timer_lateness_seconds_sum") - late, metric("timer_lateness_seconds_count") > shown) == (0, True)


async def test_what_is_set_anew_where_it_was_is_as_late_as_it_was(desk: Desk) -> None:
    late = metric("timer_lateness_seconds_sum")
    case = await desk.raised()
    await desk.contact(case, "10-09T10:00")
    desk.clock.set(instant("10-19T10:00"))  # the loop stood still
    answer = {"milestone": "answer", "within": "7 working days", "clause": "1"}
    await desk.publish(id="own", appeals={"complaint": [answer]}, effective_from="2026-10-20")
    job = await made(
        desk.admin.post("/recalculations", json={"cause": "policy_version", "policy": "t-sdpea", "to": "own"})
    )
    while await worker(desk).run_once():
        pass
    assert (await desk.clocks(case))["answer"]["policy"] == "own@1", job
    assert not await desk.rows("SELECT 1 FROM timers WHERE state = 'fired'")
    await desk.stack.settle()
    assert (await one(desk))["lateness_p99_seconds"] > 86_400
    assert metric("timer_lateness_seconds_sum") - late > 86_400


async def test_what_a_clock_told_before_it_went_on_in_another_round_fired_once(desk: Desk) -> None:
    limits = {"report": [{"milestone": "answer", "within": "10 working days", "clause": "1"}]}
    await desk.publish(id="own", reopen="continue", reopen_for=["report"], appeals=limits)
    await desk.assign("37401", "own")
    case = await desk.raised(appeal_type="report")
    await desk.at("10-16T13:00")
    await desk.answer(case, "10-16T12:30")
    await desk.act(case, "close")
    await desk.act(case, "reopen", reason="客户再次反映")
    fired = await desk.rows("SELECT step, fired_at FROM timers WHERE state = 'fired'")
    assert [row["step"] for row in fired] == ["0.5"] * 2, "the later round keeps that it was told"
    assert (await one(desk))["timers_fired"] == 1
    await desk.at("11-30T10:00")
    fired = await desk.rows("SELECT DISTINCT step, fired_at FROM timers WHERE state = 'fired'")
    assert (await one(desk))["timers_fired"] == len(fired) == 5


async def test_a_unit_counts_with_those_below_it(desk: Desk) -> None:
    for unit in ("374", "37401", "37401", "37402", "375"):
        await desk.raised(unit_code=unit)
    assert [(each["unit_code"], each["received"]) for each in await items(desk, by="unit")] == [
        ("374", 4),
        ("37401", 2),
        ("37402", 1),
    ]
    assert (await one(desk, unit_code="37401"))["received"] == 2
    assert await items(desk, unit_code="375") == [], "another's unit has nothing to tell"
    assert await items(desk, unit_code="none-such") == []
    below = desk.client("visitor", unit="37402")
    assert [each["received"] for each in await items(desk, below, by="unit")] == [1]
    assert await items(desk, below, unit_code="374") == []


async def test_types_and_civil_days_weeks_and_months_are_told_apart(desk: Desk) -> None:
    await desk.at("11-02T12:00")
    for received, appeal_type in (
        ("10-09T23:59:59", "complaint"),
        ("10-10T00:00:00", "complaint"),
        ("10-12T09:00:00", "report"),  # a Monday
        ("11-01T00:00:00", "report"),
    ):
        await desk.raised(received_at=instant(received), appeal_type=appeal_type)
    whole = {"to": "2026-11-30"}
    days = await items(desk, by=["type", "day"], **whole)
    assert [(each["type"], each["period"], each["received"]) for each in days] == [
        ("complaint", "2026-10-09", 1),
        ("complaint", "2026-10-10", 1),
        ("report", "2026-10-12", 1),
        ("report", "2026-11-01", 1),
    ]
    weeks = await items(desk, by="week", **whole)
    assert [(each["period"], each["received"]) for each in weeks] == [
        ("2026-10-05", 2),
        ("2026-10-12", 1),
        ("2026-10-26", 1),
    ]
    months = await items(desk, by="month", **whole)
    assert [(each["period"], each["received"]) for each in months] == [("2026-10-01", 3), ("2026-11-01", 1)]
    assert (await one(desk, type="report", **whole))["received"] == 2
    assert (await one(desk, **{"from": "2026-10-09", "to": "2026-10-09"}))["received"] == 1
    assert await items(desk, **{"from": "2026-10-11", "to": "2026-10-11"}) == []


async def test_this_month_is_meant_where_no_days_are_named(desk: Desk) -> None:
    await desk.raised(received_at=instant("09-30T23:59:59"))
    await desk.raised(received_at=instant("10-01T00:00:00"))
    told = await got(desk.supervisor.get("/statistics"))
    assert (told["from"], told["to"], told["as_of"]) == ("2026-10-01", "2026-10-09", "2026-10-09T02:00:00Z")
    assert [each["received"] for each in told["items"]] == [1]


async def test_a_table_opens_in_a_spreadsheet(desk: Desk) -> None:
    await desk.raised()
    params = {**OCTOBER, "by": ["unit", "type"]}
    table = await desk.supervisor.get("/statistics", params=params, headers={"Accept": "text/csv"})
    assert table.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))
    wanted = await items(desk, by=["unit", "type"])
    assert [{name: text or None for name, text in each.items()} for each in rows] == [
        {name: None if value is None else str(value) for name, value in each.items()} for each in wanted
    ]


@pytest.mark.parametrize(
    ("params", "slug"),
    [
        ({"by": ["day", "week"]}, "two-periods"),
        ({"by": "hour"}, "unprocessable"),
        ({"from": "2026-11-01"}, "bad-date-range"),
        ({"from": "2025-01-01"}, "bad-date-range"),
        ({"from": "2006-12-31", "to": "2007-01-31"}, "day-not-covered"),
        ({"to": "9999-12-31"}, "day-not-covered"),
        ({"from": "0001-01-01"}, "day-not-covered"),
    ],
)
async def test_what_cannot_be_counted_is_refused(desk: Desk, params: dict[str, Any], slug: str) -> None:
    problem(await desk.supervisor.get("/statistics", params={**OCTOBER, **params}), 422, slug)


async def test_a_month_is_read_by_indexes(databases: Databases) -> None:
    """Seen in a database of its own, which nobody has measured yet: what a planner chooses depends on it."""
    urls = await databases.clone("appeal_tracker")
    values = {
        ":unit": "'374'",
        ":since": f"timestamptz '{instant('10-01T00:00')}'",
        ":until": f"timestamptz '{instant('11-01T00:00')}'",
        ":now": f"timestamptz '{instant('11-02T00:00')}'",
        ":type": "NULL",
        ":most": "100",
    }
    plans = []
    connection = await asyncpg.connect(urls.service)
    try:
        await connection.execute("SET enable_seqscan = off")
        for sql in repository.statements(["unit", "type"], "day"):
            for name, value in values.items():
                sql = sql.replace(name, value)
            plans.append("\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {sql}")))
    finally:
        await connection.close()
        await databases.drop(urls)
    for plan in plans:
        for index in ("appeals_received_at", "clocks_subject_id_subject_kind_round_milestone_key"):
            assert index in plan, plan
    assert "timers_pkey" in plans[-1]


async def test_what_is_too_much_to_show_is_not_sorted_first(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for code in ("37401", "37402"):
        await desk.raised(unit_code=code)
    asked = []
    statements = repository.statements

    def kept(*args: Any) -> Any:
        asked.append(statements(*args))
        return (asked[-1][0], "SELECT 1 / 0", "SELECT 1 / 0")  # neither of these is run

    monkeypatch.setattr(repository, "statements", kept)
    monkeypatch.setattr(service, "MOST", 2)
    answer = await desk.supervisor.get("/statistics", params={**OCTOBER, "by": "unit"})
    problem(answer, 422, "too-many-rows")
    assert asked


@pytest.mark.clause("003 13(5)", "004 6.2")
async def test_what_the_standards_want_reached_stands_beside_what_was(desk: Desk) -> None:
    complaint, opinion, refused, silent = [
        await desk.raised(appeal_type=each) for each in ("complaint", *["opinion"] * 3)
    ]
    void, _ = await desk.raised(), await desk.raised()  # the last is not answered
    for case in (complaint, opinion, refused, silent, void):
        await desk.answer(case, "10-09T09:45")
    await desk.act(void, "void", reason="重复登记")
    for case, minute, body in (
        (complaint, 50, {"result": "completed", "satisfaction": 2}),
        (complaint, 55, {"result": "completed", "satisfaction": 4}),  # the last one counts
        (opinion, 50, {"result": "completed", "satisfaction": 5}),
        (refused, 50, {"result": "refused"}),
        (silent, 40, {"result": "completed", "satisfaction": 3}),  # before the answer, which it is not about
    ):
        at = instant(f"10-09T09:{minute}").isoformat()
        assert (await desk.first.post(f"/appeals/{case}/callbacks", json={"at": at, **body})).status_code == 201
    found = (await got(desk.supervisor.get("/statistics", params=OCTOBER)))["targets"]
    its = {each["name"]: (each["reached"], each["counted"], each["value"], each["met"]) for each in found}
    assert its == {
        "callback_rate": (2, 3, 0.6667, False),
        "satisfaction": (2, 2, 1.0, True),
        "complaint_satisfaction": (1, 1, 1.0, True),
        "nps": (1, 2, 50.0, None),
    }
    clauses = [(each["standard"], each["clause"], each["at_least"]) for each in found]
    assert clauses[:2] == [("service-window", "13(5)", 0.9), ("marketing-guide-2025", "6.2", 0.95)]
    elsewhere = (await got(desk.stranger.get("/statistics", params=OCTOBER)))["targets"]
    assert [(each["counted"], each["value"], each["met"]) for each in elsewhere] == [(0, None, None)] * 4
