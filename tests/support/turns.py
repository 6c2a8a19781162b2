"""Whether what a request does waits its turn for a connection, though those of the loops are free."""

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from typing import Any

from chassis.runtime import Runtime


async def waits_its_turn(runtime: Runtime, act: Awaitable[Any]) -> Any:
    """What `act` gives, which waited while other requests had all that they may have."""
    db = runtime.db

    async def acts() -> Any:
        return await act

    async with AsyncExitStack() as others:
        for _ in range(runtime.settings.database_pool_size):
            await others.enter_async_context(db.for_a_request())
        acting = asyncio.create_task(acts())
        while not db._requests._waiters:
            assert not acting.done(), "it took a connection of the loops"
            await asyncio.sleep(0)
    return await acting
