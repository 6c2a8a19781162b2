"""Who is meant at the moment of sending: whoever is on duty, or stands in for somebody; groups; nobody."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.absences import AbsenceChanged
from contracts.appeals import AppealTransferred, AppealUrged
from contracts.directory import UnitChanged
from notifier.deliveries import looking
from tests.conftest import START
from tests.integration.notifier.office import CITY, COUNTY, OTHER, STATION, Appeal, Office, staff, unit

NIGHT = START.replace(hour=22)
MORNING = START.replace(day=10, hour=8, minute=5)


async def post(office: Office, path: str, unit: str = STATION, **body: Any) -> Any:
    return await office.client("supervisor", unit=unit, sub="S1").post(path, json=body)


def span(start: datetime, hours: float) -> dict[str, str]:
    return {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=hours)).isoformat()}


async def test_whoever_is_on_duty_when_it_is_sent_is_told_for_all_supervisors(office: Office, appeal: Appeal):
    await office.hear(staff("S2", STATION, "supervisor"))
    duty = {"unit_code": STATION, "role": "supervisor"}
    assert (await post(office, "duties", **duty, staff_no="S1", **span(NIGHT, 8))).status_code == 201
    assert (
        await post(office, "duties", **duty, staff_no="S2", **span(NIGHT + timedelta(hours=8), 8))
    ).status_code == 201
    office.clock.set(NIGHT)
    await office.hear(appeal.breached("unit_supervisors"))
    assert await office.told() == {("S1", "deferred")}
    office.clock.set(MORNING)
    await office.stack.settle()
    assert await office.told() == {("S1", "cancelled"), ("S2", "sent")}
    told = {its["recipient"]: its for its in await office.deliveries()}
    assert (told["S1"]["why"], told["S2"]["on_duty"], told["S2"]["why"]) == ("readdressed", True, "on_duty")
    office.clock.set(MORNING + timedelta(hours=12))
    await office.stack.settle()
    office.clock.set(MORNING + timedelta(days=1))
    await office.hear(Appeal(START).breached("unit_supervisors"))
    assert {its["recipient"] for its in await office.deliveries(state="sent")} == {"S1", "S2"}, "without a roster, all"


async def test_what_waits_for_somebody_who_is_away_goes_to_who_stands_in_for_them(office: Office, appeal: Appeal):
    await office.hear(staff("H2", STATION, "handler"))
    office.clock.set(NIGHT)
    await office.hear(appeal.warned())
    answer = await post(office, "substitutes", staff_no="H1", substitute="H2", **span(NIGHT, 48))
    assert answer.status_code == 201, answer.text
    office.clock.set(MORNING)
    await office.stack.settle()
    assert await office.told() == {("H1", "cancelled"), ("H2", "sent")}
    (delivery,) = await office.deliveries(recipient="H2")
    assert (delivery["instead_of"], delivery["why"]) == ("H1", "substitute_of:H1")
    tag = (await office.client("supervisor").get(f"substitutes/{answer.json()['id']}")).headers["etag"]
    ended = {"substitute": "H2", **span(NIGHT, 48), "active": False}
    path = f"substitutes/{answer.json()['id']}"
    assert (await office.client("supervisor").put(path, json=ended, headers={"If-Match": tag})).status_code == 200
    await office.hear(Appeal(START).warned())
    assert ("H1", "sent") in await office.told()


def absent(id: UUID, staff_no: str, substitute: str | None, since: datetime, hours: float | None) -> AbsenceChanged:
    until = None if hours is None else since + timedelta(hours=hours)
    its = {"staff_no": staff_no, "unit_code": STATION, "substitute": substitute, "since": since, "until": until}
    return AbsenceChanged(absence_id=id, **its, at=START, by="S1")


async def test_whoever_the_tracker_says_is_away_is_told_by_way_of_who_stands_in(office: Office, appeal: Appeal):
    """Also of what waits already; what was said last of an absence counts, and more than what is kept here."""
    await office.hear(*(staff(each, STATION, "handler") for each in ("H2", "H3")))
    await post(office, "substitutes", staff_no="H1", substitute="H3", **span(NIGHT, 480))
    office.clock.set(NIGHT)
    await office.hear(appeal.warned())
    assert await office.told() == {("H3", "deferred")}
    absence = uuid4()
    await office.hear(absent(absence, "H1", "H2", NIGHT, None))
    office.clock.set(MORNING)
    await office.stack.settle()
    assert await office.told() == {("H3", "cancelled"), ("H2", "sent")}
    (delivery,) = await office.deliveries(recipient="H2")
    assert (delivery["instead_of"], delivery["why"]) == ("H1", "substitute_of:H1")

    await office.hear(absent(absence, "H1", "H2", NIGHT, 1))
    await office.hear(Appeal(START).warned())
    assert ("H3", "sent") in await office.told(), "back, as the tracker says; what is kept here still holds"
    await office.hear(absent(uuid4(), "H4", None, NIGHT, 48), Appeal(START).warned(owner="H4", first_contact="F1"))
    assert ("F1", "sent") in await office.told(), "nobody stands in for them"


async def test_who_is_on_duty_and_away_is_told_where_nobody_else_is_there(bare: Office):
    """And everybody else where somebody is: neither is looked for without end."""
    await bare.hear(unit(STATION), staff("S1", STATION, "supervisor"))
    duty = {"unit_code": STATION, "role": "supervisor", "staff_no": "S1"}
    assert (await post(bare, "duties", **duty, **span(START, 48))).status_code == 201
    await bare.hear(absent(uuid4(), "S1", None, START, 48))
    await bare.hear(Appeal(START).breached("unit_supervisors"))
    assert await bare.told(unit=STATION) == {("S1", "sent")}
    await bare.hear(staff("S2", STATION, "supervisor"), Appeal(START).breached("unit_supervisors"))
    assert await bare.told(unit=STATION) == {("S1", "sent"), ("S2", "sent")}


async def test_a_group_is_told_by_a_route_and_switched_off_the_supervisors_of_its_unit(office: Office, appeal: Appeal):
    made = await post(office, "groups", unit_code=STATION, name="值班班组", members=["H1", "S1"])
    assert made.status_code == 201, made.text
    route = {"unit_code": STATION, "event_type": "appeal.reopened", "channels": ["mailbox"]}
    admin = office.client("admin")
    audience = {"audience": f"group:{made.json()['id']}"}
    common = await office.client("admin", unit=CITY).post("routes", json={**route, **audience, "unit_code": None})
    assert (common.status_code, common.json()["errors"][0]["pointer"]) == (422, "/audience"), "it is one unit's"
    answer = await admin.post("routes", json={**route, **audience})
    assert answer.status_code == 201, answer.text
    await office.hear(appeal.opened(), appeal.reopened())
    told = {(its["recipient"], its["audience"][:6], its["state"], its["why"]) for its in await office.deliveries()}
    assert told == {("H1", "group:", "cancelled", "own_act"), ("S1", "group:", "sent", None)}
    body = {"name": "值班班组", "members": ["H1"], "active": False}
    assert (await admin.put(f"groups/{made.json()['id']}", json=body, headers={"If-Match": "*"})).status_code == 200


async def test_for_a_group_that_is_away_its_supervisors_are_told_wherever_the_appeal_is_by_then(office: Office):
    made = await post(office, "groups", unit_code=STATION, name="值班班组", members=["H1"])
    route = {"event_type": "appeal.urged", "audience": f"group:{made.json()['id']}", "channels": ["mailbox"]}
    answer = await office.client("admin", unit=CITY).post("routes", json={**route, "unit_code": CITY})
    assert answer.status_code == 201, answer.text
    await office.hear(unit("37402", COUNTY), absent(uuid4(), "H1", None, NIGHT, None))
    office.clock.set(NIGHT)
    appeal = Appeal(START)
    acts = {"owner": None, "first_contact": None, "times": 1, "handling_unit_code": STATION}
    await office.hear(appeal.opened(), AppealUrged(**appeal._act(by="C1"), **acts))
    office.clock.advance(timedelta(hours=1))
    handed = {"handler": "H2", "handling_unit_code": "37402"}
    await office.hear(AppealTransferred(**appeal._act(by="S1"), **handed))
    office.clock.set(MORNING)
    await office.stack.settle()
    its = [each for each in await office.deliveries() if each["audience"].startswith("group:")]
    assert [(each["recipient"], each["state"]) for each in its] == [("S1", "sent")]


async def test_who_is_found_again_and_again_is_told_in_the_end(
    office: Office, appeal: Appeal, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(looking, "_lost", lambda row, known: True)
    await office.hear(appeal.warned())
    assert await office.told() == {("H1", "sent")}


async def test_who_is_not_there_is_put_on_no_roster(office: Office):
    duty = {"unit_code": STATION, "role": "supervisor", **span(START, 8)}
    for path, body, pointer in (
        ("duties", {**duty, "staff_no": "nobody"}, "/staff_no"),
        ("duties", {**duty, "staff_no": "S1", "unit_code": OTHER}, "/unit_code"),
        ("duties", {**duty, "staff_no": "S1", **span(START, 0)}, ""),
        ("duties", {**duty, "staff_no": "S1", "role": "king"}, "/role"),
        ("substitutes", {"staff_no": "H1", "substitute": "H1", **span(START, 8)}, "/substitute"),
        ("substitutes", {"staff_no": "P1", "substitute": "H1", **span(START, 8)}, "/staff_no"),
        ("groups", {"unit_code": STATION, "name": "g", "members": []}, "/members"),
        ("groups", {"unit_code": STATION, "name": "g", "members": ["H1", "H1"]}, "/members"),
        ("groups", {"unit_code": STATION, "name": "g", "members": ["nobody"]}, "/members"),
    ):
        answer = await post(office, path, **body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer), (path, body)
    assert (await office.client("handler").post("duties", json={**duty, "staff_no": "S1"})).status_code == 403


async def test_rosters_are_seen_from_their_unit_and_above(office: Office):
    made = (await post(office, "duties", unit_code=STATION, role="callback", staff_no="H1", **span(START, 8))).json()
    for place, count in ((STATION, 1), (COUNTY, 1), (CITY, 1), (OTHER, 0)):
        client = office.client("supervisor", unit=place)
        assert len((await client.get("duties")).json()["items"]) == count, place
        assert (await client.get(f"duties/{made['id']}")).status_code == (200 if count else 404)


async def test_nobody_to_tell_is_found_by_asking_for_nobody(bare: Office, appeal: Appeal):
    await bare.sql("UPDATE routes SET fallback = '{sms}' WHERE id = 'deadline.breached.unit_supervisors'")
    await bare.hear(appeal.breached("unit_supervisors"))
    assert [its["why"] for its in await bare.deliveries(unit=STATION, recipient="nobody")] == ["nobody_to_tell"]


async def test_a_merged_unit_keeps_nothing_new_and_those_of_the_other_are_told(office: Office):
    its = uuid4()
    await office.hear(unit("37402", COUNTY), staff("S3", "37402", "supervisor"), unit("37403", COUNTY, id=its))
    await office.hear(UnitChanged(id=its, unit_code="37403", parent_code="37402", merged_into="37402", version=2))
    duty = {"unit_code": "37403", "role": "supervisor", "staff_no": "S3", **span(START, 8)}
    group = {"unit_code": "37403", "name": "抢修", "members": ["S3"]}
    for path, body in (("duties", duty), ("groups", group)):
        answer = await post(office, path, COUNTY, **body)
        assert [error["code"] for error in answer.json()["errors"]] == ["merged_unit"], answer.text
    await office.hear(Appeal(START, unit="37403").breached("unit_supervisors"))
    assert {delivery["recipient"] for delivery in await office.deliveries()} == {"S3"}
    old = office.client("supervisor", unit="37403")
    assert (await old.get("deliveries")).json()["items"] != [], "whoever is of it is of the other"
