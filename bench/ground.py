"""What the rows stand on: a real PostgreSQL with the settings of production, and a real Kafka when a row wants one."""

import os
import socket
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncpg
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from chassis import migrate
from chassis.messaging import embedded
from chassis.messaging.bus import Bus
from chassis.messaging.schema import MESSAGING
from chassis.vault.masters import new_line
from deploy.local import files
from deploy.local.databases import DatabaseUrls
from deploy.local.kafka import Kafka
from deploy.local.postgres import Postgres
from deploy.local.processes import LOOPBACK
from deploy.local.settings import ROOT
from deploy.local.tokens import Issuer

PLUMBING = "plumbing"  # a database with outbox and inbox alone


class Ground:
    """Servers of this run alone, gone when it ends; both sides of a row use the same ones."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._urls: dict[str, DatabaseUrls] = {}
        self._kafka: Kafka | None = None

    def __enter__(self) -> Self:
        place = ROOT / ".state"
        place.mkdir(mode=0o711, exist_ok=True)
        self.folder = Path(self._open.enter_context(tempfile.TemporaryDirectory(dir=place, prefix="bench-")))
        self._postgres = Postgres(self.folder, free_ports(1), os.environ.get("POSTGRES") or "auto")
        self._open.callback(self._postgres.forget)
        self._postgres.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def __contains__(self, name: str) -> bool:
        """Whether this run has a database of that name."""
        return name in self._urls

    async def database(self, name: str, of: str = "") -> DatabaseUrls:
        """The database of a service (or one more `of` it), of the embedded `bus`, or the plumbing alone, brought to its
        present shape once; what a row leaves in it, the next one must clear."""
        if name not in self._urls:
            urls = self._postgres.ensure_database(name)
            if name == "bus":
                await embedded.migrate(urls.migration)
            elif name == PLUMBING:
                await _execute(urls.migration, MESSAGING)
            else:
                await migrate.upgrade(of or name, urls.migration)
            self._urls[name] = urls
        return self._urls[name]

    async def empty(self, name: str) -> DatabaseUrls:
        """A database without anything in it, whose owner is the migrator."""
        await self._drop(name)
        return self._postgres.ensure_database(name)

    async def copy(self, name: str, of: str) -> DatabaseUrls:
        """A fresh copy, called `name`, of a database that nobody uses now; the one of that name before is gone. Roles
        and what they may do are those of the original."""
        await self._drop(name)
        await _execute(self._postgres.dsn(), f"CREATE DATABASE {name} TEMPLATE {of} STRATEGY FILE_COPY")
        urls = DatabaseUrls(self._postgres.dsn(f"{of}_service", name), self._postgres.dsn(f"{of}_migrator", name))
        self._urls[name] = urls
        return urls

    async def _drop(self, name: str) -> None:
        self._urls.pop(name, None)
        await _execute(self._postgres.dsn(), f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def clear(self, name: str, *tables: str) -> None:
        """Empties tables, and has the server write out what it holds, so that no round pays for the one before."""
        await _execute((await self.database(name)).migration, f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")
        await self.rest()

    async def clear_bus(self, topic: str) -> None:
        """Empties the embedded log, and a topic of Kafka where a row has asked for one: what the row before left there
        would be heard first."""
        await self.clear("bus", "records", "positions")
        if self._kafka is not None:
            await _delete_records(self._kafka.bootstrap, topic)

    async def rest(self) -> None:
        """Lets the server write out what it holds."""
        await _execute(self._postgres.dsn(), "CHECKPOINT")

    async def version(self) -> str:
        """PostgreSQL's version and what of it matters for durability, as the server itself says."""
        connection = await asyncpg.connect(self._postgres.dsn())
        try:
            shown = [f"{name}={await connection.fetchval(f'SHOW {name}')}" for name in ("fsync", "synchronous_commit")]
            return f"PostgreSQL {await connection.fetchval('SHOW server_version')} ({', '.join(shown)})"
        finally:
            await connection.close()

    def issuer(self) -> Issuer:
        """Who signs the tokens of this run."""
        auth = self.folder / "auth"
        auth.mkdir(exist_ok=True)
        return Issuer(auth)

    def vault_keys(self) -> Path:
        """What the services of this run seal with."""
        keys = self.folder / "vault.keys"
        files.write_once(keys, new_line("first"))
        return keys

    def kafka(self) -> str:
        """Where the Kafka of this run is reached. Raises Refused where the machine cannot run one."""
        if given := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
            return given
        if self._kafka is None:
            kafka = Kafka(self.folder, free_ports(2), cache=ROOT / ".state" / "cache")
            kafka.start()
            self._open.callback(kafka.stop)
            self._kafka = kafka
        return self._kafka.bootstrap

    def kafka_bus(self) -> Bus:
        """A client of that Kafka."""
        from chassis.messaging.kafka import KafkaBus

        return KafkaBus(self.kafka(), replication=1)


def free_ports(count: int) -> int:
    """The first of so many loopback ports in a row that nobody listens on now."""
    while True:
        with ExitStack() as probes:
            first = 0
            try:
                for offset in range(count):
                    probe = probes.enter_context(socket.socket())
                    probe.bind((LOOPBACK, first + offset if first else 0))
                    first = first or int(probe.getsockname()[1])
            except (OSError, OverflowError):
                continue
            return first


async def _execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def _delete_records(servers: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        (known,) = await admin.describe_topics([topic])
        to_the_end = RecordsToDelete(-1)
        await admin.delete_records(
            {TopicPartition(topic, each["partition"]): to_the_end for each in known["partitions"]}
        )
    finally:
        await admin.close()
