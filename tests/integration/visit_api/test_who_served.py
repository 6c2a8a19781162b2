"""Who served is on record: whoever begins a visit that names nobody makes it, and nobody at all is a gap (004 §3.4)."""

import pytest

from tests.integration.visit_api.phone import Phone, outcomes
from tests.integration.visit_api.test_archive_gaps import gaps
from tests.integration.visit_api.world import World

NOBODY = ("004 3.4", "visitors")


@pytest.mark.clause("004 3.4")
async def test_whoever_begins_a_visit_that_names_nobody_makes_it(world: World) -> None:
    visit = await world.visit()
    before = len(await world.told())
    begun = (await world.visitor.post(f"/visits/{visit['id']}/start")).json()
    assert begun["visitor_ids"] == ["E101"]
    told = (await world.told())[before:]
    assert [each.type for each in told] == ["visit.replanned.v1", "visit.started.v1"]
    assert told[0].payload["visitors"] == ["E101"]
    await world.act(visit["id"], "complete", "archive")
    (found,) = (await world.admin.get("/archive", params={"staff_no": "E101"})).json()["items"]
    assert (found["visit_id"], found["people"]) == (visit["id"], ["E101"])
    record = (await world.admin.get(f"/archive/{visit['id']}")).json()["record"]["record"]
    assert [each["staff_no"] for each in record["service_record"]["staff"]] == ["E101"]
    assert NOBODY not in {(each["clause"], each["what"]) for each in record["gaps"]}

    named = await world.visit(visitor_ids=["E102"])
    begun = (await world.visitor.post(f"/visits/{named['id']}/start")).json()
    assert begun["visitor_ids"] == ["E102"], "who is named makes it, whoever records that"


async def test_whoever_brings_the_beginning_of_such_a_visit_made_it(world: World) -> None:
    visit, phone = await world.visit(), Phone(world, world.visitor)
    assert outcomes(await phone.push(phone.item("start", visit["id"], ago=60))) == ["stored"]
    assert (await world.admin.get(f"/visits/{visit['id']}")).json()["visitor_ids"] == ["E101"]
    await phone.pull()
    assert phone.ids("visit") == {visit["id"]}


@pytest.mark.clause("004 3.4")
async def test_a_visit_that_nobody_is_known_to_have_made_has_a_gap(world: World) -> None:
    visit = await world.visit()
    await world.act(visit["id"], "start", "complete")  # by somebody whom the directory does not know
    lacking = {(each["clause"], each["what"]): each["demanded"] for each in (await gaps(world, visit))["gaps"]}
    assert lacking[NOBODY] is False, "asked, as whatever an ordinary visit lacks"
    await world.act(visit["id"], "archive")
    supervisor = world.client("supervisor", unit="37401")
    page = (await supervisor.get(f"/archive/{visit['id']}", headers={"Accept": "text/html"})).text
    assert "走访人员" in page
