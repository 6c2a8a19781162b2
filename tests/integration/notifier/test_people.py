"""Who is told: those the ladder names, each once, whatever the order in which things were heard."""

from datetime import timedelta
from uuid import uuid4

from contracts.directory import StaffRemoved, UnitRemoved
from tests.conftest import START
from tests.integration.notifier.office import CITY, COUNTY, STATION, Appeal, Office, staff, unit


async def test_the_owner_the_unit_and_the_unit_above_are_told_as_the_ladder_says(office: Office, appeal: Appeal):
    await office.hear(
        appeal.opened(),
        appeal.warned("owner"),
        appeal.breached("owner", "unit_supervisors"),
        appeal.escalated("parent_unit_supervisors"),
    )
    deliveries = await office.deliveries(appeal_id=appeal.id)
    told = {(d["event_type"], d["recipient"], d["audience"], d["audience_unit"]) for d in deliveries}
    assert told == {
        ("deadline.warned", "H1", "owner", None),
        ("deadline.breached", "H1", "owner", None),
        ("deadline.breached", "S1", "unit_supervisors", STATION),
        ("deadline.escalated", "P1", "parent_unit_supervisors", COUNTY),
    }
    assert {delivery["state"] for delivery in deliveries} == {"sent"}
    letters = await office.mailbox()
    assert {letter["recipient"] for letter in letters} == {"H1", "S1", "P1"}
    assert all("投诉 V00000001" in letter["body"] and "2026-10-10 10:00" in letter["body"] for letter in letters)


async def test_a_repeated_event_tells_nobody_twice(office: Office, appeal: Appeal):
    """Bug class: duplicate alerts."""
    event = appeal.warned("owner", "unit_supervisors")
    ids = await office.hear(event)
    await office.hear(event, event, ids=[*ids, *ids])
    assert await office.told() == {("H1", "sent"), ("S1", "sent")}
    assert len(await office.deliveries()) == 2
    assert [letter["attempts"] for letter in await office.mailbox()] == [1, 1]


async def test_each_cause_of_one_day_is_told(office: Office, appeal: Appeal):
    """Bug class: once-a-day suppression."""
    await office.hear(appeal.warned(step="0.5"))
    await office.hear(appeal.warned(step="0.75"), Appeal(START).warned(step="0.5"))
    assert [delivery["recipient"] for delivery in await office.deliveries()] == ["H1"] * 3
    assert await office.told() == {("H1", "sent")}


async def test_who_is_in_two_audiences_is_told_once(office: Office, appeal: Appeal):
    """Bug class: duplicate alerts."""
    await office.hear(appeal.breached("owner", "unit_supervisors", owner="S1"))
    (delivery,) = await office.deliveries()
    assert (delivery["recipient"], delivery["audience"]) == ("S1", "owner")


async def test_all_supervisors_of_a_unit_are_told_and_nobody_who_left(office: Office, appeal: Appeal):
    await office.hear(
        staff("S2", STATION, "supervisor", "handler"),
        staff("S3", STATION, "supervisor", active=False),
        appeal.breached("unit_supervisors"),
    )
    assert await office.told() == {("S1", "sent"), ("S2", "sent")}


async def test_without_an_owner_the_first_contact_person_and_then_the_supervisors_are_told(office: Office):
    await office.hear(Appeal(START).warned(owner=None, first_contact="F1"))
    assert await office.told() == {("F1", "sent")}
    await office.hear(Appeal(START).warned(owner=None, first_contact=None))
    assert await office.told() == {("F1", "sent"), ("S1", "sent")}


async def test_where_a_unit_has_no_supervisor_the_nearest_above_is_told(bare: Office, appeal: Appeal):
    await bare.hear(unit(CITY), unit(COUNTY, CITY), unit(STATION, COUNTY), staff("T1", CITY, "supervisor"))
    await bare.hear(appeal.breached("unit_supervisors"), appeal.escalated())
    deliveries = await bare.deliveries()
    assert {(d["recipient"], d["audience_unit"], d["why"]) for d in deliveries} == {("T1", CITY, "next_above")}
    assert {d["audience"] for d in deliveries} == {"unit_supervisors", "parent_unit_supervisors"}


async def test_nobody_to_tell_is_an_alert_and_telling_starts_once_there_is_someone(bare: Office, appeal: Appeal):
    _, event_id = await bare.hear(unit(STATION), appeal.breached("unit_supervisors"))
    (delivery,) = await bare.deliveries(unit=STATION)
    assert (delivery["recipient"], delivery["state"], delivery["why"]) == ("nobody", "dead", "nobody_to_tell")
    (dead,) = await bare.said("notification.dead.v1")
    assert (dead["event_id"], dead["delivery_id"], dead["reason"]) == (str(event_id), delivery["id"], "nobody_to_tell")

    supervisor = bare.client("supervisor")
    assert (await supervisor.post(f"deliveries/{delivery['id']}/retry")).json()["state"] == "queued"
    await bare.stack.settle()
    assert await bare.told(unit=STATION) == {("nobody", "dead")}, "there is still nobody, and it still says so"
    assert len(await bare.said("notification.dead.v1")) == 2

    await bare.hear(staff("S1", STATION, "supervisor"))
    await supervisor.post(f"deliveries/{delivery['id']}/retry")
    await bare.stack.settle()
    assert await bare.told(unit=STATION) == {("nobody", "cancelled"), ("S1", "sent")}


async def test_people_heard_of_after_the_deadline_are_still_told(bare: Office, appeal: Appeal):
    bare.planner.config.patience = timedelta(minutes=1)
    await bare.hear(appeal.breached("unit_supervisors"))
    assert await bare.deliveries() == []
    await bare.hear(staff("S1", STATION, "supervisor"), unit(STATION))
    assert await bare.told(unit=STATION) == {("S1", "sent")}


async def test_the_directory_is_applied_by_version_in_any_order(office: Office, appeal: Appeal):
    person = uuid4()
    await office.hear(
        staff("N2", STATION, "supervisor", id=person, version=2),
        staff("N1", COUNTY, "supervisor", id=person, version=1),
    )
    await office.hear(appeal.breached("unit_supervisors"))
    assert await office.told() == {("S1", "sent"), ("N2", "sent")}


async def test_who_and_what_was_removed_is_gone(office: Office, appeal: Appeal):
    person, depot = uuid4(), uuid4()
    await office.hear(staff("S2", STATION, "supervisor", id=person), unit("37402", COUNTY, id=depot))
    await office.hear(StaffRemoved(id=person), UnitRemoved(id=depot))
    await office.hear(appeal.breached("unit_supervisors"), Appeal(START, "37402").breached("unit_supervisors"))
    assert await office.told() == {("S1", "sent")}
    assert await office.told(unit="37402") == {("nobody", "dead")}


async def test_an_owner_who_leaves_over_night_is_replaced_in_the_morning(office: Office, appeal: Appeal):
    owner = uuid4()
    await office.hear(staff("H2", STATION, "handler", id=owner))
    office.clock.set(START.replace(hour=22))
    await office.hear(appeal.warned(owner="H2", first_contact=None))
    assert await office.told() == {("H2", "deferred")}
    await office.hear(staff("H2", STATION, "handler", id=owner, version=2, active=False))
    office.clock.advance(timedelta(hours=11))
    await office.stack.settle()
    assert await office.told() == {("H2", "cancelled"), ("S1", "sent")}
    assert [letter["recipient"] for letter in await office.mailbox()] == ["S1"]


async def test_a_route_chooses_channels_and_never_the_audience(office: Office, appeal: Appeal):
    await office.sql("UPDATE routes SET channels = '{pigeon,mailbox}' WHERE id = 'deadline.breached.owner'")
    await office.hear(appeal.breached("owner", "unit_supervisors"))
    told = {(delivery["recipient"], delivery["channel"]) for delivery in await office.deliveries()}
    assert told == {("H1", "mailbox"), ("H1", "pigeon"), ("S1", "mailbox")}
