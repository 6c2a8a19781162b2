"""What is done about an appeal is told to whose it is, as the routes say; and what need not be told any more is not."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec

from contracts.appeals import (
    AppealAccepted,
    AppealCallbackAsked,
    AppealCallbackScheduled,
    AppealConclusionAsked,
    AppealDispatched,
    AppealRaised,
    AppealReopened,
    AppealReturned,
    AppealSupervised,
    AppealTransferred,
    AppealUrged,
)
from contracts.visits import VisitAppointed, VisitPlanned, VisitReplanned, VisitUnappointed
from tests.conftest import START
from tests.integration.notifier.office import COUNTY, OTHER, STATION, Appeal, Office, staff, unit

NIGHT = START.replace(hour=22)
MORNING = START.replace(day=10, hour=8, minute=5)


def handed(appeal: Appeal, kind: Any, handler: str | None, unit: str = STATION, by: str = "S1") -> Any:
    return kind(**appeal._act(by=by), handler=handler, handling_unit_code=unit)


def urged(appeal: Appeal, owner: str | None = "H1", by: str = "C1") -> AppealUrged:
    its = {"handling_unit_code": STATION, "owner": owner, "first_contact": None, "times": 1}
    return AppealUrged(**appeal._act(by=by), **its)


async def told(office: Office, **query: Any) -> set[tuple[str, str, str]]:
    deliveries = await office.deliveries(**query)
    return {(its["event_type"].partition(".")[2], its["recipient"], its["state"]) for its in deliveries}


async def test_whoever_is_handed_an_appeal_is_told_and_no_deadline_is_named(office: Office, appeal: Appeal):
    await office.hear(appeal.opened(), handed(appeal, AppealDispatched, "H1"))
    (delivery,) = await office.deliveries()
    assert (delivery["recipient"], delivery["state"], delivery["appeal_id"]) == ("H1", "sent", str(appeal.id))
    assert (delivery["step"], delivery["milestone"], delivery["due_at"]) == (None, None, None)
    (letter,) = await office.mailbox()
    assert letter["subject"] == "【派发】投诉 V00000001"


async def test_what_is_handed_to_a_unit_is_told_to_its_supervisors_not_to_whoever_heard_of_it_first(office: Office):
    appeal = Appeal(START)
    raised = {"appeal_id": appeal.id, "appeal_no": "V1", "visit_id": appeal.visit_id, "customer_id": uuid4()}
    raised |= {"unit_code": STATION, "appeal_type": "complaint", "received_at": START, "recorded_at": START}
    await office.hear(AppealRaised(**raised, raised_by="V1"))
    await office.hear(appeal.opened(), handed(appeal, AppealDispatched, None, COUNTY))
    assert await told(office) == {("dispatched", "P1", "sent")}


async def test_whoever_took_it_at_a_hotline_is_known_as_who_heard_of_it_first(office: Office, appeal: Appeal):
    await office.hear(staff("F1", STATION, "handler"))
    opened = msgspec.structs.replace(appeal.opened(), source="95598", visit_id=None, first_contact="F1")
    again = AppealReopened(**appeal._act(by="C1", round=2))
    await office.hear(opened, again)
    assert await told(office) == {("reopened", "F1", "sent"), ("reopened", "S1", "sent")}


async def test_urging_tells_owner_and_supervisors_and_nobody_of_their_own_act(office: Office, appeal: Appeal):
    await office.hear(appeal.opened(), urged(appeal))
    assert await told(office) == {("urged", "H1", "sent"), ("urged", "S1", "sent")}
    other = Appeal(START)
    await office.hear(urged(other, by="S1"))
    own = {(its["recipient"], its["why"]) for its in await office.deliveries(appeal_id=other.id, state="cancelled")}
    assert own == {("S1", "own_act")}


async def test_of_an_act_that_no_route_speaks_of_nobody_is_told(office: Office, appeal: Appeal):
    await office.hear(appeal.opened(), appeal.contacted(), appeal.answered(), appeal.closed())
    assert await office.deliveries() == []
    async with office.notifier.runtime.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM notices") == 0


async def test_what_was_handed_on_over_night_is_told_to_whose_it_is_in_the_morning(office: Office, appeal: Appeal):
    await office.hear(staff("H2", STATION, "handler"))
    office.clock.set(NIGHT)
    await office.hear(appeal.opened(), handed(appeal, AppealDispatched, "H1"), appeal.warned(first_contact="F1"))
    office.clock.advance(timedelta(hours=1))
    await office.hear(handed(appeal, AppealTransferred, "H2"))
    office.clock.set(MORNING)
    await office.stack.settle()
    assert await told(office, recipient="H1") == {("dispatched", "H1", "cancelled"), ("warned", "H1", "cancelled")}
    assert await told(office, recipient="H2") == {("transferred", "H2", "sent"), ("warned", "H2", "sent")}
    whys = {its["why"] for its in await office.deliveries(recipient="H1")}
    assert whys == {"handed_on", "readdressed"}


async def test_what_is_handed_on_twice_over_night_is_told_to_the_last(office: Office, appeal: Appeal):
    """Whoever was looked for as the owner is not always whom the event named: it was handed on before, or is back."""
    await office.hear(staff("H2", STATION, "handler"), unit("37402", COUNTY), staff("S9", "37402", "supervisor"))
    office.clock.set(NIGHT)
    back = Appeal(START)
    # Heard late: by then it was said that it is H2's.
    warned = appeal.warned("owner", "unit_supervisors"), back.warned(first_contact="H1")
    said = office.clock.now()
    office.clock.advance(timedelta(minutes=1))
    await office.hear(*(handed(each, AppealDispatched, "H2") for each in (appeal, back)))
    office.clock.set(said)
    await office.hear(*warned)
    warnings = {"channel": "mailbox", "state": "deferred"}
    assert {its[:2] for its in await told(office, **warnings)} >= {("warned", "H2"), ("warned", "S1")}
    office.clock.advance(timedelta(hours=1))
    await office.hear(handed(appeal, AppealTransferred, "H3", "37402"), handed(back, AppealTransferred, "H1"))
    office.clock.set(MORNING)
    await office.stack.settle()
    sent = {(its["event_type"], its["recipient"], its["appeal_id"]) for its in await office.deliveries(state="sent")}
    assert {each[1:] for each in sent if each[0] == "deadline.warned"} == {
        ("H3", str(appeal.id)),
        ("S9", str(appeal.id)),
        ("H1", str(back.id)),
    }


async def test_those_of_the_unit_that_is_asked_are_told_wherever_the_appeal_is_handled(office: Office, appeal: Appeal):
    """Not those of the unit that handles it: it may be about these; nor any other who calls back, whose task it is not.
    What was closed meanwhile is told to nobody."""
    asked: dict[str, Any] = {"asked_unit_code": COUNTY}
    call = {"task_id": uuid4(), "kind": "callback", "person": None}
    await office.hear(staff("C1", STATION, "callback"), staff("C2", COUNTY, "callback"))
    await office.hear(appeal.opened(), handed(appeal, AppealTransferred, None, STATION, by="P9"))
    (transferred,) = {its["recipient"] for its in await office.deliveries()}
    assert transferred == "S1"
    due = {"required": True, "handling_unit_code": STATION, "due_at": None}
    await office.hear(AppealCallbackAsked(**appeal._act(**call, **due, **asked)))
    assert {each for each in await told(office) if each[1] != "S1"} == {("callback_asked", "P1", "sent")}
    planned = {"scheduled_at": MORNING, "agreed": False}
    await office.hear(AppealCallbackScheduled(**appeal._act(**call, **planned, **asked)))
    assert {each[1] for each in await told(office) if each[0] == "callback_scheduled"} == {"P1"}
    await office.hear(AppealConclusionAsked(**appeal._act(**asked)))
    assert {each[1:] for each in await told(office) if each[0] == "conclusion_asked"} == {("P1", "sent")}
    subjects = {letter["subject"] for letter in await office.mailbox(recipient="P1")}
    assert "【已答复，待上级单位核实办结】投诉 V00000001" in subjects
    office.clock.set(NIGHT)
    other = Appeal(START)
    await office.hear(other.opened(), AppealConclusionAsked(**other._act(**asked)))
    await office.hear(other.closed())
    office.clock.set(MORNING)
    await office.stack.settle()
    (its,) = await office.deliveries(appeal_id=other.id)
    assert (its["recipient"], its["state"], its["why"]) == ("P1", "cancelled", "subject_ended:resolved")


async def test_an_urging_of_what_was_closed_over_night_is_not_told(office: Office, appeal: Appeal):
    office.clock.set(NIGHT)
    await office.hear(appeal.opened(), urged(appeal))
    await office.hear(appeal.closed())
    office.clock.set(MORNING)
    await office.stack.settle()
    assert {its["why"] for its in await office.deliveries()} == {"subject_ended:resolved"}


async def test_what_was_answered_or_planned_anew_over_night_is_not_told_as_it_was(office: Office, appeal: Appeal):
    office.clock.set(NIGHT)
    at_work = {"handling_unit_code": STATION, "owner": "H1", "first_contact": None, "report_by": MORNING}
    supervised = AppealSupervised(**appeal._act(by="P1"), **at_work)
    await office.hear(appeal.opened(), urged(appeal), handed(appeal, AppealDispatched, "H1"), supervised)
    again = Appeal(START)
    await office.hear(again.opened(), AppealReopened(**again._act(by="C1", round=2)))
    plan = {"visit_id": uuid4(), "customer_id": uuid4(), "unit_code": STATION, "visitors": ["H1"]}
    plan |= {"channel": "on_site", "direction": "outbound", "form": "ordinary", "scheduled_at": START}
    for event in ("visit.planned", "visit.replanned"):
        route = {"unit_code": STATION, "event_type": event, "audience": "owner", "channels": ["mailbox"]}
        assert (await office.client("admin").post("routes", json=route)).status_code == 201
    await office.hear(VisitPlanned(**plan))
    office.clock.advance(timedelta(hours=1))
    await office.hear(appeal.answered(), again.answered(round=2), VisitReplanned(**plan | {"scheduled_at": MORNING}))
    office.clock.set(MORNING)
    await office.stack.settle()
    found = {(its["event_type"], its["state"], its["why"]) for its in await office.deliveries(recipient="H1")}
    told_now = {("visit.replanned", "sent"), ("appeal.dispatched", "sent"), ("appeal.supervised", "sent")}
    assert {each[:2] for each in found if each[1] == "sent"} == told_now, "theirs it is still, and a report is owed"
    assert found >= {
        ("appeal.urged", "cancelled", "answered"),
        ("visit.planned", "cancelled", "replanned"),
    }
    (about,) = {(its["event_type"], its["why"]) for its in await office.deliveries(appeal_id=again.id)}
    assert about == ("appeal.reopened", "answered")


async def test_what_is_agreed_with_a_customer_is_told_whoever_else_visits(office: Office):
    """Only what is for another time by now, or appointed anew or no more, is not."""
    office.clock.set(NIGHT)
    for event in ("visit.planned", "visit.appointed"):
        route = {"unit_code": STATION, "event_type": event, "audience": "unit_supervisors", "channels": ["mailbox"]}
        assert (await office.client("admin").post("routes", json=route)).status_code == 201
    plan = {"customer_id": uuid4(), "unit_code": STATION, "visitors": ["H1"], "scheduled_at": MORNING}
    plan |= {"channel": "on_site", "direction": "outbound", "form": "ordinary"}
    agreed = {"unit_code": STATION, "window_from": MORNING, "window_to": MORNING + timedelta(hours=1)}
    kept, moved, off = uuid4(), uuid4(), uuid4()
    for visit in (kept, moved, off):
        await office.hear(VisitPlanned(visit_id=visit, **plan), VisitAppointed(visit_id=visit, **agreed))
    office.clock.advance(timedelta(hours=1))
    await office.hear(
        *(VisitReplanned(visit_id=visit, **plan | {"visitors": ["H2"]}) for visit in (kept, off)),
        VisitReplanned(visit_id=moved, **plan | {"scheduled_at": START}),
        VisitAppointed(visit_id=moved, **agreed),
        VisitUnappointed(visit_id=off, unit_code=STATION, at=office.clock.now()),
    )
    office.clock.set(MORNING)
    await office.stack.settle()
    found = [(its["subject_id"], its["event_type"], its["state"], its["why"]) for its in await office.deliveries()]
    assert sorted(found) == sorted(
        [
            (str(kept), "visit.planned", "sent", "quiet_hours"),
            (str(kept), "visit.appointed", "sent", "quiet_hours"),
            (str(moved), "visit.planned", "cancelled", "replanned"),
            (str(moved), "visit.appointed", "cancelled", "appointed_anew"),
            (str(moved), "visit.appointed", "sent", "quiet_hours"),
            (str(off), "visit.planned", "sent", "quiet_hours"),
            (str(off), "visit.appointed", "cancelled", "appointed_anew"),
        ]
    )


async def test_what_nobody_is_told_of_where_it_went_is_an_alert(office: Office, appeal: Appeal):
    """The unit that it went to has no route for what was to be told: who was meant is told no more, and nobody else."""
    await office.hear(unit("37402", COUNTY), staff("S9", "37402", "supervisor"))
    route = {"unit_code": STATION, "event_type": "appeal.accepted", "audience": "unit_supervisors"}
    assert (await office.client("admin").post("routes", json={**route, "channels": ["mailbox"]})).status_code == 201
    office.clock.set(NIGHT)
    (event_id, *_) = await office.hear(AppealAccepted(**appeal._act()))
    office.clock.advance(timedelta(hours=1))
    await office.hear(handed(appeal, AppealTransferred, "H2", "37402"))
    office.clock.set(MORNING)
    await office.stack.settle()
    its = {(d["recipient"], d["state"], d["why"]) for d in await office.deliveries(event_id=event_id)}
    assert its == {("S1", "cancelled", "readdressed"), ("nobody", "dead", "nobody_to_tell")}
    (dead,) = await office.said("notification.dead.v1")
    assert (dead["event_id"], dead["reason"]) == (str(event_id), "nobody_to_tell")


async def test_an_end_is_told_where_a_route_says_so(office: Office, appeal: Appeal):
    route = {
        "unit_code": STATION,
        "event_type": "appeal.closed",
        "audience": "unit_supervisors",
        "channels": ["mailbox"],
    }
    assert (await office.client("admin").post("routes", json=route)).status_code == 201
    await office.hear(appeal.opened(), appeal.closed())
    assert await told(office) == {("closed", "S1", "sent")}


async def test_what_is_returned_goes_to_the_unit_it_went_back_to(office: Office, appeal: Appeal):
    await office.hear(unit("37402", COUNTY), staff("S9", "37402", "supervisor"))
    await office.hear(appeal.opened(), handed(appeal, AppealReturned, "H1", "37402", by="H8"))
    assert await told(office) == {("returned", "H1", "sent"), ("returned", "S9", "sent")}
    assert await office.told(unit=OTHER) == set()
