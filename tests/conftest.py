"""Fixtures of every test: real PostgreSQL for the run, a stack of the three services for a test."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.databases import Databases

if TYPE_CHECKING:
    from tests.support.stack import Stack

START = datetime.fromisoformat("2026-10-09T10:00:00+08:00")  # a Friday; the Saturday after it is a working day


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """PostgreSQL for the whole run."""
    its = Databases(tmp_path_factory.mktemp("postgres"))
    its.server.start()
    yield its
    its.server.forget()


@pytest.fixture
async def stack(databases: Databases, tmp_path: Path) -> AsyncIterator["Stack"]:
    """The three services, the clock at `START`."""
    from tests.support.stack import Stack

    async with Stack(databases, tmp_path, START) as its:
        yield its
