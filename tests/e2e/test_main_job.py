"""The main job: a complaint raised on a visit is answered in time, people are told, and it ends in the archive."""

from typing import Any

import pytest

from tests.e2e.company import UNIT, Company, Json, got, local, made, utc
from tests.support.stack import Stack

COMPLAINT = {"type": "complaint", "summary": "三天两头停电", "received_at": "2026-10-09T10:00:00+08:00"}


@pytest.fixture
async def company(stack: Stack) -> Company:
    """The company on a Friday morning; the Saturday after it is a working day."""
    its = Company(stack)
    await its.found()
    return its


async def raised(company: Company, visit: Json, **fields: Any) -> str:
    """The complaint, raised on the visit by its visitor and heard of by the tracker."""
    appeal = await made(company.who("visit_api", "V1").post(f"/visits/{visit['id']}/appeals", json=COMPLAINT | fields))
    await company.stack.settle()
    return str(appeal["id"])


async def clocks(company: Company, appeal: str) -> dict[str, Json]:
    """The clocks of an appeal by milestone."""
    shown = await got(company.who("appeal_tracker", "H1").get(f"/appeals/{appeal}"))
    return {clock["milestone"]: clock for clock in shown["clocks"]}


def people(told: list[Json], step: str, milestone: str) -> dict[str, str]:
    """Who is told of a step, and in which state the message to each is."""
    return {each["recipient"]: each["state"] for each in told if (each["step"], each["milestone"]) == (step, milestone)}


@pytest.mark.clause("7.2.3", "7.2.5.2", "7.2.6")
async def test_the_main_job(company: Company) -> None:
    visit = await company.visit()
    appeal = await raised(company, visit)
    await _two_clocks_run(company, appeal)
    await _completing_never_waits(company, visit, appeal)
    supervisor = company.who("appeal_tracker", "S1")
    await got(supervisor.post(f"/appeals/{appeal}/dispatch", json={"handler": "H1"}))
    await _nobody_is_told_by_night(company, appeal)
    await _a_missed_contact_goes_up(company, appeal)
    await _contact_and_answer(company, appeal)
    await _callback_close_archive(company, visit, appeal)
    await _nothing_comes_after(company, appeal)
    await _all_of_it_is_on_record(company, appeal)


async def _two_clocks_run(company: Company, appeal: str) -> None:
    its = await clocks(company, appeal)
    assert its.keys() == {"contact", "answer"}
    for clock, due in ((its["contact"], "10 10:00"), (its["answer"], "20 00:00")):
        assert (clock["state"], clock["started_at"], clock["due_at"]) == ("running", utc("09 10:00"), utc(due))
        assert (clock["round"], clock["provisional"], clock["policy"]) == (1, False, "t-sdpea@1")
    # Working days: 10 (a Saturday made up for), 12, 13, 14, 15, 16, 19; the deadline is 24:00 of the last.
    explained = await got(company.who("appeal_tracker", "H1").get(f"/deadlines/{its['answer']['id']}/explanation"))
    counted = [day["date"][-2:] for day in explained["days"] if day["counted"]]
    assert counted == ["10", "12", "13", "14", "15", "16", "19"]
    assert explained["due_text"] == "2026-10-19 24:00"


async def _completing_never_waits(company: Company, visit: Json, appeal: str) -> None:
    visitor = company.who("visit_api", "V1")
    assert (await got(visitor.post(f"/visits/{visit['id']}/complete", json={})))["state"] == "completed"
    early = await visitor.post(f"/visits/{visit['id']}/archive", json={})
    assert early.status_code == 409
    (missing,) = early.json()["missing"]
    assert (missing["what"], missing["clause"], missing["appeal_id"]) == ("appeal_closed", "7.2.6", appeal)


async def _nobody_is_told_by_night(company: Company, appeal: str) -> None:
    await company.until("09 20:59")
    assert await company.told(appeal) == []
    (handed,) = await company.messages(appeal)
    assert (handed["event_type"], handed["recipient"], handed["state"]) == ("appeal.dispatched", "H1", "sent")
    await company.until("09 22:00")  # half of the 24 hours
    (warning,) = await company.told(appeal)
    assert (warning["step"], warning["recipient"], warning["state"]) == ("0.5", "H1", "deferred")
    assert utc("10 08:00") <= warning["not_before"] < utc("10 08:03")
    assert warning["sent_at"] is None
    await company.until("10 04:00")  # three quarters
    assert people(await company.told(appeal), "0.75", "contact") == {"H1": "deferred", "S1": "deferred"}
    assert await company.letters("H1") == []
    await company.until("10 08:03")
    told = await company.told(appeal)
    assert {(each["state"], each["sent_at"]) for each in told} == {("sent", utc("10 08:03"))}
    assert (len(told), len(await company.letters("H1")), len(await company.letters("S1"))) == (3, 1, 1)


async def _a_missed_contact_goes_up(company: Company, appeal: str) -> None:
    await company.until("10 10:00")
    contact = (await clocks(company, appeal))["contact"]
    assert (contact["state"], contact["breached_at"], contact["met_at"]) == ("breached", utc("10 10:00"), None)
    assert people(await company.told(appeal), "due", "contact") == {"H1": "sent", "S1": "sent"}
    assert await company.letters("P1") == []
    await company.until("10 12:00")
    assert people(await company.told(appeal), "+2h", "contact") == {"S1": "sent", "P1": "sent"}
    assert len(await company.letters("P1")) == 1


async def _contact_and_answer(company: Company, appeal: str) -> None:
    handler = company.who("appeal_tracker", "H1")
    await company.until("10 12:30")
    contact = {"at": local("10 12:25").isoformat(), "channel": "phone", "result": "reached"}
    assert (await made(handler.post(f"/appeals/{appeal}/contacts", json=contact)))["counts"] is True
    its = (await clocks(company, appeal))["contact"]
    assert (its["state"], its["stopped_at"], its["met_at"]) == ("breached", utc("10 12:25"), None)
    await company.until("14 12:00")  # half of seven working days: noon of the fourth
    assert people(await company.told(appeal), "0.5", "answer") == {"H1": "sent"}
    await company.until("15 09:00")
    answer = {"at": local("15 08:50").isoformat(), "content": "已更换老化线路"}
    await made(handler.post(f"/appeals/{appeal}/answers", json=answer))
    its = (await clocks(company, appeal))["answer"]
    assert (its["state"], its["met_at"], its["breached_at"]) == ("met", utc("15 08:50"), None)


async def _callback_close_archive(company: Company, visit: Json, appeal: str) -> None:
    caller, visitor = company.who("appeal_tracker", "C1"), company.who("visit_api", "V1")
    await company.until("15 10:00")
    callback = {"at": company.now(), "result": "completed", "satisfaction": 5}
    await made(caller.post(f"/appeals/{appeal}/callbacks", json=callback))
    closed = await got(caller.post(f"/appeals/{appeal}/close", json={}))
    assert (closed["state"], closed["outcome"]) == ("closed", "resolved")
    await company.stack.settle()
    archived = await got(visitor.post(f"/visits/{visit['id']}/archive", json={}))
    assert (archived["state"], archived["archived_at"]) == ("archived", utc("15 10:00"))
    entry = await got(company.who("visit_api", "S1").get(f"/archive/{visit['id']}"))
    (kept,) = entry["record"]["record"]["appeals"]
    assert (kept["id"], kept["summary"], kept["outcome"]) == (appeal, COMPLAINT["summary"], "resolved")


async def _nothing_comes_after(company: Company, appeal: str) -> None:
    before = await company.told(appeal)
    await company.until("25 12:00")
    assert await company.told(appeal) == before


async def _all_of_it_is_on_record(company: Company, appeal: str) -> None:
    timeline = (await got(company.who("appeal_tracker", "H1").get(f"/appeals/{appeal}/timeline")))["items"]
    assert [(each["kind"], each["at"], each["actor"]) for each in timeline] == [
        ("opened", utc("09 10:00"), "V1"),
        ("dispatched", utc("09 10:00"), "S1"),
        ("deadline_warned", utc("09 22:00"), None),
        ("deadline_warned", utc("10 04:00"), None),
        ("deadline_breached", utc("10 10:00"), None),
        ("deadline_escalated", utc("10 12:00"), None),
        ("contacted", utc("10 12:25"), "H1"),
        ("deadline_ended", utc("10 12:25"), "H1"),
        ("deadline_warned", utc("14 12:00"), None),
        ("answered", utc("15 08:50"), "H1"),
        ("deadline_met", utc("15 08:50"), "H1"),
        ("called_back", utc("15 10:00"), "C1"),
        ("closed", utc("15 10:00"), "C1"),
    ]
    told = await company.told(appeal)
    assert [(each["milestone"], each["step"], each["recipient"]) for each in told] == [
        ("contact", "0.5", "H1"),
        ("contact", "0.75", "H1"),
        ("contact", "0.75", "S1"),
        ("contact", "due", "H1"),
        ("contact", "due", "S1"),
        ("contact", "+2h", "S1"),
        ("contact", "+2h", "P1"),
        ("answer", "0.5", "H1"),
    ]
    assert {(each["state"], each["channel"], each["late"]) for each in told} == {("sent", "mailbox", False)}
    # What was told, by its event; and that it was told, by the notifier's own.
    said = [message for message in await company.heard("appeal.events") if message.subject == appeal]
    steps = [message.id for message in said if hasattr(message.event, "step")]
    assert [*map(str, steps)] == list(dict.fromkeys(each["event_id"] for each in told))
    sent = [message.subject for message in await company.heard("notification.events")]
    assert sorted(sent) == sorted(each["id"] for each in await company.messages(appeal))
    assert {each["send_id"] for each in told} == {
        letter["send_id"] for person in ("H1", "S1", "P1") for letter in await company.letters(person)
    }


async def test_every_step_carries_the_trace_of_the_request_that_caused_it(company: Company) -> None:
    visit = await company.visit()
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    parent = f"00-{trace}-00f067aa0ba902b7-01"
    visitor = company.who("visit_api", "V1")
    answer = await visitor.post(f"/visits/{visit['id']}/appeals", json=COMPLAINT, headers={"traceparent": parent})
    appeal = answer.json()["id"]
    async with company.stack["visit_api"].runtime.db.connection() as connection:
        stored = await connection.fetchval("SELECT traceparent FROM outbox WHERE subject = $1", appeal)
    assert stored[3:35] == trace
    assert stored != parent, "a step of its own in that trace"
    await company.stack.settle()
    for topic, name in (("visit.events", "appeal.raised.v1"), ("appeal.events", "appeal.opened.v1")):
        (message,) = [each for each in await company.heard(topic) if each.type == name]
        assert message.traceparent is not None
        assert message.traceparent[3:35] == trace, name
    refused = await visitor.post("/visits", json={}, headers={"traceparent": parent})
    assert refused.json()["trace_id"] == trace


async def test_what_is_said_in_confidence_does_not_lead_back_to_the_visit(company: Company) -> None:
    visit = await company.visit()
    appeal = await raised(company, visit, confidential=True)
    shown = await got(company.who("appeal_tracker", "S1").get(f"/appeals/{appeal}"))
    assert (shown["confidential"], shown["visit_id"], shown["customer_id"]) == (True, None, None)
    assert [clock["milestone"] for clock in shown["clocks"]] == ["contact", "answer"]
    await company.until("10 10:00")
    assert people(await company.told(appeal), "due", "contact").keys() == {"V1", "S1"}
    about = [each for topic in ("visit.events", "appeal.events") for each in await company.heard(topic)]
    about = [each for each in about if appeal in repr(each)]
    assert {"appeal.raised.v1", "appeal.opened.v1", "deadline.breached.v1"} <= {each.type for each in about}
    for message in about:
        assert visit["id"] not in repr(message), message.type
        assert visit["customer_id"] not in repr(message), message.type
    (raising,) = [each for each in await company.heard("visit.events") if each.type == "appeal.raised.v1"]
    assert (raising.event.key, raising.subject) == (appeal, appeal)


@pytest.mark.clause("002 6.4.5.5", "002 6.4.5.6")
async def test_what_may_be_about_those_who_answered_it_reaches_their_superior_and_is_closed_there(
    company: Company,
) -> None:
    visit = await company.visit()
    appeal = await raised(company, visit, anonymous=True)
    await company.until("09 11:00")
    answer = {"at": company.now(), "content": "已答复"}
    await made(company.who("appeal_tracker", "H1").post(f"/appeals/{appeal}/answers", json=answer))
    await company.stack.settle()
    (letter,) = await company.letters("P1")
    assert letter["subject"].startswith("【已答复，待上级单位核实办结】投诉")
    superior = company.who("appeal_tracker", "P1")
    assert [each["id"] for each in (await got(superior.get("/my-day")))["to_conclude"]] == [appeal]
    assert (await company.who("appeal_tracker", "S1").post(f"/appeals/{appeal}/close", json={})).status_code == 403
    await got(superior.post(f"/appeals/{appeal}/close", json={}))
    assert (await got(superior.get("/my-day")))["to_conclude"] == []


async def test_no_topic_carries_words_or_names(company: Company) -> None:
    visit = await company.visit()
    await raised(company, visit)
    await company.until("12 09:00")
    secrets = ("齐鲁机床", "0001234567", COMPLAINT["summary"], "other.important")
    for topic in ("visit.events", "appeal.events", "notification.events", "directory.changes", "customer.changes"):
        messages = await company.heard(topic)
        assert messages, topic
        for message in messages:
            assert not [secret for secret in secrets if secret in repr(message)], message.type
            assert getattr(message.event, "unit_code", UNIT) in ("374", UNIT)
