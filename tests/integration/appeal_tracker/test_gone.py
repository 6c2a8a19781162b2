"""Whoever keeps a copy by what changes has the appeals and calls that they see, and no others, whoever has them now."""

import re
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from appeal_tracker.appeals import lists
from appeal_tracker.appeals.lists import Wanted
from appeal_tracker.callbacks import repository as callbacks
from appeal_tracker.tasks import repository as tasks
from chassis.ids import new_id
from contracts.directory import UnitChanged
from tests.integration.appeal_tracker.desk import Desk, got, made, staff, unit
from tests.integration.appeal_tracker.test_lists import MANY
from tests.integration.appeal_tracker.test_owning import away
from tests.integration.appeal_tracker.test_simulations import FIVE_DAYS, simulated
from tests.support.explaining import explained
from tests.support.following import Copy

UNITS = ("374", "37401", "37402", "375")
TEAM = "3740101"
# None of them waits to be looked at again when units are heard of, which would be news of it by itself.
SETTLED = "UPDATE appeals SET policy_assumed = false"


async def copies(desk: Desk) -> list[Copy]:
    """Those of each unit, and of what the company wants of one."""
    clients = [desk.client("supervisor", unit=code, sub="E001") for code in UNITS]
    found = [Copy(client, path) for client in clients for path in ("/appeals", "/callback-tasks")]
    found += [Copy(clients[0], path, unit="37402") for path in ("/appeals", "/callback-tasks")]
    found.append(Copy(clients[0], "/appeals", words="停电"))
    await check(found)
    return found


async def check(found: list[Copy]) -> None:
    for each in found:
        if "words" in each.filters:
            await each.follow()
        else:
            await each.check()


async def hand(desk: Desk, id_: str, **to: Any) -> None:
    answer = await desk.admin.post(f"/appeals/{id_}/transfer", json={"reason": "转派", **to})
    assert answer.status_code == 200, answer.text


async def test_an_appeal_that_is_handed_elsewhere_is_gone_there_and_its_calls_with_it(desk: Desk) -> None:
    appeal, other = await desk.raised(), await desk.raised()
    await desk.contact(appeal, "10-09T09:40")
    await desk.answer(appeal, "10-09T09:50")
    await made(desk.supervisor.post(f"/appeals/{appeal}/callback-tasks"))
    found = await copies(desk)
    for to in ("37402", "374", "37402", "37401", "37402"):
        await hand(desk, appeal, handling_unit_code=to)
        await check(found)
    await hand(desk, other, handling_unit_code="37402")
    await check(found)
    assert {each.begun for each in found} == {1}


async def test_nobody_is_told_of_what_left_where_they_never_saw_it(desk: Desk) -> None:
    appeal = await desk.raised()
    stranger = desk.client("supervisor", unit="375", sub="E301")
    query = {"updated_since": "2020-01-01T00:00:00Z"}
    for to in ("37402", "374"):
        await hand(desk, appeal, handling_unit_code=to)
    handled = desk.client("supervisor", unit="37402", sub="E201")
    (gone,) = (await got(handled.get("/appeals", params=query)))["items"]
    assert (gone.keys(), gone["id"]) == ({"id", "gone_at"}, appeal)
    for path in ("/appeals", "/callback-tasks"):
        assert (await got(stranger.get(path, params=query)))["items"] == []


@pytest.fixture
async def team(desk: Desk) -> UUID:
    """A team below 37401, with an appeal of its own and one beside it of each of the two units."""
    its = new_id()
    await desk.hear(unit(TEAM, "37401", id=its))
    await desk.raised(unit_code="37402")
    for code in (TEAM, "37401"):
        appeal = await desk.raised(unit_code=code)
        await desk.contact(appeal, "10-09T09:40")
        await desk.answer(appeal, "10-09T09:50")
        await made(desk.supervisor.post(f"/appeals/{appeal}/callback-tasks"))
    return its


async def asked_for(desk: Desk) -> list[Copy]:
    """What is wanted of a unit: by the company, and by the other unit, which handles an appeal of the team."""
    crossing = await desk.raised(unit_code=TEAM)
    await hand(desk, crossing, handling_unit_code="37402")
    readers = [desk.client("supervisor", unit=code, sub="E001") for code in ("374", "37402")]
    paths = ("/appeals", "/callback-tasks")
    found = [Copy(each, path, unit=code) for each in readers for path in paths for code in ("37401", "37402")]
    await check(found)
    return found


async def test_a_unit_that_moves_within_its_readers_sight_leaves_what_is_asked_for_by_unit(
    desk: Desk, team: UUID
) -> None:
    found = [*await copies(desk), *await asked_for(desk)]
    for version, parent in enumerate(("37402", "37401", "375", "37402"), 2):
        await desk.hear(unit(TEAM, parent, version=version, id=team))
        await check(found)


@pytest.mark.parametrize("into", ["37401", "37402"])
async def test_a_unit_that_merges_has_its_followers_begin_anew(desk: Desk, team: UUID, into: str) -> None:
    found = [*await copies(desk), *await asked_for(desk)]
    merged = {"parent_code": into, "merged_into": into, "version": 2}
    await desk.hear(UnitChanged(id=team, unit_code=TEAM, **merged))
    await check(found)


async def test_a_unit_that_is_new_has_nobody_begin_anew(desk: Desk, team: UUID) -> None:
    found = [*await copies(desk), *await asked_for(desk)]
    await desk.hear(unit("3740102", "37401"), unit("374010201", "3740102"))
    await check(found)
    await desk.raised(unit_code="374010201")
    await check(found)
    assert {each.begun for each in found} == {1}


@pytest.mark.parametrize("path", ["/policies", "/calendars", "/code-tables"])
async def test_what_no_unit_bounds_is_followed_whatever_units_do(desk: Desk, team: UUID, path: str) -> None:
    copy = Copy(desk.admin, path)
    await copy.follow()
    await desk.hear(unit(TEAM, "37402", version=2, id=team))
    await copy.follow()
    assert copy.begun == 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("of", [[TEAM], ["374010101"], [TEAM, "374010101"]])
async def test_units_that_are_heard_of_after_what_is_of_them_have_their_followers_begin_anew(
    desk: Desk, owner: asyncpg.Connection, order: tuple[int, int], of: list[str]
) -> None:
    below = "374010101"
    heard = [unit(TEAM, "37401"), unit(below, TEAM)]
    for code in (*of, "37401", "37402"):  # a copy is past the first ones, and has not seen them
        await desk.raised(unit_code=code)
    await owner.execute(SETTLED)
    found = await copies(desk)
    for place in order:
        await desk.hear(heard[place])
        await check(found)
    await desk.hear(unit(below, "37402", version=2, id=heard[1].id))
    await check(found)


async def test_what_a_unit_has_of_others_comes_into_sight_when_it_is_heard_of(
    desk: Desk, owner: asyncpg.Connection
) -> None:
    team, merged = "3740201", new_id()
    await desk.hear(unit(TEAM, "37401", id=merged))
    await desk.raised(unit_code=TEAM)
    await desk.hear(UnitChanged(id=merged, unit_code=TEAM, parent_code=team, merged_into=team, version=2))
    await desk.raised(unit_code="37402")
    await owner.execute(SETTLED)
    found = await copies(desk)
    await desk.hear(unit(team, "37402"))
    await check(found)


@pytest.mark.parametrize("path", ["/simulations", "/absences"])
async def test_what_else_was_done_in_a_unit_comes_into_sight_when_it_is_heard_of(desk: Desk, path: str) -> None:
    theirs, reader = (desk.client("supervisor", unit=code, sub="E001") for code in (TEAM, "374"))
    await desk.hear(staff("E701", TEAM), staff("E702", "37401"))
    copy = Copy(reader, path)
    for who, number in ((theirs, "E701"), (reader, "E702")):
        if path == "/simulations":
            await simulated(desk, {**FIVE_DAYS, "to": "2026-10-08"}, who)
        else:
            await away(desk, who, "10-09T09:00", staff_no=number)
    await copy.check()
    await desk.hear(unit(TEAM, "37401"))
    await copy.check()
    assert len(copy.items) == 2


async def test_a_unit_that_leaves_one_that_was_not_heard_of_is_told_there(desk: Desk) -> None:
    its, unheard = new_id(), desk.client("supervisor", unit="37403", sub="E301")
    await desk.hear(unit(TEAM, "37403", id=its))
    await desk.raised(unit_code=TEAM)
    copy = Copy(unheard, "/appeals")
    await copy.check()
    await desk.hear(unit(TEAM, "37402", version=2, id=its))
    await copy.check()


LEFT = """
INSERT INTO callback_tasks (id, appeal_id, round, unit_code, kind, state, required, whose, opened_at, updated_at)
SELECT gen_random_uuid(), id, 1, unit_code, 'callback', 'done', true, 'supervisor', now(), now() FROM appeals;
INSERT INTO appeal_leavings (appeal_id, unit_code) SELECT id, '37401' FROM appeals;
"""


async def test_what_went_since_is_found_by_an_index_however_much_went_before(
    desk: Desk, owner: asyncpg.Connection
) -> None:
    await owner.execute(MANY)
    await owner.execute(LEFT)
    await owner.execute("ANALYZE callback_tasks; ANALYZE appeal_leavings")
    async with desk.runtime.db.transaction() as tx:
        place = (await owner.fetchval("SELECT pg_current_xact_id()::text::bigint"), new_id())
        gone = await lists.gone(tx, "37401", Wanted())
        for way in (gone, *callbacks.ways(tasks.listed(), "37401", None)[1:]):
            plan = await explained(tx, way.behind(place).order_by(way.xid, way.id).limit(50))
            assert re.search(r"appeal_leavings_feed .*\n *Index Cond: .*changed_xid.* >=? ", plan), plan
