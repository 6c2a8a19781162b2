"""Between a raise and an act on the same visit, the order in which they are told is the order of their commits:
whichever comes second waits for the visit's row before it takes its place in the outbox."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from chassis.messaging import outbox
from contracts.appeals import AppealClosed, AppealOpened, AppealReopened
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


CALLED = {"kind": "missed_call", "called_at": "2026-10-09T09:30:00+08:00"}
ASKED = {"question": "何时送电", "received_at": "2026-10-09T09:30:00+08:00"}


async def test_whoever_holds_visits_and_customers_holds_the_visits_first(
    world: World, owner: asyncpg.Connection
) -> None:
    """What is heard of appeals holds visits, then customers; here by hand. Were either act to begin with the customer,
    the two would wait for each other, and PostgreSQL would end one of them."""
    visit = await world.visit(channel="online")
    group = await made(
        world.admin.post("/online/groups", json={"unit_code": "37401", "platform": "wechat", "name": "园区用电"})
    )
    for path, new in (("/obligations", CALLED), (f"/online/groups/{group['id']}/inquiries", ASKED)):
        about = {"customer_id": visit["customer_id"], "visit_id": visit["id"]}
        async with owner.transaction():
            await owner.execute("SELECT FROM visits WHERE id = $1 FOR SHARE", visit["id"])
            acting = asyncio.create_task(made(world.visitor.post(path, json={**new, **about})))
            await eventually(lambda: waits(owner))
            await owner.execute("SELECT FROM customers WHERE id = $1 FOR UPDATE", visit["customer_id"])
        await acting


async def test_what_is_heard_of_several_appeals_holds_all_visits_before_any_customer(
    world: World, owner: asyncpg.Connection
) -> None:
    """Of whatever types the events of a batch are; and a call that is noted holds its visit, then the customer."""
    first, second = sorted([await world.visit(), await world.visit()], key=lambda each: str(each["id"]))
    its = [await world.raised(visit["id"]) for visit in (first, second)]
    kind = {"appeal_no": "V1", "appeal_type": "complaint"}
    await world.hear(told(AppealOpened, its[0], first, **kind), told(AppealOpened, its[1], second, **kind))
    async with owner.transaction():
        await owner.execute("SELECT FROM visits WHERE id = $1 FOR UPDATE", second["id"])
        closed = told(AppealClosed, its[0], first, outcome="resolved")
        hearing = asyncio.create_task(world.hear(closed, told(AppealReopened, its[1], second)))
        await eventually(lambda: waits(owner))
        await owner.execute("SELECT FROM customers WHERE id = $1 FOR SHARE", first["customer_id"])
    await hearing
    rows = await world.rows("SELECT id, state FROM appeals")
    assert {str(row["id"]): row["state"] for row in rows} == {its[0]["id"]: "closed", its[1]["id"]: "open"}


def told(event: type[Any], appeal: dict[str, Any], visit: dict[str, Any], **fields: Any) -> Any:
    at = datetime.fromisoformat("2026-10-09T10:00:00+08:00")
    its = {"appeal_id": UUID(appeal["id"]), "visit_id": UUID(visit["id"]), "unit_code": "37401", "round": 1}
    if event is AppealOpened:
        return event(**its, received_at=at, policy="t-sdpea@1", clocks=[], **fields)
    return event(**its, at=at, by="E101", **fields)
