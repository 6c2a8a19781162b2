"""Requests that have all the connections that requests may have."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from chassis import db
from chassis.db import Database


@asynccontextmanager
async def requests_elsewhere(database: Database, patched: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """As many as may be, none of which ends meanwhile; whoever comes besides soon gives up."""
    patched.setattr(db, "_PATIENCE", 0.05)
    async with AsyncExitStack() as others:
        while not database._requests.locked():
            await others.enter_async_context(database.for_a_request())
        yield
