"""Units in their tree and the staff in them: who may make what, what is told, what clashes."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from tests.integration.visit_api.world import COMPLAINT, Told, World, made, member, pointers, problem, tag
from tests.support.databases import everything
from visit_api.base import digest
from visit_api.directory.schemas import NewStaff

pytestmark = pytest.mark.usefixtures("told_whole")

TIANQIAO = {"code": "37403", "name": "天桥供电中心", "parent_code": "374"}


async def test_a_unit_is_told_by_code_and_parent(world: World) -> None:
    unit = await made(world.admin.post("/units", json=TIANQIAO))
    payload = {"id": unit["id"], "unit_code": "37403", "parent_code": "374", "version": 1, "merged_into": None}
    assert (await world.told())[-1] == Told("directory.unit_changed.v1", unit["id"], payload)
    assert (await world.admin.get("/units/37403")).json() == unit


async def test_an_admin_makes_units_below_their_own_at_the_top_and_their_own(world: World) -> None:
    await made(world.admin.post("/units", json=TIANQIAO))
    await made(world.admin.post("/units", json={"code": "376", "name": "另一家公司"}))
    newcomer = world.client("admin", unit="37404")
    await made(newcomer.post("/units", json={"code": "37404", "name": "槐荫供电中心", "parent_code": "374"}))


async def test_a_unit_is_not_made_below_another_units(world: World) -> None:
    answer = await world.stranger.post("/units", json=TIANQIAO)
    assert pointers(answer) == [("/parent_code", "unknown_unit")]
    unknown = await world.stranger.post("/units", json={**TIANQIAO, "parent_code": "999"})
    assert pointers(unknown) == pointers(answer)
    assert await world.rows("SELECT 1 FROM units WHERE code = '37403'") == []


async def test_the_same_unit_again_is_answered_as_the_first_time(world: World) -> None:
    unit = await made(world.admin.post("/units", json=TIANQIAO))
    told = len(await world.told())
    assert await made(world.admin.post("/units", json=TIANQIAO)) == unit
    assert len(await world.told()) == told
    problem(await world.admin.post("/units", json={**TIANQIAO, "name": "别的"}), 409, "unit-taken")
    problem(await world.admin.post("/units", json={**TIANQIAO, "id": str(uuid4())}), 409, "unit-taken")


async def test_a_code_of_another_units_is_taken_and_no_more_is_said(world: World) -> None:
    ours = problem(await world.admin.post("/units", json={"code": "374", "name": "别的"}), 409, "unit-taken")
    theirs = problem(
        await world.stranger.post("/units", json={"code": "374", "name": "济南供电公司"}), 409, "unit-taken"
    )
    assert ours.keys() == theirs.keys()
    assert ours["detail"] == theirs["detail"]


async def test_a_unit_moves_and_keeps_its_version(world: World) -> None:
    answer = await world.admin.patch(
        "/units/37402", json={"name": "市中", "parent_code": "37401"}, headers=await tag(world.admin, "/units/37402")
    )
    assert answer.status_code == 200, answer.text
    unit = answer.json()
    assert (unit["name"], unit["parent_code"], unit["version"]) == ("市中", "37401", 2)
    told = (await world.told())[-1].payload
    its = {"id": unit["id"], "unit_code": "37402", "parent_code": "37401", "version": 2, "merged_into": None}
    assert told == its
    below = world.client("visitor", unit="37401")
    assert [unit["code"] for unit in (await below.get("/units")).json()["items"]] == ["37401", "37402"]


async def test_a_change_needs_what_was_read(world: World) -> None:
    read = await tag(world.admin, "/units/37401")
    problem(await world.admin.patch("/units/37401", json={"name": "甲"}), 428, "precondition-required")
    assert (await world.admin.patch("/units/37401", json={"name": "甲"}, headers=read)).status_code == 200
    problem(await world.admin.patch("/units/37401", json={"name": "乙"}, headers=read), 412, "precondition-failed")
    assert (await world.admin.get("/units/37401")).json()["name"] == "甲"


async def test_no_unit_stands_below_itself(world: World) -> None:
    for parent in ("374", "37401"):
        answer = await world.admin.patch("/units/374", json={"parent_code": parent}, headers={"If-Match": "*"})
        problem(answer, 409, "unit-cycle")


async def test_two_moves_at_once_close_no_cycle(world: World) -> None:
    for _ in range(5):
        answers = await asyncio.gather(
            world.admin.patch("/units/37401", json={"parent_code": "37402"}, headers={"If-Match": "*"}),
            world.admin.patch("/units/37402", json={"parent_code": "37401"}, headers={"If-Match": "*"}),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        for code in ("37401", "37402"):
            back = await world.admin.patch(f"/units/{code}", json={"parent_code": "374"}, headers={"If-Match": "*"})
            assert back.status_code == 200, back.text


async def test_nobody_takes_their_unit_from_under_those_above_it(world: World) -> None:
    own = world.client("admin", unit="37401")
    for parent in (None, "375"):
        answer = await own.patch("/units/37401", json={"parent_code": parent}, headers={"If-Match": "*"})
        assert pointers(answer) == [("/parent_code", "unknown_unit")]
    assert (await world.admin.get("/units/37401")).json()["parent_code"] == "374"


async def test_staff_are_told_by_number_unit_and_roles_without_a_name(world: World) -> None:
    new = member("E103", "37401", roles=["visitor", "supervisor", "visitor"], phone="13800000000", email="e@x.cn")
    one = await made(world.admin.post("/staff", json=new))
    assert one["roles"] == ["supervisor", "visitor"]
    payload = {"id": one["id"], "staff_no": "E103", "unit_code": "37401", "roles": ["supervisor", "visitor"]}
    told = (await world.told())[-1]
    assert told == Told("directory.staff_changed.v1", one["id"], {**payload, "active": True, "version": 1})


async def test_a_staff_number_is_unique_in_the_installation(world: World) -> None:
    again = await made(world.admin.post("/staff", json=member("E101", "37401")))
    assert again == (await world.admin.get("/staff/E101")).json()
    problem(await world.admin.post("/staff", json=member("E101", "37402")), 409, "staff-taken")
    problem(await world.stranger.post("/staff", json=member("E101", "375")), 409, "staff-taken")


async def test_staff_belong_to_a_unit_that_the_caller_sees(world: World) -> None:
    for unit_code in ("375", "999"):
        answer = await world.admin.post("/staff", json=member("E901", unit_code))
        assert pointers(answer) == [("/unit_code", "unknown_unit")]
        answer = await world.admin.patch("/staff/E101", json={"unit_code": unit_code}, headers={"If-Match": "*"})
        assert pointers(answer) == [("/unit_code", "unknown_unit")]


async def test_whoever_leaves_is_inactive(world: World) -> None:
    read = await tag(world.admin, "/staff/E101")
    answer = await world.admin.patch("/staff/E101", json={"active": False, "phone": None}, headers=read)
    assert (answer.status_code, answer.json()["active"]) == (200, False)
    told = (await world.told())[-1].payload
    assert told is not None
    assert (told["active"], told["version"]) == (False, 2)
    active = (await world.admin.get("/staff", params={"active": "true"})).json()["items"]
    assert [one["staff_no"] for one in active] == ["E102", "E201"]


async def test_contact_data_is_for_services(world: World) -> None:
    await made(world.admin.post("/staff", json=member("E103", "37401", phone="13800000000")))
    answer = await world.service.get("/staff/E103/contact")
    assert answer.json() == {
        "staff_no": "E103", "name": "员工E103", "phone": "13800000000", "email": None, "active": True
    }  # fmt: skip
    problem(await world.admin.get("/staff/E103/contact"), 403, "forbidden")
    problem(await world.service.get("/staff/E999/contact"), 404, "not-found")


@pytest.mark.clause("004 4.2")
async def test_how_staff_are_reached_is_nowhere_in_the_clear(world: World, owner: asyncpg.Connection) -> None:
    new = member("E103", "37401", phone="13800000000", email="li.si@x.cn")
    key = {"Idempotency-Key": uuid4().hex}
    one = await made(world.admin.post("/staff", json=new, headers=key))
    assert (one["phone"], one["email"]) == ("13800000000", "li.si@x.cn")
    assert await made(world.admin.post("/staff", json=new)) == one, "the same again"
    problem(await world.admin.post("/staff", json={**new, "phone": "13800000001"}), 409, "staff-taken")
    read = await tag(world.admin, "/staff/E103")
    changed = await world.admin.patch("/staff/E103", json={"phone": "13911111111", "unit_code": "37402"}, headers=read)
    assert (changed.json()["phone"], changed.json()["email"]) == ("13911111111", "li.si@x.cn")
    problem(await world.admin.patch("/staff/E103", json={"phone": "1"}, headers=read), 412, "precondition-failed")
    listed = (await world.admin.get("/staff", params={"unit_code": "37402"})).json()["items"]
    assert changed.json() in listed
    dump = await everything(owner)
    plain = digest(NewStaff(**new)).hex()  # by which every number could be tried out
    assert [each for each in ("1380000", "1391111", "li.si", plain) if each in dump] == []
    gone = await world.admin.patch("/staff/E103", json={"phone": None, "email": None}, headers={"If-Match": "*"})
    assert (gone.json()["phone"], gone.json()["email"]) == (None, None)
    assert await world.rows("SELECT 1 FROM staff WHERE reach_sealed IS NOT NULL") == []


async def test_what_an_earlier_version_stored_of_staff_is_sealed_meanwhile(
    world: World, owner: asyncpg.Connection
) -> None:
    new = member("E103", "37401", phone="13800000000", email="li.si@x.cn")
    one = await made(world.admin.post("/staff", json=new))
    plain = digest(NewStaff(**new))
    await owner.execute(
        "UPDATE staff SET phone = '13800000000', email = 'li.si@x.cn', reach_sealed = NULL, content_digest = $1"
        " WHERE staff_no = 'E103'", plain
    )  # fmt: skip
    before = await owner.fetchrow("SELECT changed_xid, version FROM staff WHERE staff_no = 'E103'")
    assert (await world.admin.get("/staff/E103")).json() == one == await made(world.admin.post("/staff", json=new))
    await world.stack.settle(seldom=True)
    row = await owner.fetchrow("SELECT changed_xid, version FROM staff WHERE staff_no = 'E103' AND phone IS NULL")
    assert row == before, "it is sealed, and no feed tells it again"
    await owner.execute("UPDATE staff SET phone = '13900000000' WHERE staff_no = 'E103'")  # by one that still runs
    for _ in range(2):
        its = (await world.service.get("/staff/E103/contact")).json()
        assert (its["phone"], its["email"]) == ("13900000000", "li.si@x.cn")
        await world.stack.settle(seldom=True)
    assert await made(world.admin.post("/staff", json=new)) == {**one, "phone": "13900000000"}
    assert [each for each in ("1380000", "1390000", "li.si", plain.hex()) if each in await everything(owner)] == []


async def test_an_earlier_version_that_still_runs_reads_what_it_did_if_that_is_asked_for(
    world: World, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = world.runtime.settings.model_copy(update={"keep_plain": True})
    monkeypatch.setattr(world.runtime, "settings", settings)
    reads = "SELECT phone, email FROM staff WHERE staff_no = 'E103'"
    one = await made(world.admin.post("/staff", json=member("E103", "37401", phone="13800000000", email="li.si@x.cn")))
    await world.stack.settle(seldom=True)
    assert tuple(await owner.fetchrow(reads)) == ("13800000000", "li.si@x.cn")
    await owner.execute("UPDATE staff SET email = NULL WHERE staff_no = 'E103'")  # by one that still runs
    assert (await world.admin.get("/staff/E103")).json() == {**one, "email": None}
    await world.admin.patch("/staff/E103", json={"phone": "13911111111"}, headers={"If-Match": "*"})
    appeal = await world.raised((await world.visit())["id"])
    await world.stack.settle(seldom=True)
    assert tuple(await owner.fetchrow(reads)) == ("13911111111", None)
    assert await owner.fetchval("SELECT summary FROM appeals") == COMPLAINT["summary"]
    monkeypatch.undo()
    await world.stack.settle(seldom=True)
    dump = await everything(owner)
    assert [each for each in ("1391111", COMPLAINT["summary"]) if each in dump] == []
    assert (await world.service.get("/staff/E103/contact")).json()["phone"] == "13911111111"
    assert (await world.service.get(f"/appeals/{appeal['id']}")).json()["summary"] == COMPLAINT["summary"]


async def test_only_an_admin_keeps_the_directory(world: World) -> None:
    for path, new in (("/units", TIANQIAO), ("/staff", member("E104", "37401"))):
        problem(await world.visitor.post(path, json=new), 403, "forbidden")


async def test_what_a_change_does_not_name_stays_and_null_is_not_a_name(world: World) -> None:
    answer = await world.admin.patch("/staff/E101", json={"name": None}, headers={"If-Match": "*"})
    assert pointers(answer) == [("/name", "string_type")]
    answer = await world.admin.patch("/staff/E101", json={"surname": "王"}, headers={"If-Match": "*"})
    assert pointers(answer) == [("/surname", "extra_forbidden")]
    answer = await world.admin.patch("/staff/E101", json={"email": "a@b.cn"}, headers={"If-Match": "*"})
    assert (answer.json()["email"], answer.json()["name"]) == ("a@b.cn", "员工E101")
