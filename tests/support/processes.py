"""The three services as operating system processes, on databases of their own, each started again when it dies.

What the supervisor does, with three differences: a start can be told where to die (`CRASH_AT`), every death is written
down, and all of it ends with the block.
"""

import asyncio
import contextlib
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from chassis.clock import ScaledClock
from chassis.db import Database
from chassis.messaging.bus import Bus
from chassis.messaging.embedded import EmbeddedBus
from chassis.vault.masters import new_line
from contracts.topics import TOPICS, Topic, dead_letter
from deploy.local import clock, files, processes
from deploy.local.databases import DatabaseUrls
from deploy.local.services import REAL, base_environment, service_environment
from deploy.local.settings import Settings
from deploy.local.state import State
from deploy.local.tokens import Issuer
from tests.support import forks
from tests.support.databases import SERVICES, Databases, free_port
from tests.support.eventually import eventually
from tests.support.local_stack import free_port_base

CRASHED = 137  # the exit code of `chassis.crash`
LOOK_EVERY = 0.02  # seconds
NOTICED_AFTER = 0.06  # seconds; the clock promises 0.05, and until then a service takes our present for its future
LET_START = 0.1  # seconds between two looks at one that does not listen yet: looking costs it its processor
STARTS_WITHIN = 60.0  # seconds, on a busy machine


@dataclass(frozen=True)
class Death:
    """A process that ended while it should run; `crash_at` is where it was told to."""

    service: str
    code: int
    crash_at: str | None
    killed: bool  # by us

    @property
    def meant(self) -> bool:
        """Whether it died the way a test wanted it to."""
        return self.killed or (self.crash_at is not None and self.code == CRASHED)


@dataclass
class Kept:
    """One service, a twin or a part of it: what its starts are told, and the process it is now."""

    name: str
    url: str
    env: Mapping[str, str]
    log: Path
    crashes: list[str]  # where the next starts die, in their order
    for_ever: bool = True  # started again when it dies
    words: tuple[str, ...] = ()  # which part of it; all of it without one
    child: forks.Child | None = None
    crash_at: str | None = None
    killed: bool = False
    started: float = 0.0  # real epoch seconds

    def start(self) -> None:
        self.crash_at = self.crashes.pop(0) if self.crashes else None
        self.killed, self.started = False, time.time()
        env = {**base_environment(), **self.env, **({"CRASH_AT": self.crash_at} if self.crash_at else {})}
        files.open_log(self.log).close()
        self.child = forks.start([*REAL.services[self.name], *self.words], log=self.log, env=env)


@dataclass
class Processes:
    """`async with Processes(databases, folder, START) as services`: they run and are ready.

    `crashes` names for each service where its first start dies, its second, and so on; later ones live. Without
    `kafka`, the address of a broker whose topics are empty, they run on the embedded bus. `apart`: each part of each is
    a process of its own, as a cluster deploys them, and `api` is the service to whoever calls or kills it.
    """

    databases: Databases
    folder: Path
    start: datetime
    kafka: str | None = None
    crashes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)  # the services' own, by their full names
    names: Sequence[str] = SERVICES
    apart: bool = False
    deaths: list[Death] = field(default_factory=list)
    altered: bool = False  # their tables themselves: nobody is lent these databases again

    async def __aenter__(self) -> Self:
        names = [*self.names, *([] if self.kafka else ["bus"])]
        self.urls: dict[str, DatabaseUrls] = {}
        self._kept: dict[str, Kept] = {}
        self._tending: asyncio.Task[None] | None = None
        self._http = httpx.AsyncClient(timeout=5)
        try:
            for name in names:
                self.urls[name] = await self.databases.lend(name)
            await self._make_topics()
            self._prepare()
            for kept in self._kept.values():
                kept.start()
            self._tending = asyncio.create_task(self._tend(), name="tend the services")
            await self.until_ready()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self._stop_in_order()
            assert self.accidents() == []
        else:
            self._show_logs()
        await self._end()

    @property
    def clock_file(self) -> Path:
        return State(self.folder).clock

    def now(self) -> datetime:
        """The instant the services live in."""
        return ScaledClock(self.clock_file).now()

    async def jump(self, to: datetime) -> None:
        """Makes it `to`; nothing happens when it is later already."""
        if to > self.now():
            clock.jump(self.clock_file, to)
            await asyncio.sleep(NOTICED_AFTER)

    def url(self, service: str) -> str:
        """Where a service is reached: where there is a twin of it, by the one that lives."""
        return next(kept.url for kept in self._kept.values() if kept.name == service and self._lives(kept))

    async def add_twin(self, service: str) -> Kept:
        """One more process of a service, on the same databases; neither of the two is started again when it dies."""
        its = self._kept[service]
        its.for_ever = False
        port = free_port()
        env = {**its.env, f"{service.upper()}_PORT": str(port)}
        twin = Kept(service, _at(port), env, its.log.with_name(f"{service}-twin.log"), [], for_ever=False)
        self._kept[f"{service} twin"] = twin
        twin.start()
        await self.until_ready()
        return twin

    def token(self, role: str, unit: str, staff: str) -> str:
        return self._issuer.token([role], unit, staff)

    def admin(self, name: str) -> str:
        """The address of a service's database, or the bus's, for PostgreSQL's administrator."""
        return self.databases.server.dsn(database=self.urls[name].service.rpartition("/")[2])

    def bus(self) -> Bus:
        """A client of their bus; the caller closes it."""
        if self.kafka:
            from chassis.messaging.kafka import KafkaBus

            return KafkaBus(self.kafka, replication=1, client_id="tests")
        return EmbeddedBus(Database(self.urls["bus"].service, pool_size=2, name="tests"))

    def kill(self, service: str) -> None:
        """SIGKILL, if it runs."""
        kept = self._kept[service]
        if kept.child is not None and kept.child.poll() is None:
            kept.killed = True
            kept.child.kill()

    def started(self, service: str) -> float:
        """When the process that a service is now was started, in real epoch seconds."""
        return self._kept[service].started

    def has_crashed(self, service: str) -> bool:
        """Whether it died everywhere it was told to."""
        kept = self._kept[service]
        return not kept.crashes and kept.crash_at is None

    def crashed_at(self) -> dict[str, list[str]]:
        """Where each service died as told."""
        return {
            name: [death.crash_at for death in self.deaths if death.service == name and death.crash_at and death.meant]
            for name in self.names
        }

    def accidents(self) -> list[str]:
        """Deaths that nobody ordered, and what was last said before them."""
        return [
            f"{death.service} ended with {death.code} (CRASH_AT={death.crash_at})"
            for death in self.deaths
            if not death.meant
        ]

    async def until_ready(self, within: float = STARTS_WITHIN) -> None:
        """Waits until every service says that it is ready."""

        async def ready() -> bool:
            assert not self.accidents(), self.accidents()
            for kept in filter(self._lives, self._kept.values()):
                try:
                    assert (await self._http.get(f"{kept.url}/readyz")).status_code == 200, kept.name
                except httpx.TransportError as error:
                    await asyncio.sleep(LET_START)
                    raise AssertionError(f"{kept.name}: {error!r}") from error
            return True

        await eventually(ready, within=within)

    async def metric(self, of: str | Kept, name: str, **labels: str) -> float:
        """The sum of a metric's samples that have these labels."""
        url = of.url if isinstance(of, Kept) else self.url(of)
        text = (await self._http.get(f"{url}/metrics")).text
        found = re.findall(rf"^{name}{{(.*)}} (\S+)$", text, re.MULTILINE)
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return sum(float(value) for its, value in found if all(want in its for want in wanted))

    async def _tend(self) -> None:
        while True:
            for kept in self._kept.values():
                if kept.child is not None and (code := kept.child.poll()) is not None:
                    self.deaths.append(Death(kept.name, code, kept.crash_at, kept.killed))
                    kept.child = None
                    if kept.for_ever:
                        kept.start()
            await asyncio.sleep(LOOK_EVERY)

    async def _make_topics(self) -> None:
        bus = self.bus()
        try:
            topics = list(TOPICS.values())
            await bus.ensure([*topics, *map(_beside, topics)])
        finally:
            await bus.close()

    def _prepare(self) -> None:
        state = State(self.folder)
        state.open()
        self._issuer = Issuer(state.auth)
        clock.Scale(self.start, 1.0, None).write(state.clock)
        clock.set_off(state.clock)
        self._stack = Settings(
            self.folder,
            free_port_base(),
            bus="kafka" if self.kafka else "embedded",
            kafka_bootstrap_servers=self.kafka,
        )
        bus_database = None if self.kafka else self.urls["bus"].service
        for name in self.names:
            files.write_once(state.vault(name), new_line("first"))
            files.write(state.token(name), self._issuer.token(["service"], None, name))
            env = service_environment(name, self._stack, self.urls[name].service, bus_database, state.clock)
            crashes = list(self.crashes.get(name, ()))
            env |= self.settings
            self._kept[name] = Kept(name, _at(self._stack.port(name)), env, state.logs / f"{name}.log", crashes)
            if self.apart:
                self._take_apart(self._kept[name])

    def _take_apart(self, service: Kept) -> None:
        service.words = ("api",)
        for word in import_module(f"{service.name}.__main__").SERVICE.processes.keys() - {"api"}:
            port, log = free_port(), service.log.with_name(f"{service.name}-{word}.log")
            env = {**service.env, f"{service.name.upper()}_PORT": str(port)}
            self._kept[f"{service.name} {word}"] = Kept(service.name, _at(port), env, log, [], words=(word,))

    @staticmethod
    def _lives(kept: Kept) -> bool:
        return kept.for_ever or kept.child is not None

    async def _stop_tending(self) -> None:
        if self._tending is not None:
            self._tending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._tending
            self._tending = None

    async def _stop_in_order(self) -> None:
        """As the supervisor does: a member that says goodbye to its Kafka group is not waited for by the next."""
        await self._stop_tending()
        children = [kept.child for kept in self._kept.values() if kept.child is not None]
        for child in children:
            child.terminate()
        codes = await eventually(
            lambda: None if None in (codes := [child.poll() for child in children]) else codes, within=30
        )
        assert codes == [0] * len(children), codes

    async def _end(self) -> None:
        await self._stop_tending()
        await self._http.aclose()
        for kept in self._kept.values():
            if kept.child is not None:
                processes.stop_child(kept.child, processes.AT_ONCE)
        for name, urls in self.urls.items():
            if self.altered:
                await self.databases.drop(urls)
            else:
                self.databases.give_back(name, urls)

    def _show_logs(self) -> None:
        for kept in self._kept.values():
            told = [line for line in kept.log.read_text().splitlines() if '"level":"INFO"' not in line]
            print(f"--- what {kept.name} complained of last", *told[-15:], sep="\n", file=sys.stderr)


def _at(port: int) -> str:
    return f"http://{processes.LOOPBACK}:{port}"


def _beside(topic: Topic) -> Topic:
    return topic._replace(name=dead_letter(topic.name), compacted=False, partitions=1)
