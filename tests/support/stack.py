"""The three services in one test process: real PostgreSQL, the real bus port, the clock in the test's hand.

Nothing runs by itself: `settle` turns every loop until there is nothing left to do, so tests never sleep.
"""

import importlib
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from fastapi import FastAPI

from chassis.clock import ManualClock
from chassis.messaging.consumer import Consumer
from chassis.messaging.relay import Relay
from chassis.process import Service
from chassis.runtime import Runtime
from chassis.vault.masters import new_line
from chassis.worker import Worker
from contracts.topics import TOPICS, Topic, dead_letter
from deploy.local.databases import DatabaseUrls
from tests.support.databases import SERVICES, Databases
from tests.support.tokens import AUDIENCE, ISSUER, Issuer
from tests.support.web import InProcess

# What goes by real time would come into tests at any moment; they turn it themselves.
_WATCHING_NOTHING = {"audit_every": 0, "canary_every": 0}


class Member:
    """One service of the stack."""

    def __init__(self, name: str, runtime: Runtime, service: Service) -> None:
        self.name, self.runtime, self.service = name, runtime, service
        parts = [part for make in service.processes.values() for part in make(runtime)]
        self.workers = [part for part in parts if isinstance(part, Worker)]
        for worker in self.workers:
            if isinstance(worker, Consumer):
                worker.config.wait = 0.0

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
        self.clock = ManualClock(start)
        self.issuer = Issuer(folder)
        self._databases, self._names, self._folder = databases, names, folder
        self.vault_keys = folder / "vault.keys"
        self.vault_keys.write_text(new_line("first"))
        self._lent: list[tuple[str, DatabaseUrls]] = []
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
            await runtime.bus.ensure([*TOPICS.values(), *map(_dlq, TOPICS.values())])
            self.members[name] = Member(name, runtime, service)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients.values():
            await client.aclose()
        for member in self.members.values():
            for worker in member.workers:
                await worker.close()
            await member.runtime.__aexit__()
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

    async def settle(self, *, rounds: int = 200) -> None:
        """Turns the loops of every service until none has work and nothing waits in an outbox or on the bus.

        What carries messages goes first, and each goes on while it has work. A loop without work is turned again only
        when its service has done something since, or there is something new on the bus.
        """
        waiting = [(member, worker) for member in self.members.values() for worker in member.workers]
        turns = rounds * len(waiting)
        while waiting:
            member, worker = next((each for each in waiting if isinstance(each[1], Relay | Consumer)), waiting[0])
            waiting.remove((member, worker))
            before = turns
            while await _turn(worker):
                turns -= 1
                assert turns > 0, f"the stack did not come to rest in {rounds} rounds"
            if turns < before:
                told = isinstance(worker, Relay)
                waiting = [
                    (its, each)
                    for its in self.members.values()
                    for each in its.workers
                    if (each is not worker and (its is member or (told and isinstance(each, Consumer))))
                    or (its, each) in waiting
                ]

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
