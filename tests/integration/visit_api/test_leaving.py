"""Somebody leaves: what they had open goes to somebody else in one act, with its record, or stays whole."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from chassis.web.tokens import Principal
from tests.integration.visit_api.test_measures import new_measure
from tests.integration.visit_api.test_obligations import owed
from tests.integration.visit_api.test_online import ACCOUNT, account, group, said_of
from tests.integration.visit_api.test_steps import STRATEGY
from tests.integration.visit_api.world import World, made, member, pointers, problem, waits
from tests.support.eventually import eventually
from visit_api.visits import service as visits
from visit_api.visits.schemas import NewVisit

pytestmark = pytest.mark.usefixtures("told_whole")

REASON = "调离"


async def test_all_open_work_goes_over_in_one_act(world: World) -> None:
    planned = [await world.visit(visitor_ids=["E101"]), await world.visit(visitor_ids=["E102", "E101"])]
    ended = await world.visit(visitor_ids=["E101"])
    await world.act(ended["id"], "start", "complete")
    call = await owed(world)
    measure = await made(world.admin.post("/measures", json=new_measure(owner="E101")))
    before = len(await world.told())
    new = {"id": str(uuid4()), "to_staff_no": "E102", "reason": REASON}
    its = await made(world.admin.post("/staff/E101/hand-over", json=new))
    assert [its[name] for name in ("visits", "obligations", "measures", "leaves")] == [2, 1, 1, True]
    assert (its["staff_no"], its["to_staff_no"], its["recorded_by"]) == ("E101", "E102", "E001")
    for visit in planned:
        assert (await world.admin.get(f"/visits/{visit['id']}")).json()["visitor_ids"] == ["E102"]
        (handed,) = (await world.admin.get(f"/visits/{visit['id']}/hand-overs")).json()["items"]
        assert (handed["from_visitors"], handed["reason"]) == (visit["visitor_ids"], REASON)
    assert (await world.admin.get(f"/visits/{ended['id']}")).json()["visitor_ids"] == ["E101"], "what is over stays"
    assert (await world.admin.get(f"/obligations/{call['id']}")).json()["owner"] == "E102"
    assert (await world.admin.get(f"/measures/{measure['id']}")).json()["owner"] == "E102"
    acts = (await world.admin.get(f"/measures/{measure['id']}/acts")).json()["items"]
    assert (acts[-1]["act"], acts[-1]["words"], acts[-1]["owner"]) == ("changed", REASON, "E102")
    assert (await world.admin.get("/staff/E101")).json()["active"] is False
    told = (await world.told())[before:]
    assert [each.type for each in told] == [
        *["visit.replanned.v1"] * 2,
        "directory.staff_changed.v1",
        "staff.handed_over.v1",
    ]
    assert told[-1].payload == {
        "hand_over_id": its["id"],
        "unit_code": "37401",
        "staff_no": "E101",
        "to": "E102",
        "by": "E001",
    }
    again = await made(world.admin.post("/staff/E101/hand-over", json=new))
    assert (again, len(await world.told())) == (its, before + 4), "the same again is answered as the first time"
    other = await world.admin.post("/staff/E101/hand-over", json={**new, "reason": "退休"})
    problem(other, 409, "hand-over-taken")
    assert (await world.admin.get("/staff/E101/hand-overs")).json()["items"] == [its]


async def strategy(world: World, visit_id: str, **fields: Any) -> dict[str, Any]:
    content = {**STRATEGY, "owner": "E101", **fields}
    return await made(world.visitor.post(f"/visits/{visit_id}/steps", json={"content": content}))


async def test_who_leaves_serves_nobody_on_the_web_any_more(world: World) -> None:
    online = await world.visit(channel="online", visitor_ids=["E101"])
    await world.act(online["id"], "start", "complete")
    its, other = await account(world), await account(world, staff_no="E102", handle="lixia-e102")
    path = f"/online/groups/{(await group(world, kind='group'))['id']}"
    for each in (its, other):
        joined = await world.visitor.post(f"{path}/join", json={"account_id": each["id"]})
        assert joined.status_code == 200, joined.text
    world.later(hours=1)
    post = {"to_staff_no": "E102", "reason": "轮岗", "leaves": False}
    stays = await made(world.admin.post("/staff/E101/hand-over", json=post))
    assert (stays["accounts"], stays["memberships"]) == (0, 0), "another post is no leaving"
    gone = await made(world.admin.post("/staff/E101/hand-over", json={"to_staff_no": "E102", "reason": REASON}))
    assert (gone["accounts"], gone["memberships"]) == (1, 1)
    assert (await world.admin.get(f"/online/accounts/{its['id']}")).json()["active"] is False
    assert (await world.admin.get(f"/online/accounts/{other['id']}")).json()["active"] is True
    members = (await world.admin.get(f"{path}/members")).json()["items"]
    assert [each["left_at"] for each in members] == ["2026-10-09T03:00:00Z", None]
    lacks, record = await said_of(world, online["id"])
    assert (lacks, [each["id"] for each in record["accounts"]]) == ([], [its["id"]]), (
        "they had a card when they visited"
    )
    again = {**ACCOUNT, "handle": "lixia-new"}
    assert pointers(await world.visitor.post("/online/accounts", json=again)) == [("/staff_no", "unknown_staff")]


async def test_strategies_go_over_by_steps_that_supersede_them(world: World) -> None:
    visit, archived = await world.visit(visitor_ids=["E102"]), await world.visit(visitor_ids=["E102"])
    for each in (visit, archived):
        await world.act(each["id"], "start")
    open_one = await strategy(world, visit["id"])
    done = {"result": "done", "on": "2026-10-09"}
    others = [await strategy(world, visit["id"], outcome=done), await strategy(world, visit["id"], owner="E102")]
    closed = await strategy(world, archived["id"])
    await world.act(visit["id"], "complete")
    await world.act(archived["id"], "complete", "archive")
    gone = await made(world.admin.post("/staff/E101/hand-over", json={"to_staff_no": "E102", "reason": REASON}))
    assert (gone["visits"], gone["strategies"]) == (0, 1)
    current = {"current": "true"}
    steps = (await world.admin.get(f"/visits/{visit['id']}/steps", params=current)).json()["items"]
    (new,) = [each for each in steps if each["id"] not in {other["id"] for other in others}]
    assert len(steps) == 3
    assert (new["supersedes"], new["recorded_by"]) == (open_one["id"], "E001")
    assert new["content"] == {**open_one["content"], "owner": "E102"}
    (kept,) = (await world.admin.get(f"/visits/{archived['id']}/steps", params=current)).json()["items"]
    assert kept["id"] == closed["id"], "what is archived stays as it is"


async def test_who_may_not_take_all_takes_nothing(world: World) -> None:
    visit = await world.visit(visitor_ids=["E101"])
    await made(world.admin.post("/staff", json=member("E400", "374")))
    await made(world.admin.post("/staff", json=member("E202", "37402")))
    elsewhere = await world.visit("37402", visitor_ids=["E202"])
    for to, status in (("E201", "unknown_staff"), ("E999", "unknown_staff"), ("E101", "themselves")):
        answer = await world.admin.post("/staff/E101/hand-over", json={"to_staff_no": to, "reason": REASON})
        assert pointers(answer) == [("/to_staff_no", status)]
    moved = {"unit_code": "37401"}
    assert (await world.admin.patch("/staff/E202", json=moved, headers={"If-Match": "*"})).status_code == 200
    owes = await owed(world, owner="E102")
    answer = await world.admin.post("/staff/E202/hand-over", json={"to_staff_no": "E102", "reason": REASON})
    assert pointers(answer) == [("/to_staff_no", "unknown_staff")], "a visit of 37402 is not for one of 37401"
    for its, visitor in ((visit, "E101"), (elsewhere, "E202")):
        assert (await world.admin.get(f"/visits/{its['id']}")).json()["visitor_ids"] == [visitor]
    assert (await world.admin.get("/staff/E202")).json()["active"] is True
    stays = {"to_staff_no": "E400", "reason": "轮岗", "leaves": False}
    its = await made(world.admin.post("/staff/E202/hand-over", json=stays))
    assert (its["visits"], (await world.admin.get("/staff/E202")).json()["active"]) == (1, True)
    assert (await world.admin.get(f"/obligations/{owes['id']}")).json()["owner"] == "E102"


async def test_what_is_planned_beside_it_goes_over_too(world: World, owner: asyncpg.Connection) -> None:
    customer = await world.customer()
    its: dict[str, Any] = {"customer_id": UUID(customer["id"]), "channel": "on_site", "visitor_ids": ["E101"]}
    new = NewVisit.model_validate({**its, "scheduled_at": "2026-10-09T09:00:00+08:00"})
    planner = Principal("E001", "374", frozenset({"admin"}))
    over = {"to_staff_no": "E102", "reason": REASON}
    async with world.runtime.db.transaction() as tx:
        visit = await visits.plan_visit(tx, world.runtime, planner, new)
        handing = asyncio.create_task(made(world.admin.post("/staff/E101/hand-over", json=over)))
        await eventually(lambda: waits(owner))
    assert (await handing)["visits"] == 1
    assert (await world.admin.get(f"/visits/{visit.id}")).json()["visitor_ids"] == ["E102"]


async def test_of_two_who_hand_over_to_each_other_one_does(world: World, owner: asyncpg.Connection) -> None:
    visit = await world.visit(visitor_ids=["E101"])
    async with owner.transaction():
        await owner.execute("SELECT FROM staff WHERE staff_no = 'E101' FOR NO KEY UPDATE")
        handing = []
        for number, (whose, to) in enumerate((("E101", "E102"), ("E102", "E101")), 1):
            over = {"to_staff_no": to, "reason": REASON}
            handing.append(asyncio.create_task(world.admin.post(f"/staff/{whose}/hand-over", json=over)))
            await eventually(lambda count=number: waits(owner, count))  # type: ignore[misc]
    first, second = [await each for each in handing]
    assert first.status_code == 201, first.text
    assert pointers(second) == [("/to_staff_no", "unknown_staff")], "who takes over has left meanwhile"
    assert (await world.admin.get(f"/visits/{visit['id']}")).json()["visitor_ids"] == ["E102"]


async def test_whoever_hands_a_visit_to_somebody_who_leaves_waits_without_holding_it(
    world: World, owner: asyncpg.Connection
) -> None:
    visit = await world.visit(visitor_ids=["E101"])
    await world.act(visit["id"], "start")
    await strategy(world, visit["id"], owner="E102")
    async with owner.transaction():
        await owner.execute("SELECT FROM staff WHERE staff_no = 'E102' FOR NO KEY UPDATE")
        away = {"to_staff_no": "E101", "reason": REASON}
        leaving = asyncio.create_task(world.admin.post("/staff/E102/hand-over", json=away))
        await eventually(lambda: waits(owner))
        over = {"visitor_ids": ["E101", "E102"], "reason": "人手不足"}
        handing = asyncio.create_task(world.admin.post(f"/visits/{visit['id']}/hand-over", json=over))
        await eventually(lambda: waits(owner, 2))
    gone = await leaving
    assert (gone.status_code, gone.json()["strategies"]) == (201, 1), gone.text
    assert pointers(await handing) == [("/visitor_ids/1", "unknown_staff")]
