"""Fixtures of every test: real PostgreSQL and Kafka for the run, a stack of the three services for a test."""

import gc
import os
import re
import signal
from collections.abc import AsyncIterator, Generator, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from deploy.local.errors import Refused
from deploy.local.kafka import Kafka
from tests.support.databases import Databases, free_port_pair
from tests.support.missing import not_tested

if TYPE_CHECKING:
    from tests.support.stack import Stack

# What `make test` tells its children is not for the makes that tests start.
for variable in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
    os.environ.pop(variable, None)

# A run under nohup bears a hangup; the stacks that it starts are to feel one, and what is ignored would be inherited.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)

# How long an example takes says how busy the machine is, and nothing about us.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

ROOT = Path(__file__).parent.parent
ON_KAFKA = re.compile(r"\[kafka\b|kafka(_bus)?\.py::|_on_kafka$")
START = datetime.fromisoformat("2026-10-09T10:00:00+08:00")  # a Friday; the Saturday after it is a working day


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is loaded and collected stays to the end: nobody looks through it for garbage, again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """By file; but of the promises, all that is on Kafka goes to one process: a broker takes ten seconds to start."""
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "on Kafka" if ON_KAFKA.search(nodeid) else super()._split_scope(nodeid)

    by_file = config.getoption("dist") == "loadfile" and config.getoption("markexpr") == "not long"
    return ByFile(config, log) if by_file else None


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """PostgreSQL for the whole run."""
    its = Databases(tmp_path_factory.mktemp("postgres"))
    its.server.start()
    yield its
    its.server.forget()


@pytest.fixture(scope="module")
async def kept_stack(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator["Stack"]:
    """What `stack` is renewed from: made once for a file, whose tests stop no server under it."""
    from tests.support.stack import Stack

    async with Stack(databases, tmp_path_factory.mktemp("stack"), START) as its:
        yield its


@pytest.fixture
async def stack(kept_stack: "Stack") -> "Stack":
    """The three services, which know of nothing, the clock at `START`."""
    await kept_stack.renew()
    return kept_stack


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A real Apache Kafka for the run; a machine that cannot run one says so, and with CI=true that is a failure."""
    folder = tmp_path_factory.mktemp("a state, with a comma")
    broker = Kafka(folder, free_port_pair(), cache=ROOT / ".state" / "cache")
    try:
        broker.start()
    except Refused as missing:
        not_tested(f"on Kafka: {missing}")
    yield broker
    broker.stop()
