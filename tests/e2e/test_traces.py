"""What several traces brought about together is told under the trace of each: through HTTP, outbox and topics."""

from uuid import uuid4

import pytest

from chassis.ids import new_id
from chassis.messaging.bus import Record
from chassis.telemetry import trace_id
from contracts.appeals import AppealOpened, AppealRaised
from contracts.deadlines import DeadlineMet
from contracts.envelope import Event, encode_payload, headers
from contracts.visits import VisitAppointed, VisitArchived, VisitArrived, VisitCompleted, VisitMoment, VisitStarted
from tests.e2e.company import PARENT, UNIT, Company, got, local, made
from tests.support.stack import Stack

COMPLAINT = {"type": "complaint", "summary": "三天两头停电", "received_at": "2026-10-09T10:00:00+08:00"}
ARRIVAL_AND_ARCHIVE = {
    "id": "own",
    "extends": "t-sdpea",
    "visits": [
        {"milestone": "arrival", "within": "1 hour", "clause": "own 1", "starts": "appointed"},
        {"milestone": "archive", "within": "2 working days", "clause": "own 2", "starts": "completed"},
    ],
}

COURSE: dict[type[VisitMoment], str] = {
    VisitArrived: "09 10:01",
    VisitStarted: "09 10:02",
    VisitCompleted: "09 10:03",
    VisitArchived: "09 10:04",
}
MEETS: dict[type[VisitMoment], str] = {VisitArrived: "arrival", VisitArchived: "archive"}


@pytest.fixture
async def company(stack: Stack) -> Company:
    its = Company(stack)
    await its.found()
    return its


def traceparent(trace: str) -> str:
    return f"00-{trace}-b7ad6b7169203331-01"


async def test_complaints_heard_together_are_opened_each_under_its_own_trace(company: Company) -> None:
    visit, visitor, cause = await company.visit(), company.who("visit_api", "V1"), {}
    for trace in ("a" * 32, "b" * 32, "c" * 32):
        posted = visitor.post(
            f"/visits/{visit['id']}/appeals", json=COMPLAINT, headers={"traceparent": traceparent(trace)}
        )
        cause[(await made(posted))["id"]] = trace
    await company.stack.settle()
    for topic, kind in (("visit.events", AppealRaised), ("appeal.events", AppealOpened)):
        told = [message for message in await company.heard(topic) if isinstance(message.event, kind)]
        assert {message.subject: trace_id(message.traceparent) for message in told} == cause


async def test_visits_heard_of_together_tell_each_deadline_under_the_trace_of_what_met_it(company: Company) -> None:
    """Of one visit too: its arrival and its archiving come in one batch, and what came between them."""
    admin = company.stack.client("appeal_tracker", "admin", unit=PARENT, sub="A1")
    await made(admin.post("/policies", json=ARRIVAL_AND_ARCHIVE))
    path = f"/units/{UNIT}/policy"
    etag = (await admin.get(path)).headers["ETag"]
    await got(admin.put(path, json={"policy": "own"}, headers={"If-Match": etag}))
    visits, cause = [uuid4(), uuid4()], {}
    window = {"window_from": local("09 10:00"), "window_to": local("09 11:00")}
    for visit in visits:
        await tell(company, VisitAppointed(visit_id=visit, unit_code=UNIT, **window))
    for act, at in COURSE.items():
        for visit in visits:
            trace = uuid4().hex
            await tell(company, act(visit_id=visit, unit_code=UNIT, at=local(at)), trace)
            if act in MEETS:
                cause[str(visit), MEETS[act]] = trace
    await company.stack.settle()
    told = [message for message in await company.heard("appeal.events") if isinstance(message.event, DeadlineMet)]
    assert {(its.subject, its.event.milestone): trace_id(its.traceparent) for its in told} == cause


async def tell(company: Company, event: Event, trace: str = "f" * 32) -> None:
    """Puts on the bus what visit_api would tell under a trace."""
    its = headers(new_id(), event.type, "/visit_api", event.subject, company.stack.clock.now(), traceparent(trace))
    record = Record(event.topic, event.key, encode_payload(event), tuple(its))
    await company.stack["visit_api"].runtime.bus.publish([record])
