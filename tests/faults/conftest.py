"""Three services that may die, a client that does not give up, and an auditor."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from tests.faults.audit import Audit
from tests.faults.bus_reader import clear
from tests.faults.ledger import Client
from tests.faults.load import START, Load
from tests.support.databases import SERVICES, Databases
from tests.support.processes import Processes

Begin = Callable[..., AbstractAsyncContextManager[Load]]


@pytest.fixture
async def kafka_topics(request: pytest.FixtureRequest) -> str:
    """The address of a broker that holds nothing of ours."""
    bootstrap: str = request.getfixturevalue("kafka").bootstrap
    await clear(bootstrap)
    return bootstrap


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def bus(request: pytest.FixtureRequest) -> str | None:
    """Both buses in turn: None, or the address of a broker."""
    return request.getfixturevalue("kafka_topics") if request.param == "kafka" else None


@pytest.fixture
def begin(databases: Databases, tmp_path: Path) -> Begin:
    """`async with begin(bus, crashes) as load`: the services run, dying where `crashes` says; the directory is filled.
    `names` are the services that run, each part `apart` or not, `settings` their own, by their full names."""

    @asynccontextmanager
    async def start(
        bus: str | None = None,
        crashes: Mapping[str, Sequence[str]] | None = None,
        names: Sequence[str] = SERVICES,
        *,
        apart: bool = False,
        **settings: str,
    ) -> AsyncIterator[Load]:
        services = Processes(databases, tmp_path, START, bus, crashes or {}, settings, names, apart)
        async with services, Client(services) as client, Audit(services) as audit:
            load = Load(services, client, audit)
            await load.begin()
            yield load

    return start
