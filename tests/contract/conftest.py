"""The three services and a company in them, once for all contract tests: what a test would change it makes itself."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from notifier.channels.networks import Policy
from notifier.channels.outward import Outward
from notifier.channels.port import Refused
from notifier.deliveries.planner import Planner
from notifier.webhooks.dispatcher import Dispatcher
from tests.conftest import START
from tests.contract.house import House
from tests.support.databases import Databases
from tests.support.stack import Stack


class Nowhere(Outward):
    """Calls nobody: tests make no names up that somebody might have."""

    async def request(self, *_: Any, **__: Any) -> Any:
        raise Refused("nowhere")


@pytest.fixture(scope="session")
async def whole_stack(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """The services; the clock stands at `START`."""
    async with Stack(databases, tmp_path_factory.mktemp("contract"), START) as stack:
        for worker in stack["notifier"].workers:
            if isinstance(worker, Planner):
                worker.config.patience = worker.config.pause = timedelta()  # who is not heard of by now never will be
            if isinstance(worker, Dispatcher):
                worker.outward = Nowhere(Policy())
        yield stack


@pytest.fixture(scope="session")
async def house(whole_stack: Stack) -> House:
    """The company."""
    its = House(whole_stack)
    await its.found()
    return its
