"""An appeal that is heard of has its clocks: right to the day, once, and whatever else is not known."""

from datetime import datetime, timedelta

import asyncpg
import pytest
from sqlalchemy.event import listen, remove

from appeal_tracker.appeals import opening
from chassis.ids import new_id
from contracts.envelope import Event, Message
from tests.integration.appeal_tracker.desk import Desk, got, instant, raised, unit


@pytest.mark.clause("7.2.3")
async def test_a_complaint_is_contacted_in_24_hours_and_answered_in_7_working_days(desk: Desk) -> None:
    appeal = await desk.appeal(await desk.raised())
    assert (appeal["state"], appeal["round"], appeal["policy"]) == ("open", 1, "t-sdpea@1")
    contact, answer = appeal["clocks"]
    assert (contact["milestone"], contact["due_at"]) == ("contact", "2026-10-10T01:30:00Z")
    # Saturday 10-10 works; the last day ends at its 24:00.
    assert (answer["milestone"], answer["due_at"]) == ("answer", "2026-10-19T16:00:00Z")
    for clock in appeal["clocks"]:
        assert (clock["state"], clock["started_at"]) == ("running", "2026-10-09T01:30:00Z")
        assert (clock["met_at"], clock["breached_at"], clock["provisional"]) == (None, None, False)
        assert (clock["policy"], clock["calendar"]) == ("t-sdpea@1", "cn-statutory@1")


@pytest.mark.clause("7.2.3")
async def test_a_consultation_is_answered_in_7_working_days_and_needs_no_contact(desk: Desk) -> None:
    clocks = await desk.clocks(await desk.raised(appeal_type="consultation"))
    assert {milestone: clock["due_at"] for milestone, clock in clocks.items()} == {"answer": "2026-10-19T16:00:00Z"}


async def test_opening_is_told_once_with_its_clocks(desk: Desk) -> None:
    case = await desk.raised()
    (told,) = await desk.told("appeal.opened.v1")
    clocks = await desk.clocks(case)
    assert (told["appeal_id"], told["policy"], told["appeal_type"]) == (case, "t-sdpea@1", "complaint")
    assert {clock["milestone"]: clock["clock_id"] for clock in told["clocks"]} == {
        milestone: clock["id"] for milestone, clock in clocks.items()
    }
    (entry,) = await desk.timeline(case)
    assert (entry["kind"], entry["actor"], entry["at"]) == ("opened", "E101", "2026-10-09T01:30:00Z")


async def test_an_appeal_is_opened_once_however_often_it_is_told(desk: Desk) -> None:
    event, ids = raised(), [new_id(), new_id()]
    await desk.hear(event, event, ids=ids)  # two events of one appeal, in one batch
    await desk.hear(event, ids=ids[:1])  # an event again
    await desk.hear(event)  # another event of the same appeal, later
    assert len(await desk.rows("SELECT FROM clocks")) == 2
    assert len(await desk.told("appeal.opened.v1")) == len(await desk.timeline(str(event.appeal_id))) == 1


async def test_a_batch_takes_the_same_number_of_statements_however_large(desk: Desk) -> None:
    statements: list[str] = []

    def count(connection: object, cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    async def opened(appeals: int) -> int:
        statements.clear()
        messages = [message(raised()) for _ in range(appeals)]
        async with desk.runtime.db.transaction() as tx:
            await opening.appeals_raised(desk.runtime, tx, messages)
        return len(statements)

    engine = desk.runtime.db.engine.sync_engine
    await opened(1)  # the rules are read once
    listen(engine, "before_cursor_execute", count)
    try:
        assert await opened(1) == await opened(200) <= 8
    finally:
        remove(engine, "before_cursor_execute", count)
    assert len(await desk.rows("SELECT FROM appeals")) == 202


def message(event: Event) -> Message:
    return Message(new_id(), event.type, "/visit_api", event.subject, instant("10-09T10:00"), event, None)


@pytest.mark.parametrize("appeal_type", ["report", "opinion", "suggestion"])
@pytest.mark.clause("5.5")
async def test_a_type_without_a_number_in_the_standard_has_no_clocks_and_says_why(desk: Desk, appeal_type: str) -> None:
    appeal = await desk.appeal(await desk.raised(appeal_type=appeal_type))
    assert (appeal["clocks"], appeal["no_clock_reason"]) == ([], "as_prescribed")


async def test_an_appeal_of_an_unknown_type_is_opened_without_clocks_and_raises_an_alarm(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    case = await desk.raised(appeal_type="praise")
    appeal = await desk.appeal(case)
    assert (appeal["type"], appeal["clocks"], appeal["no_clock_reason"]) == ("praise", [], "unknown_type")
    assert [record.levelname for record in caplog.records if "unknown type" in record.message] == ["ERROR"]
    (told,) = await desk.told("appeal.opened.v1")
    assert (told["appeal_type"], told["clocks"]) == ("praise", [])


async def test_a_deadline_that_needs_a_year_without_a_notice_is_provisional(desk: Desk) -> None:
    desk.clock.set(datetime.fromisoformat("2026-12-23T10:00:00+08:00"))
    clocks = await desk.clocks(await desk.raised(received_at=desk.clock.now()))
    assert (clocks["contact"]["provisional"], clocks["answer"]["provisional"]) == (False, True)


@pytest.mark.clause("002 6.4.5.5")
async def test_a_hidden_appeal_names_neither_visit_nor_customer(desk: Desk, owner: asyncpg.Connection) -> None:
    appeal = await desk.appeal(await desk.raised(visit_id=None, customer_id=None, confidential=True))
    assert (appeal["visit_id"], appeal["customer_id"], appeal["confidential"]) == (None, None, True)
    named = raised()
    await desk.hear(named)
    opened = {each["appeal_id"]: each["customer_id"] for each in await desk.told("appeal.opened.v1")}
    assert opened == {appeal["id"]: None, str(named.appeal_id): str(named.customer_id)}
    # Older code told the visit of an anonymous one, and kept it.
    told = await desk.raised(anonymous=True)
    (row,) = await desk.rows("SELECT visit_id, customer_id FROM appeals WHERE anonymous")
    assert (row["visit_id"], row["customer_id"]) == (None, None)
    kept = await owner.fetchrow(
        "UPDATE appeals SET visit_id = $1, customer_id = $2 WHERE anonymous RETURNING *", new_id(), new_id()
    )
    assert kept is not None
    await desk.act(told, "dispatch", handler="E102")
    await desk.at("10-21T09:00")
    listed = (await got(desk.supervisor.get("/appeals")))["items"]
    shown = [each for each in listed if each["id"] != str(named.appeal_id)] + [await desk.appeal(told)]
    assert {(each["visit_id"], each["customer_id"]) for each in shown} == {(None, None)}
    everything = str([await desk.told(), await desk.timeline(told)])
    assert "deadline.breached.v1" in everything
    assert (str(kept["visit_id"]) in everything, str(kept["customer_id"]) in everything) == (False, False)
    assert len(appeal["clocks"]) == 2


async def test_an_appeal_already_past_due_is_opened_and_breached_at_once_marked_late(desk: Desk) -> None:
    case = await desk.raised(received_at=desk.clock.now() - timedelta(days=3))
    clocks = await desk.clocks(case)
    assert (clocks["contact"]["state"], clocks["answer"]["state"]) == ("breached", "running")
    (breach,) = await desk.told("deadline.breached.v1")
    assert (breach["milestone"], breach["late"]) == ("contact", True)


async def test_a_raise_heard_before_its_unit_is_opened_all_the_same(desk: Desk) -> None:
    case = await desk.raised(unit_code="37409")
    newcomer = desk.client("supervisor", unit="37409")
    assert (await newcomer.get(f"/appeals/{case}")).status_code == 200
    assert (await desk.supervisor.get(f"/appeals/{case}")).status_code == 404
    await desk.hear(unit("37409", "374"))
    assert (await desk.supervisor.get(f"/appeals/{case}")).status_code == 200
