"""Whoever has time lets those go before who wait for this process: until nobody does, or for so long."""

import asyncio

from chassis.db import Database


async def test_nobody_waits() -> None:
    db = Database("postgresql://nowhere/nothing")
    assert not db.is_waited_for(60)
    async with asyncio.timeout(5):
        await db.leisure(60)


async def test_until_nobody_waits() -> None:
    db = Database("postgresql://nowhere/nothing")
    async with asyncio.timeout(5):
        with db.waited_for():
            with db.waited_for():
                its = asyncio.create_task(db.leisure(60))
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.01)
            assert not its.done(), "one of two still waits"
            assert db.is_waited_for(0)
        await its
    assert db.is_waited_for(60)


async def test_for_so_long_at_most() -> None:
    db = Database("postgresql://nowhere/nothing")
    async with asyncio.timeout(5):
        with db.waited_for():
            await db.leisure(0.01)
