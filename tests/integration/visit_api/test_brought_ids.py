"""The same thing brought several times at once is made once, told once, and answered alike."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.visit_api.world import COMPLAINT, World, made, member


async def a_unit(world: World) -> tuple[str, dict[str, Any]]:
    return "/units", {"code": "37409", "name": "章丘供电中心", "parent_code": "374"}


async def a_member_of_staff(world: World) -> tuple[str, dict[str, Any]]:
    return "/staff", member("E109", "37401")


async def a_customer(world: World) -> tuple[str, dict[str, Any]]:
    return "/customers", {"name": "甲", "kind": "government", "unit_code": "37401"}


async def a_visit(world: World) -> tuple[str, dict[str, Any]]:
    customer = await world.customer()
    plan = {"channel": "phone", "scheduled_at": "2026-10-12T09:00:00+08:00", "visitor_ids": ["E101"]}
    return "/visits", {"customer_id": customer["id"], **plan}


async def an_appeal(world: World) -> tuple[str, dict[str, Any]]:
    return f"/visits/{(await world.visit())['id']}/appeals", COMPLAINT


@pytest.mark.parametrize("thing", [a_unit, a_member_of_staff, a_customer, a_visit, an_appeal])
async def test_brought_at_once(world: World, thing: Callable[[World], Awaitable[tuple[str, dict[str, Any]]]]) -> None:
    path, new = await thing(world)
    new = {**new, "id": str(uuid4())}
    told = len(await world.told())
    answers = await asyncio.gather(*(made(world.admin.post(path, json=new)) for _ in range(6)))
    assert [answer["id"] for answer in answers] == [new["id"]] * 6
    assert all(answer == answers[0] for answer in answers)
    assert len(await world.told()) == told + 1
