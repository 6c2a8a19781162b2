"""Runs one process of a service: its parts, its signals, its watchdog, its exit code."""

import argparse
import asyncio
import contextlib
import faulthandler
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

import msgspec
import uvicorn
import uvloop
from fastapi import FastAPI
from sqlalchemy import text

from chassis.chain.links import Source
from chassis.garbage import spare_what_is_loaded
from chassis.messaging import command as letters
from chassis.messaging.bus import TopicSpec, with_dead_letters
from chassis.messaging.handlers import Handlers
from chassis.outage import Outage
from chassis.runtime import Runtime, RuntimeSettings, bus_from
from chassis.settings import settings_table
from chassis.telemetry import setup_logging
from chassis.vault import Sealed, command
from chassis.web.app import openapi_json
from chassis.web.health import health_router

log = logging.getLogger(__name__)

LOOP_STUCK = 60.0  # seconds without a turn of the event loop, after which the process says where it stands and ends
# Seconds until a connection that nobody uses is closed. Let the caller end it: where we do so first, what is sent at
# that moment is lost. Clients keep theirs for 5, proxies and load balancers for 60.
_IDLE = 75


class Part(Protocol):
    """What a process is made of: a worker, or the HTTP server."""

    name: str

    def start(self) -> asyncio.Task[None]: ...
    async def stop(self) -> None: ...
    def healthy(self) -> tuple[bool, str]: ...


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A service as its `__main__` declares it: one word for each process that a cluster deploys."""

    name: str
    settings: type[RuntimeSettings]
    writes: Sequence[TopicSpec]  # the topics it owns
    app: Callable[[Runtime], FastAPI]
    handlers: Callable[[Runtime], Handlers]
    processes: Mapping[str, Callable[[Runtime], Sequence[Part]]]
    sealed: Sequence[Sealed] = ()  # its columns of personal text, each sealed by the vault
    chained: Sequence[Source] = ()  # its tables whose rows are chained by hashes
    files: Callable[[RuntimeSettings], Any] | None = None  # `chain.command.Files`: those that chained rows name


class HttpServer:
    """Uvicorn as a part: it opens the service's port, and leaves signals to the process."""

    def __init__(self, name: str, app: FastAPI, host: str, port: int) -> None:
        self.name = name
        config = uvicorn.Config(app, host=host, port=port, log_config=None, access_log=False, lifespan="off")
        config.timeout_graceful_shutdown = 5
        config.timeout_keep_alive = _IDLE
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> asyncio.Task[None]:
        self._task = asyncio.create_task(self._server.serve(), name=self.name)
        return self._task

    async def stop(self) -> None:
        self._server.should_exit = True
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=10)

    def healthy(self) -> tuple[bool, str]:
        return (True, "serving") if self._server.started else (False, "not serving")


class _Server(uvicorn.Server):
    def install_signal_handlers(self) -> None: ...  # the process has its own

    def capture_signals(self):  # type: ignore[no-untyped-def]
        return contextlib.nullcontext()


def main(service: Service, words: Sequence[str] | None = None) -> None:
    """The command line of a service; ends the process with its exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m {service.name}", description=__doc__)
    commands = parser.add_subparsers(dest="word", metavar="WORD")
    commands.add_parser("all", help="every part in one process (the default)")
    for word in service.processes:
        commands.add_parser(word, help=f"the {word} part alone")
    commands.add_parser("migrate", help="bring the database and the topics to this version")
    commands.add_parser("settings", help="print the settings table")
    openapi = commands.add_parser("openapi", help="print the OpenAPI document, or write it to FILE")
    openapi.add_argument("file", type=Path, nargs="?", metavar="FILE")
    keys = commands.add_parser("rotate-keys", help="seal personal text under new keys, while the service runs")
    keys.add_argument("--wrap-only", action="store_true", help="only put data keys under the current master key")
    if service.chained:
        proof = commands.add_parser("verify", help="look for rows that were edited, removed or reordered")
        proof.add_argument("--against", metavar="FILE|DSN", help="heads saved before, or a restored backup")
        proof.add_argument("--save", type=Path, metavar="FILE", help="write the heads of the chains there")
        proof.add_argument("--files", metavar="FOLDER|no", help="where the files lie, or `no` to leave them out")
    parked = commands.add_parser("dlq", help="list, replay or drop dead letters, and what no bus would carry")
    parked.add_argument("do", choices=["list", "replay", "drop"], nargs="?", default="list")
    parked.add_argument("--key", help="replay this key alone")
    parked.add_argument("--place", help="which one to drop, as listed: topic/partition/offset, or outbox/seq")
    chosen = parser.parse_args(words)
    sys.exit(_run(service, chosen))


def _run(service: Service, chosen: argparse.Namespace) -> int:
    word = chosen.word or "all"
    if word == "settings":
        print(settings_table(service.settings))
        return 0
    if word == "openapi":
        chosen.file.write_bytes(document(service)) if chosen.file else sys.stdout.buffer.write(document(service))
        return 0
    settings = service.settings()
    setup_logging(service.name, settings.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if word == "migrate":
            return runner.run(_migrate(service, settings))
        if word == "dlq":
            return runner.run(_dead_letters(service, settings, chosen))
        if word == "verify":
            from chassis.chain import command as chain  # not loaded by a running service

            url = settings.database_url.get_secret_value()
            files = service.files and service.files(settings)
            options = {"against": chosen.against, "save": chosen.save, "folder": chosen.files}
            return runner.run(chain.run(url, service.chained, settings.vault_keys, files, **options))
        if word == "rotate-keys":
            owner = settings.migration_database_url
            return runner.run(command.rotate(service.name, settings, owner, service.sealed, wrap_only=chosen.wrap_only))
        return runner.run(_serve(service, settings, list(service.processes) if word == "all" else [word]))


def document(service: Service) -> bytes:
    """The service's OpenAPI document; needs no environment, for nothing is connected to."""
    nowhere = "postgresql://nowhere.invalid/none"
    values: dict[str, Any] = {
        "port": 1,
        "database_url": nowhere,
        "bus": "embedded",
        "bus_database_url": nowhere,
        "auth_issuer": "urn:nobody",
        "auth_jwks": "nowhere.json",
    }
    return openapi_json(service.app(Runtime(service.name, service.settings(**values))))


async def _migrate(service: Service, settings: RuntimeSettings) -> int:
    if settings.migration_database_url is None:
        print("MIGRATION_DATABASE_URL is not set: migrating needs the role that owns the tables", file=sys.stderr)
        return 2
    from chassis import migrate  # Alembic costs 10 MB, which a running service need not carry

    await migrate.upgrade(service.name, settings.migration_database_url.get_secret_value())
    bus = bus_from(service.name, settings)
    try:
        await bus.ensure(with_dead_letters(service.writes))
    finally:
        await bus.close()
    return 0


async def _dead_letters(service: Service, settings: RuntimeSettings, chosen: argparse.Namespace) -> int:
    async with Runtime(service.name, settings) as runtime:
        return await letters.run(runtime, service.handlers(runtime), chosen.do, chosen.key, chosen.place)


async def _serve(service: Service, settings: RuntimeSettings, words: Sequence[str]) -> int:
    """Runs the parts until a signal (0), a part that ended by itself (1) or a stuck one (70, by the watchdog); not at
    all without the keys of what it seals (2)."""
    if service.sealed and not command.keys_are_there(settings):
        return 2
    _watch_loop()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with Runtime(service.name, settings) as runtime:
        # "api" is only the server; what it serves beside the health routes is the whole application.
        parts = [part for word in words for part in service.processes[word](runtime)]
        app = service.app(runtime) if "api" in words else FastAPI(openapi_url=None)
        app.include_router(health_router(parts, _ready_checks(service, runtime)))
        parts.append(HttpServer(f"{service.name}.http", app, settings.host, settings.port))
        spare_what_is_loaded()
        tasks = {part.start(): part for part in parts}
        stopping = asyncio.create_task(stop.wait(), name="signals")
        watching = asyncio.create_task(_watch(parts), name="watchdog")
        done, _ = await asyncio.wait({*tasks, stopping, watching}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopping}:
            log.critical("a part ended by itself", extra={"part": task.get_name()}, exc_info=task.exception())
        watching.cancel()
        faulthandler.cancel_dump_traceback_later()
        stopping.cancel()
        for part in reversed(parts):
            await part.stop()
        return 0 if done == {stopping} else 1


async def _watch(parts: Sequence[Part], every: float = 5.0) -> None:
    while True:
        _watch_loop()
        await asyncio.sleep(every)
        for part in parts:
            well, why = part.healthy()
            if not well:
                log.critical(
                    "a part is stuck; the process ends to be started anew", extra={"part": part.name, "why": why}
                )
                os._exit(70)


def _watch_loop() -> None:
    """Has a thread end the process where the loop, and whoever watches on it, makes no turn any more."""
    faulthandler.dump_traceback_later(LOOP_STUCK, exit=True)


def _ready_checks(service: Service, runtime: Runtime) -> dict[str, Callable[[], Awaitable[None]]]:
    newest = newest_revision(service.name)

    async def database() -> None:
        async with runtime.db.transaction() as tx:
            found = await tx.scalar(text("SELECT version_num FROM alembic_version"))
        if found is None or found < newest:  # a newer one was made to bear this version too: expand, then contract
            raise Outage(f"the database is at revision {found}, this version needs {newest}")

    return {"database": database, "bus": runtime.bus.ping}


def newest_revision(package: str) -> str:
    """The newest revision that the code knows; a migration's file is named by its revision, `0001_first.py`."""
    names = (path.name for path in (files(package) / "migrations" / "versions").iterdir())
    return max(name.partition("_")[0] for name in names if name.endswith(".py"))
