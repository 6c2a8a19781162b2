"""Strategies are somebody's (§7.2.4): of whoever leaves while one is recorded, none is left behind."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from tests.integration.visit_api.phone import Phone
from tests.integration.visit_api.test_leaving import REASON, strategy
from tests.integration.visit_api.test_steps import STRATEGY
from tests.integration.visit_api.world import World, made, member, problem, waits
from tests.support.eventually import eventually
from tests.support.explaining import explained
from visit_api.steps.repository import open_strategies

OVER = {"to_staff_no": "E102", "reason": REASON}
OURS = {**STRATEGY, "owner": "E101"}


async def started(world: World, *visitors: str) -> str:
    visit = await world.visit(visitor_ids=[*visitors])
    await world.act(visit["id"], "start")
    return str(visit["id"])


def leaving(world: World) -> asyncio.Task[httpx.Response]:
    return asyncio.create_task(world.admin.post("/staff/E101/hand-over", json=OVER))


async def owners(world: World, visit_id: str) -> list[str]:
    """Whose the strategies of a visit are now."""
    query = {"kind": "strategy", "current": "true"}
    return [
        each["content"]["owner"]
        for each in (await world.admin.get(f"/visits/{visit_id}/steps", params=query)).json()["items"]
    ]


async def recorded_while_its_owner_leaves(world: World, visit: str, owner: asyncpg.Connection, lock: str) -> None:
    """Both wait for a lock, the recording first; then the strategy goes over."""
    async with owner.transaction():
        await owner.execute(lock)
        recording = asyncio.create_task(world.visitor.post(f"/visits/{visit}/steps", json={"content": OURS}))
        await eventually(lambda: waits(owner))
        gone = leaving(world)
        await eventually(lambda: waits(owner, 2))
    assert (await recording).status_code == 201, (await recording).text
    assert ((await gone).status_code, (await gone).json()["strategies"]) == (201, 1), (await gone).text
    assert await owners(world, visit) == ["E102"]


@pytest.mark.parametrize("completed", [False, True])
async def test_one_that_is_recorded_while_its_owner_leaves_goes_over_too(
    world: World, owner: asyncpg.Connection, completed: bool
) -> None:
    visit = await started(world, "E101" if completed else "E102")
    if completed:
        await world.act(visit, "complete")
    await recorded_while_its_owner_leaves(world, visit, owner, "LOCK TABLE steps IN SHARE MODE")  # it stops half way


async def test_whoever_waits_for_a_visit_of_the_leaver_does_not_keep_them_waiting(
    world: World, owner: asyncpg.Connection
) -> None:
    visit = await started(world, "E101")
    lock = f"SELECT FROM visits WHERE id = '{visit}' FOR UPDATE"
    await recorded_while_its_owner_leaves(world, visit, owner, lock)


async def test_a_push_that_is_one_commit_holds_the_visit_before_it_comes_to_its_strategy(
    world: World, owner: asyncpg.Connection
) -> None:
    visit, phone = (await world.visit(visitor_ids=["E101"]))["id"], Phone(world, world.visitor)
    words = phone.item("appeal", visit, type="complaint", summary="停电")
    items = [phone.item("start", visit, ago=9), words, phone.item("step", visit, content=OURS)]
    async with owner.transaction():
        await owner.execute("LOCK TABLE appeals IN SHARE MODE")  # half way between the start and the strategy
        pushing = asyncio.create_task(phone.send(*items, **{"Idempotency-Key": str(uuid4())}))
        await eventually(lambda: waits(owner))
        gone = leaving(world)
        await eventually(lambda: waits(owner, 2))
    answers: list[dict[str, Any]] = (await pushing).json()["items"]
    assert [each["outcome"] for each in answers] == ["stored"] * 3, answers
    assert ((await gone).status_code, (await gone).json()["strategies"]) == (201, 1), (await gone).text
    assert await owners(world, visit) == ["E102"]


async def test_one_that_was_corrected_meanwhile_is_not_corrected_twice(world: World, owner: asyncpg.Connection) -> None:
    """As a process of the version before may, which holds nobody."""
    old = await strategy(world, await started(world, "E102"))
    columns = "visit_id, unit_code, kind, content, at, recorded_at, recorded_by, content_digest, updated_at"
    copied = f"INSERT INTO steps (id, supersedes, {columns}) SELECT $2, id, {columns} FROM steps WHERE id = $1"
    new = UUID(int=2**128 - 1)  # after the other in their order
    await owner.execute(copied, old["id"], new)
    refused = problem(await leaving(world), 409, "step-superseded")
    assert refused["superseded_by"] == str(new)
    assert (await world.admin.get("/staff/E101")).json()["active"] is True


async def test_a_strategy_that_another_may_not_own_is_named_by_its_visit(world: World) -> None:
    visit = await started(world, "E102")
    await strategy(world, visit)
    await made(world.admin.post("/staff", json=member("E202", "37402")))
    its = {"unit_code": "37402"}
    assert (await world.admin.patch("/staff/E101", json=its, headers={"If-Match": "*"})).status_code == 200
    answer = await world.admin.post("/staff/E101/hand-over", json={**OVER, "to_staff_no": "E202"})
    (error,) = problem(answer, 422, "unprocessable")["errors"]
    assert (error["pointer"], error["code"]) == ("/to_staff_no", "unknown_staff")
    assert visit in error["detail"]


MANY = """
INSERT INTO steps (id, visit_id, unit_code, kind, content, at, recorded_at, recorded_by, content_digest, updated_at)
SELECT gen_random_uuid(), '{visit}', '37401', 'strategy', jsonb_build_object('owner', 'E' || n % 500), now(), now(),
       'E101', '', now()
FROM generate_series(1, 20000) AS n;
ANALYZE steps;
"""


async def test_whose_they_are_is_found_by_an_index(world: World, owner: asyncpg.Connection) -> None:
    await owner.execute(MANY.format(visit=await started(world)))
    async with world.runtime.db.transaction() as tx:
        plan = await explained(tx, open_strategies("374", "E101"))
    assert "steps_strategies_of" in plan, plan
