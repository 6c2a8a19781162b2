"""An office, with its directory heard."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conftest import START
from tests.integration.notifier.office import Appeal, Office
from tests.support.databases import Databases
from tests.support.stack import Stack


@pytest.fixture
async def bare(databases: Databases, tmp_path: Path) -> AsyncIterator[Office]:
    """The notifier, which has heard of nobody."""
    async with Stack(databases, tmp_path, START, names=("notifier",)) as stack:
        yield Office(stack)


@pytest.fixture
async def office(bare: Office) -> Office:
    """The notifier, which has heard of the office's units and staff."""
    await bare.staffed()
    return bare


@pytest.fixture
def appeal() -> Appeal:
    return Appeal(START)
