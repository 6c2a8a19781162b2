"""Clocks on visits: arrival within the agreed hour, the archive in time after the last appeal was closed."""

import asyncio
from typing import Any

import pytest

from chassis.ids import new_id
from contracts.envelope import Event
from contracts.visits import (
    VisitAppointed,
    VisitArchived,
    VisitArrived,
    VisitCancelled,
    VisitCompleted,
    VisitMissed,
    VisitMoment,
    VisitPlanned,
    VisitStarted,
    VisitUnappointed,
)
from tests.integration.appeal_tracker.desk import Desk, got, instant, made, problem

DEADLINES = ("deadline.warned.v1", "deadline.breached.v1", "deadline.escalated.v1", "deadline.met.v1")
ARCHIVE = {
    "id": "timely",
    "visits": [{"milestone": "archive", "within": "2 working days", "clause": "own 3", "starts": "appeals_closed"}],
}


class Round:
    """One visit of a unit, as visit_api would tell of it."""

    def __init__(self, desk: Desk, unit_code: str = "37401") -> None:
        self.desk, self.id, self.unit_code = desk, new_id(), unit_code

    def planned(self, *visitors: str) -> Event:
        return VisitPlanned(
            visit_id=self.id,
            unit_code=self.unit_code,
            customer_id=new_id(),
            channel="on_site",
            direction="outbound",
            form="ordinary",
            scheduled_at=instant("10-09T14:00"),
            visitors=[*visitors],
        )

    def appointed(self, start: str, end: str) -> Event:
        window = {"window_from": instant(start), "window_to": instant(end)}
        return VisitAppointed(visit_id=self.id, unit_code=self.unit_code, **window)

    def did(self, event: type[VisitMoment], at: str) -> Event:
        return event(visit_id=self.id, unit_code=self.unit_code, at=instant(at))

    async def deadlines(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await got(self.desk.supervisor.get(f"/visits/{self.id}/deadlines")))["items"]
        return items

    async def states(self) -> list[tuple[str, int, str]]:
        return [(clock["milestone"], clock["round"], clock["state"]) for clock in await self.deadlines()]

    async def told(self) -> list[tuple[str, str]]:
        return [(event["type"], event["milestone"]) for event in await self.desk.told(*DEADLINES)]

    async def timeline(self) -> list[str]:
        rows = await self.desk.rows("SELECT kind FROM timeline WHERE appeal_id = $1 ORDER BY seq", self.id)
        return [row["kind"] for row in rows]

    async def raise_appeal(self, **fields: Any) -> str:
        return await self.desk.raised(visit_id=self.id, **fields)

    async def close(self, appeal: str) -> None:
        answer = {"at": self.desk.clock.now().isoformat(), "content": "已检修线路"}
        await made(self.desk.first.post(f"/appeals/{appeal}/answers", json=answer))
        await got(self.desk.first.post(f"/appeals/{appeal}/close", json={}))


@pytest.fixture
async def visit(desk: Desk) -> Round:
    """A visit under the window standard, which puts a clock on the arrival."""
    await desk.assign("37401", "service-window")
    return Round(desk)


@pytest.fixture
async def archived_late(desk: Desk) -> Round:
    """A visit under a pack of one's own that puts a clock on the archive."""
    await desk.publish(**ARCHIVE)
    await desk.assign("37401", "timely")
    return Round(desk)


@pytest.mark.clause("003 10(2)7")
async def test_visitors_arrive_within_the_agreed_hour(visit: Round) -> None:
    await visit.desk.hear(visit.planned("E101"), visit.appointed("10-09T14:00", "10-09T15:00"))
    (clock,) = await visit.deadlines()
    assert (clock["started_at"], clock["due_at"]) == ("2026-10-09T06:00:00Z", "2026-10-09T07:00:00Z")
    assert (clock["milestone"], clock["clause"], clock["policy"]) == ("arrival", "10(2)7", "service-window@1")
    await visit.desk.hear(visit.did(VisitArrived, "10-09T14:59"))
    assert await visit.states() == [("arrival", 1, "met")]
    (met,) = await visit.desk.told("deadline.met.v1")
    assert (met["subject_kind"], met["subject_id"], met["visit_id"]) == ("visit", str(visit.id), str(visit.id))
    assert (met["unit_code"], met["handling_unit_code"], met["at"]) == ("37401", "37401", "2026-10-09T06:59:00Z")
    await visit.desk.at("10-10T00:00")
    assert await visit.told() == [("deadline.met.v1", "arrival")]
    assert await visit.timeline() == ["deadline_started", "deadline_met"]


@pytest.mark.clause("003 10(2)7")
async def test_who_does_not_come_is_warned_of_and_breached(visit: Round) -> None:
    await visit.desk.hear(visit.planned("E101", "E102"), visit.appointed("10-09T14:00", "10-09T15:00"))
    await visit.desk.at("10-09T14:30")
    await visit.desk.at("10-09T15:00")
    warned, breached = await visit.desk.told("deadline.warned.v1", "deadline.breached.v1")
    assert (warned["step"], warned["audience"], warned["owner"]) == ("0.5", ["owner"], "E101")
    assert (breached["step"], breached["audience"]) == ("due", ["owner", "unit_supervisors"])
    assert (breached["subject_kind"], breached["subject_id"], breached["first_contact"]) == (
        "visit",
        str(visit.id),
        None,
    )
    await visit.desk.hear(visit.did(VisitArrived, "10-09T15:20"))
    assert await visit.states() == [("arrival", 1, "breached")]
    assert await visit.timeline() == ["deadline_started", "deadline_warned", "deadline_breached", "deadline_ended"]


async def test_an_arrival_is_judged_by_its_true_time(visit: Round) -> None:
    await visit.desk.hear(visit.appointed("10-09T14:00", "10-09T15:00"))
    await visit.desk.at("10-09T16:00")
    await visit.desk.hear(visit.did(VisitArrived, "10-09T14:10"))  # told of when the device was online again
    assert await visit.states() == [("arrival", 1, "met")]
    (corrected,) = await visit.desk.told("deadline.corrected.v1")
    assert (corrected["at"], corrected["recorded_at"], corrected["actor"]) == (
        "2026-10-09T06:10:00Z",
        "2026-10-09T08:00:00Z",
        None,
    )


async def test_a_late_arrival_that_outruns_the_timer_records_the_breach(visit: Round) -> None:
    await visit.desk.hear(visit.appointed("10-09T14:00", "10-09T15:00"))
    visit.desk.clock.set(instant("10-09T15:10"))
    followed = visit.desk.escalation.config.batch
    visit.desk.escalation.config.batch = 0  # the escalation has not come to it yet
    try:
        await visit.desk.hear(visit.did(VisitArrived, "10-09T15:05"))
    finally:
        visit.desk.escalation.config.batch = followed
    assert await visit.states() == [("arrival", 1, "breached")]
    assert await visit.told() == [("deadline.breached.v1", "arrival")]
    await visit.desk.at("10-10T00:00")
    assert await visit.told() == [("deadline.breached.v1", "arrival")]


async def test_beginning_is_arriving(visit: Round) -> None:
    await visit.desk.hear(visit.appointed("10-09T14:00", "10-09T15:00"), visit.did(VisitStarted, "10-09T14:05"))
    assert await visit.states() == [("arrival", 1, "met")]


async def test_a_moved_appointment_replaces_its_clock(visit: Round) -> None:
    await visit.desk.hear(visit.appointed("10-09T14:00", "10-09T15:00"))
    await visit.desk.hear(visit.appointed("10-10T09:00", "10-10T10:00"))
    assert await visit.states() == [("arrival", 1, "cancelled"), ("arrival", 2, "running")]
    (told,) = await visit.desk.told("deadline.cancelled.v1")
    assert (told["subject_kind"], told["milestone"], told["round"]) == ("visit", "arrival", 1)
    await visit.desk.at("10-09T16:00")
    assert not await visit.told(), "the old one is silent"
    await visit.desk.at("10-10T10:00")
    assert await visit.told() == [("deadline.warned.v1", "arrival"), ("deadline.breached.v1", "arrival")]
    assert [event["round"] for event in await visit.desk.told(*DEADLINES)] == [2, 2]
    assert await visit.timeline() == [
        "deadline_started",
        "deadline_cancelled",
        "deadline_started",
        "deadline_warned",
        "deadline_breached",
    ]


async def test_nobody_is_waited_for_by_an_appointment_that_was_given_up(visit: Round) -> None:
    await visit.desk.hear(visit.appointed("10-09T14:00", "10-09T15:00"))
    await visit.desk.hear(visit.did(VisitUnappointed, "10-09T13:00"))
    await visit.desk.at("10-09T16:00")
    assert await visit.states() == [("arrival", 1, "cancelled")]
    await visit.desk.hear(visit.appointed("10-10T09:00", "10-10T10:00"))
    assert await visit.states() == [("arrival", 1, "cancelled"), ("arrival", 2, "running")]


async def test_a_promise_that_was_broken_already_stays_broken_when_the_appointment_is_moved(visit: Round) -> None:
    await visit.desk.hear(visit.appointed("10-09T14:00", "10-09T15:00"))
    await visit.desk.at("10-09T15:00")
    await visit.desk.hear(visit.appointed("10-10T09:00", "10-10T10:00"))
    await visit.desk.hear(visit.did(VisitArrived, "10-10T09:05"))
    assert await visit.states() == [("arrival", 1, "breached"), ("arrival", 2, "met")]


async def test_what_was_past_when_it_was_moved_is_breached_though_nobody_had_said_so(visit: Round) -> None:
    await visit.desk.hear(visit.appointed("10-09T14:00", "10-09T15:00"))
    visit.desk.clock.set(instant("10-09T15:30"))
    visit.desk.escalation.config.batch, batch = 0, visit.desk.escalation.config.batch
    try:
        await visit.desk.hear(visit.appointed("10-10T09:00", "10-10T10:00"))
    finally:
        visit.desk.escalation.config.batch = batch
    await visit.desk.stack.settle()
    assert await visit.states() == [("arrival", 1, "breached"), ("arrival", 2, "running")]


@pytest.mark.parametrize("event", [VisitCancelled, VisitMissed])
async def test_a_visit_that_is_off_is_waited_for_no_longer(visit: Round, event: type[VisitMoment]) -> None:
    await visit.desk.hear(visit.appointed("10-09T14:00", "10-09T15:00"), visit.did(event, "10-09T13:00"))
    assert await visit.states() == []
    again = Round(visit.desk)
    await visit.desk.hear(again.appointed("10-09T14:00", "10-09T15:00"))
    await visit.desk.hear(again.did(event, "10-09T14:40"))
    assert await again.states() == [("arrival", 1, "cancelled")]
    await visit.desk.at("10-11T00:00")
    assert not await visit.told()


async def test_the_pack_is_the_one_in_force_when_the_fact_came_true(desk: Desk) -> None:
    await desk.assign("37401", "service-window", effective_from="2026-10-10")
    today, tomorrow = Round(desk), Round(desk)
    await desk.hear(today.appointed("10-09T14:00", "10-09T15:00"), tomorrow.appointed("10-10T14:00", "10-10T15:00"))
    assert await today.states() == []
    assert await tomorrow.states() == [("arrival", 1, "running")]


async def test_the_same_news_twice_changes_nothing(visit: Round) -> None:
    events = [visit.appointed("10-09T14:00", "10-09T15:00"), visit.did(VisitArrived, "10-09T14:30")]
    await visit.desk.hear(*events)
    await visit.desk.hear(*events)  # as events of their own
    assert await visit.states() == [("arrival", 1, "met")]
    assert await visit.told() == [("deadline.met.v1", "arrival")]


@pytest.mark.clause("7.2.6")
async def test_the_archive_runs_from_the_close_of_the_last_appeal(archived_late: Round) -> None:
    visit, desk = archived_late, archived_late.desk
    first, second = await visit.raise_appeal(), await visit.raise_appeal()
    await desk.hear(visit.did(VisitCompleted, "10-09T09:50"))
    assert await visit.states() == []
    await visit.close(first)
    assert await visit.states() == []
    desk.later(minutes=30)
    await visit.close(second)
    (clock,) = await visit.deadlines()
    assert (clock["started_at"], clock["due_at"]) == ("2026-10-09T02:30:00Z", "2026-10-12T16:00:00Z")
    desk.clock.set(instant("10-12T10:00"))
    await desk.hear(visit.did(VisitArchived, "10-12T10:00"))
    assert await visit.states() == [("archive", 1, "met")]
    assert ("deadline.met.v1", "archive") in await visit.told()


async def test_a_visit_without_appeals_is_archived_in_time_from_its_end_on(archived_late: Round) -> None:
    visit = archived_late
    await visit.desk.hear(visit.did(VisitCompleted, "10-09T09:50"))
    assert [clock["started_at"] for clock in await visit.deadlines()] == ["2026-10-09T01:50:00Z"]
    await visit.desk.at("10-13T00:00")
    assert ("deadline.breached.v1", "archive") in await visit.told()
    assert await visit.states() == [("archive", 1, "breached")]


async def test_an_appeal_that_comes_later_puts_the_archive_off(archived_late: Round) -> None:
    visit, desk = archived_late, archived_late.desk
    await desk.hear(visit.did(VisitCompleted, "10-09T09:50"))
    late = await visit.raise_appeal()
    assert await visit.states() == [("archive", 1, "cancelled")]
    desk.later(hours=1)
    await visit.close(late)
    assert await visit.states() == [("archive", 1, "cancelled"), ("archive", 2, "running")]
    assert (await visit.deadlines())[1]["started_at"] == "2026-10-09T03:00:00Z"


async def test_the_order_of_close_and_completion_plays_no_part(archived_late: Round) -> None:
    visit, desk = archived_late, archived_late.desk
    appeal = await visit.raise_appeal()
    await visit.close(appeal)  # at 10:00, while the visit goes on
    assert await visit.states() == []
    desk.later(hours=2)
    await desk.hear(visit.did(VisitCompleted, "10-09T09:50"))
    assert [clock["started_at"] for clock in await visit.deadlines()] == ["2026-10-09T02:00:00Z"]


async def test_a_whole_life_in_one_batch_ends_as_it_would_step_by_step(archived_late: Round) -> None:
    visit = archived_late
    await visit.desk.hear(
        visit.planned("E101"),
        visit.did(VisitStarted, "10-09T09:00"),
        visit.did(VisitCompleted, "10-09T09:50"),
        visit.did(VisitArchived, "10-09T09:55"),
    )
    assert await visit.states() == [("archive", 1, "met")]
    assert await visit.timeline() == ["deadline_started", "deadline_met"]


async def test_a_visit_is_seen_by_its_unit_and_those_above(visit: Round) -> None:
    await visit.desk.hear(visit.appointed("10-09T14:00", "10-09T15:00"))
    path = f"/visits/{visit.id}/deadlines"
    assert (await got(visit.desk.first.get(path)))["items"]
    problem(await visit.desk.stranger.get(path), 404, "visit-not-found")
    problem(await visit.desk.supervisor.get(f"/visits/{new_id()}/deadlines"), 404, "visit-not-found")


async def test_a_visit_known_by_an_appeal_alone_has_no_clocks(visit: Round) -> None:
    appeal = await visit.raise_appeal()
    problem(await visit.desk.supervisor.get(f"/visits/{visit.id}/deadlines"), 404, "visit-not-found")
    await visit.close(appeal)
    assert await visit.states() == []


async def test_close_and_completion_at_once_start_the_archive(archived_late: Round) -> None:
    desk = archived_late.desk
    for _ in range(8):
        visit = Round(desk)
        appeal = await visit.raise_appeal()
        await desk.answer(appeal, "10-09T09:45")
        closing = desk.first.post(f"/appeals/{appeal}/close", json={})
        await asyncio.gather(got(closing), desk.hear(visit.did(VisitCompleted, "10-09T09:50")))
        assert await visit.states() == [("archive", 1, "running")]


async def test_the_deadlines_of_a_visit_are_explained(visit: Round) -> None:
    await visit.desk.hear(visit.appointed("10-09T14:00", "10-09T15:00"))
    (clock,) = await visit.deadlines()
    path = f"/deadlines/{clock['id']}/explanation"
    shown = await got(visit.desk.first.get(path))
    assert (shown["subject_kind"], shown["subject_id"], shown["appeal_id"]) == ("visit", str(visit.id), None)
    assert (shown["clause"], shown["stated_by"]) == ("10(2)7", "service-window@1")
    assert [day["reason"] for day in shown["days"]] == ["hours"]
    page = await visit.desk.first.get(path, headers={"Accept": "text/html"})
    assert (page.status_code, str(visit.id) in page.text) == (200, True)
    problem(await visit.desk.stranger.get(path), 404, "deadline-not-found")


async def test_a_hidden_appeal_holds_no_archive_up(archived_late: Round) -> None:
    visit = archived_late
    await visit.desk.raised(visit_id=None, customer_id=None, confidential=True)
    await visit.desk.raised(visit_id=visit.id, anonymous=True)
    await visit.desk.hear(visit.did(VisitCompleted, "10-09T09:50"))
    assert await visit.states() == [("archive", 1, "running")]


async def test_a_visit_heard_of_when_its_hour_was_past_arrives_late(visit: Round) -> None:
    visit.desk.clock.set(instant("10-09T18:00"))
    await visit.desk.hear(visit.appointed("10-09T14:00", "10-09T15:00"))
    (clock,) = await visit.deadlines()
    assert (clock["state"], clock["late_arrival"]) == ("breached", True)
    (breach,) = await visit.desk.told("deadline.breached.v1")
    assert breach["late_arrival"]


@pytest.mark.clause("003 10(2)7")
async def test_an_hour_that_was_given_up_and_agreed_upon_again_runs_again(visit: Round) -> None:
    hour = visit.appointed("10-09T14:00", "10-09T15:00")
    await visit.desk.hear(visit.planned("E101"), hour)
    await visit.desk.hear(visit.did(VisitUnappointed, "10-09T10:00"))
    await visit.desk.hear(hour)
    assert await visit.states() == [("arrival", 1, "cancelled"), ("arrival", 2, "running")]


@pytest.mark.clause("003 10(2)7")
async def test_one_whose_pack_was_withdrawn_meanwhile_runs_by_what_counts_then(visit: Round) -> None:
    """The nearest choice that is left is that of the unit above."""
    desk = visit.desk
    await desk.assign("374", "service-window")
    await desk.publish(id="own", extends="service-window")
    await desk.assign("37401", "own")
    hour = visit.appointed("10-09T14:00", "10-09T15:00")
    await desk.hear(visit.planned("E101"), hour)
    await desk.hear(visit.did(VisitUnappointed, "10-09T10:00"))
    await got(desk.admin.post("/policies/own/withdraw", json={"reason": "已被取代"}))
    await desk.hear(hour)
    policies = [(clock["policy"], clock["state"]) for clock in await visit.deadlines()]
    assert policies == [("own@1", "cancelled"), ("service-window@1", "running")]


async def test_the_archive_goes_by_the_unit_that_makes_the_visit(archived_late: Round) -> None:
    """Whichever unit an appeal on it belongs to."""
    await archived_late.desk.hear(archived_late.planned("E101"), archived_late.did(VisitCompleted, "10-09T09:20"))
    appeal = await archived_late.raise_appeal(unit_code="37402")
    assert await archived_late.states() == [("archive", 1, "cancelled")]
    by = {"at": archived_late.desk.clock.now().isoformat(), "content": "已检修线路"}
    await made(archived_late.desk.supervisor.post(f"/appeals/{appeal}/answers", json=by))
    await archived_late.desk.act(appeal, "close")
    assert await archived_late.states() == [("archive", 1, "cancelled"), ("archive", 2, "running")]
