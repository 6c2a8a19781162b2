"""The three services and a company in them, once for all contract tests: what a test would change it makes itself."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from notifier.deliveries.planner import Planner
from tests.conftest import START
from tests.contract.house import House
from tests.support.databases import Databases
from tests.support.stack import Stack


@pytest.fixture(scope="session")
async def whole_stack(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """The services; the clock stands at `START`."""
    async with Stack(databases, tmp_path_factory.mktemp("contract"), START) as stack:
        for worker in stack["notifier"].workers:
            if isinstance(worker, Planner):
                worker.patience = worker.pause = timedelta()  # who is not heard of by now never will be
        yield stack


@pytest.fixture(scope="session")
async def house(whole_stack: Stack) -> House:
    """The company."""
    its = House(whole_stack)
    await its.found()
    return its
