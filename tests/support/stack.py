"""The three services in one test process: real PostgreSQL, the real bus port, the clock in the test's hand.

Nothing runs by itself: `settle` turns every loop until there is nothing left to do, so tests never sleep.
"""

import importlib
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncpg
import httpx
from fastapi import FastAPI

from chassis.clock import ManualClock
from chassis.messaging.consumer import Consumer
from chassis.messaging.relay import Relay
from chassis.process import Service
from chassis.runtime import Runtime
from chassis.vault import Vault
from chassis.vault.masters import new_line
from chassis.worker import Worker
from contracts.topics import TOPICS, Topic, dead_letter
from deploy.local.databases import DatabaseUrls
from tests.support.databases import MADE, SERVICES, Databases, as_it_was, put_aside
from tests.support.tokens import AUDIENCE, ISSUER, Issuer
from tests.support.web import InProcess

# Who rests for a minute clears away what is old, and seals what an earlier version left: nothing else waits for that.
SELDOM = 60.0  # seconds

# What goes by real time would come into tests at any moment; they turn it themselves.
_WATCHING_NOTHING = {"audit_every": 0, "canary_every": 0}


class Member:
    """One service of the stack."""

    def __init__(self, name: str, runtime: Runtime, service: Service) -> None:
        self.name, self.runtime, self.service = name, runtime, service
        self._made_with = runtime.settings, runtime.clock
        self.workers = self._parts()

    def _parts(self) -> list[Worker]:
        parts = [part for make in self.service.processes.values() for part in make(self.runtime)]
        workers = [part for part in parts if isinstance(part, Worker)]
        for worker in workers:
            if isinstance(worker, Consumer):
                worker.config.wait = 0.0
        return workers

    async def make_topics(self) -> None:
        """All there are, as the other services would have made theirs."""
        await self.runtime.bus.ensure([*TOPICS.values(), *map(_dlq, TOPICS.values())])

    async def close(self) -> None:
        """Its loops give back what they hold."""
        for worker in self.workers:
            await worker.close()

    def renew(self) -> None:
        """Begins anew on the same connections, its loops being closed: none of the new ones remembers anything, nor
        does the vault."""
        self.runtime.settings, self.runtime.clock = self._made_with
        self.runtime.vault = Vault(self.runtime.db, self.runtime.settings.vault_keys)
        self.workers = self._parts()

    @cached_property
    def app(self) -> FastAPI:
        """Its routes, made for whoever calls them."""
        return self.service.app(self.runtime)

    def client(self, headers: dict[str, str]) -> httpx.AsyncClient:
        """An HTTP client of this service, no socket in between."""
        return InProcess(self.app, host=f"http://{self.name}/v1", headers=headers)


class Stack:
    """`async with Stack(...) as stack`: visit_api, appeal_tracker and notifier on databases of their own."""

    def __init__(self, databases: Databases, folder: Path, start: datetime, names: tuple[str, ...] = SERVICES) -> None:
        self._start = start
        self.clock = ManualClock(start)
        self.issuer = Issuer(folder)
        self._databases, self._names, self._folder = databases, names, folder
        self.vault_keys = folder / "vault.keys"
        self.vault_keys.write_text(new_line("first"))
        self._lent: list[tuple[str, DatabaseUrls]] = []
        self._administrators: list[asyncpg.Connection] = []
        self._clients: dict[tuple[str | None, ...], httpx.AsyncClient] = {}
        self.members: dict[str, Member] = {}

    async def __aenter__(self) -> Self:
        bus = await self._lend("bus")
        for name in self._names:
            service: Service = importlib.import_module(f"{name}.__main__").SERVICE
            urls = await self._lend(name)
            values: dict[str, Any] = {
                "database_url": urls.service,
                "bus": "embedded",
                "bus_database_url": bus.service,
                "auth_issuer": ISSUER,
                "auth_audience": AUDIENCE,
                "auth_jwks": str(self.issuer.jwks),
                "attachments_dir": self._folder / "attachments",
                "vault_keys": self.vault_keys,
                "public_url": "https://service.example",
                **_WATCHING_NOTHING,
            }
            runtime = Runtime(name, service.settings(**values), clock=self.clock)
            self.members[name] = Member(name, runtime, service)
            await self.members[name].make_topics()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients.values():
            await client.aclose()
        for member in self.members.values():
            await member.close()
            await member.runtime.__aexit__()
        for administrator in self._administrators:
            await administrator.close()
        for name, urls in self._lent:
            self._databases.give_back(name, urls)

    def __getitem__(self, name: str) -> Member:
        return self.members[name]

    def client(self, name: str, *roles: str, unit: str | None = None, sub: str = "tester") -> httpx.AsyncClient:
        """A client of the service `name` who is `sub` in `unit` with `roles`; closed with the stack."""
        who = (name, unit, sub, *roles)
        if who not in self._clients:
            self._clients[who] = self.members[name].client(self.issuer.headers(*roles, unit=unit, sub=sub))
        return self._clients[who]

    async def settle(self, *, rounds: int = 200, seldom: bool = False) -> None:
        """Turns the loops of every service until none has work and nothing waits in an outbox or on the bus.

        What carries messages goes first, and each goes on while it has work. A loop without work is turned again only
        when its service has done something since, or there is something new on the bus; one that is turned seldom, only
        where that is asked for.
        """
        loops = [
            (member, worker)
            for member in self.members.values()
            for worker in member.workers
            if seldom or worker.config.idle < SELDOM
        ]
        waiting = loops
        turns = rounds * len(waiting)
        while waiting:
            member, worker = next((each for each in waiting if isinstance(each[1], Relay | Consumer)), waiting[0])
            waiting = [each for each in waiting if each != (member, worker)]
            before = turns
            while await _turn(worker):
                turns -= 1
                assert turns > 0, f"the stack did not come to rest in {rounds} rounds"
            if turns < before:
                told = isinstance(worker, Relay)
                waiting = [
                    (its, each)
                    for its, each in loops
                    if (each is not worker and (its is member or (told and isinstance(each, Consumer))))
                    or (its, each) in waiting
                ]

    async def keep(self, name: str) -> None:
        """Puts all that is stored aside under a name; nothing may wait in an outbox or on the bus."""
        for member in self.members.values():
            await member.close()  # with the places up to which they heard
            member.renew()
        for administrator in await self._of_databases():
            await put_aside(administrator, name)

    async def renew(self, name: str = MADE) -> None:
        """Has everything be as when it was kept under that name, or as in a new stack: for the next test. What it
        takes to make a service and its connections is not done again."""
        for member in self.members.values():
            await member.close()
        for administrator in await self._of_databases():
            await as_it_was(administrator, name)
        self.clock.set(self._start)
        for member in self.members.values():
            member.renew()
            await member.make_topics()

    async def _of_databases(self) -> list[asyncpg.Connection]:
        """A connection to each database, which learns of its tables once."""
        if not self._administrators:
            self._administrators = [await self._databases.administrator(urls) for _, urls in self._lent]
        return self._administrators

    async def _lend(self, name: str) -> DatabaseUrls:
        urls = await self._databases.lend(name)
        self._lent.append((name, urls))
        return urls


async def _turn(worker: Worker) -> bool:
    if isinstance(worker, Consumer):
        # A consumer always asks to be called again, since its fetch waits; what counts is whether it moved.
        before = worker.position
        await worker.run_once()
        return worker.position != before
    if isinstance(worker, Relay):
        worker.config.follower_idle = 0.0
    return await worker.run_once()


def _dlq(topic: Topic) -> Topic:
    return topic._replace(name=dead_letter(topic.name), compacted=False, partitions=1)
