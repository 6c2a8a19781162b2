"""Between a raise and an act on the same visit, the order in which they are told is the order of their commits:
whichever comes second waits for the visit's row before it takes its place in the outbox."""

import asyncio

import asyncpg
import pytest

from chassis.messaging import outbox
from tests.integration.visit_api.world import COMPLAINT, World, made, waits
from tests.support.eventually import eventually

# What an act that is not committed yet has told.
_TELL = f"""{outbox.INSERT}
VALUES (gen_random_uuid(), 'visit.events', $1::text, 'visit.arrived.v1', '/visit_api', $1::text, now(), '{{}}', NULL)"""


async def order(world: World) -> list[str]:
    """The last two events told, by their place in the outbox."""
    rows = await world.rows("SELECT type FROM outbox ORDER BY seq DESC LIMIT 2")
    return [row["type"] for row in reversed(rows)]


@pytest.mark.parametrize("act", ["start", "cancel", "arrive"])
async def test_an_act_waits_for_a_raise(world: World, owner: asyncpg.Connection, act: str) -> None:
    visit = await world.visit()
    async with owner.transaction():
        await owner.execute("SELECT FROM visits WHERE id = $1 FOR SHARE", visit["id"])  # a raise, not committed yet
        acting = asyncio.create_task(world.act(visit["id"], act))
        await eventually(lambda: waits(owner))
        await world.raised(visit["id"])
    await acting
    assert (await order(world))[0] == "appeal.raised.v1"


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k1"}], ids=["alone", "with a key"])
async def test_a_raise_waits_for_an_act(world: World, owner: asyncpg.Connection, headers: dict[str, str]) -> None:
    visit = await world.visit()
    async with owner.transaction():
        await owner.execute("SELECT FROM visits WHERE id = $1 FOR UPDATE", visit["id"])  # an act, not committed yet
        request = world.visitor.post(f"/visits/{visit['id']}/appeals", json=COMPLAINT, headers=headers)
        raising = asyncio.create_task(made(request))
        await eventually(lambda: waits(owner))
        await owner.execute(_TELL, visit["id"])
    await raising
    assert await order(world) == ["visit.arrived.v1", "appeal.raised.v1"]


async def test_of_two_acts_at_once_one_finds_what_the_other_did(world: World, owner: asyncpg.Connection) -> None:
    visit = await world.visit()
    async with owner.transaction():
        await owner.execute("SELECT FROM visits WHERE id = $1 FOR SHARE", visit["id"])
        acting = [
            asyncio.create_task(world.visitor.post(f"/visits/{visit['id']}/{act}")) for act in ("start", "cancel")
        ]
        await eventually(lambda: waits(owner, 2))
    assert sorted([answer.status_code for answer in await asyncio.gather(*acting)]) == [200, 409]


async def test_raises_do_not_wait_for_each_other(world: World, owner: asyncpg.Connection) -> None:
    visit = await world.visit()
    async with owner.transaction():
        await owner.execute("SELECT FROM visits WHERE id = $1 FOR SHARE", visit["id"])
        await world.raised(visit["id"])
