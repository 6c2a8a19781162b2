"""An office, with its directory heard."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import START
from tests.integration.notifier.office import Appeal, Office
from tests.support.databases import Databases
from tests.support.stack import Stack

STAFFED = "staffed"


@pytest.fixture(scope="session")
async def notifier_alone(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """The service; made once, and its office staffed once, for that takes longer than a test."""
    async with Stack(databases, tmp_path_factory.mktemp("notifier"), START, names=("notifier",)) as stack:
        await Office(stack).staffed()
        await stack.keep(STAFFED)
        yield stack


@pytest.fixture
async def bare(notifier_alone: Stack) -> Office:
    """The notifier, which has heard of nobody."""
    await notifier_alone.renew()
    return Office(notifier_alone)


@pytest.fixture
async def office(notifier_alone: Stack) -> Office:
    """The notifier, which has heard of the office's units and staff."""
    await notifier_alone.renew(STAFFED)
    return Office(notifier_alone)


@pytest.fixture
def appeal() -> Appeal:
    return Appeal(START)
