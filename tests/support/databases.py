"""One PostgreSQL for a test run, and a database of its own for each test that commits: a migrated one's clone.

A clone is made once and lent many times: emptying it takes a tenth of making another.
"""

import random
import socket
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import asyncpg

from chassis import migrate
from chassis.messaging import embedded
from deploy.local.databases import DatabaseUrls
from deploy.local.postgres import Postgres

SERVICES = ("visit_api", "appeal_tracker", "notifier")
MADE = "made"  # under which what the migrations wrote is put aside
_PORTS = range(20_000, 32_000)  # Linux gives outgoing connections 32768 and up, others 49152 and up
_choice = random.SystemRandom()  # two runs at once must not make the same choices


def free_port() -> int:
    """A loopback port that nobody listens on now, and that the system gives to no outgoing connection while its server
    starts or is away."""
    while True:
        port = _choice.choice(_PORTS)
        with closing(socket.socket()) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def free_port_pair() -> int:
    """A free loopback port whose next one is free too."""
    while True:
        port = free_port()
        with closing(socket.socket()) as probe:
            try:
                probe.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


class Databases:
    """Templates by name (`bus` and the services), migrated when first asked for."""

    def __init__(self, folder: Path) -> None:
        self.server = Postgres(folder, free_port(), fast=True)
        self.templates: dict[str, DatabaseUrls] = {}
        self._lent: set[DatabaseUrls] = set()  # all that ever were, and so remember what they were made with
        self._shelves: defaultdict[str, list[DatabaseUrls]] = defaultdict(list)

    async def template(self, name: str) -> DatabaseUrls:
        """The migrated database that clones of `name` are made from; nothing may stay connected to it."""
        if name not in self.templates:
            urls = self.server.ensure_database(name)
            if name == "bus":
                await embedded.migrate(urls.migration)
            else:
                await migrate.upgrade(name, urls.migration)
            self.templates[name] = urls
        return self.templates[name]

    async def clone(self, name: str) -> DatabaseUrls:
        """A fresh copy of the template `name`, used as that service's role."""
        await self.template(name)
        copy = f"{name}_{uuid4().hex[:12]}"
        admin = await asyncpg.connect(self.server.dsn())
        try:
            await admin.execute(f"CREATE DATABASE {copy} TEMPLATE {name} OWNER {name}_migrator STRATEGY file_copy")
        finally:
            await admin.close()
        return DatabaseUrls(self.server.dsn(f"{name}_service", copy), self.server.dsn(f"{name}_migrator", copy))

    async def lend(self, name: str) -> DatabaseUrls:
        """A database as a fresh copy is; whoever would change its tables themselves takes a `clone`."""
        given_back = self._shelves[name]
        urls = given_back.pop() if given_back else await self.clone(name)
        connection = await self.administrator(urls)
        try:
            if urls in self._lent:
                await connection.execute(_ALONE)
                await as_it_was(connection, MADE)
            else:
                await put_aside(connection, MADE)
        finally:
            await connection.close()
        self._lent.add(urls)
        return urls

    async def administrator(self, urls: DatabaseUrls) -> asyncpg.Connection:
        """A connection of the administrator's to a database; the caller closes it."""
        name = urls.service.rpartition("/")[2]
        return await asyncpg.connect(self.server.dsn(database=name), statement_cache_size=0)

    def give_back(self, name: str, urls: DatabaseUrls) -> None:
        """Keeps what was lent for whoever comes next."""
        self._shelves[name].append(urls)

    async def drop(self, urls: DatabaseUrls) -> None:
        """Removes a clone, whoever is still connected to it."""
        admin = await asyncpg.connect(self.server.dsn())
        try:
            await admin.execute(f"DROP DATABASE IF EXISTS {urls.service.rpartition('/')[2]} WITH (FORCE)")
        finally:
            await admin.close()


# Deleting a few rows is far faster than truncating a hundred tables; only what has grown is truncated.
_EMPTY = """
DO $$ DECLARE its record; found boolean; BEGIN
    SET LOCAL session_replication_role = replica;
    FOR its IN SELECT oid::regclass AS name, pg_relation_size(oid) > 1000000 AS grown FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> ALL ('{%s}')
        AND pg_relation_size(oid) > 0
    LOOP
        IF its.grown THEN
            EXECUTE format('TRUNCATE %%s CASCADE', its.name);
        ELSE
            EXECUTE format('SELECT EXISTS (SELECT FROM %%s)', its.name) INTO found;
            IF found THEN EXECUTE format('DELETE FROM %%s', its.name); END IF;
        END IF;
    END LOOP;
END $$;
"""

_PUT_ASIDE = """
DO $$ DECLARE its record; found boolean; BEGIN
    DROP SCHEMA IF EXISTS {name} CASCADE;
    CREATE SCHEMA {name};
    CREATE TABLE {name}.numbers AS SELECT sequencename, coalesce(last_value, start_value) AS number,
        last_value IS NOT NULL AS taken FROM pg_sequences WHERE schemaname = 'public';
    FOR its IN SELECT oid::regclass AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
        AND relname <> ALL ('{%s}')
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %%s)', its.name) INTO found;
        IF found THEN EXECUTE format('CREATE TABLE {name}.%%s AS TABLE %%s', its.name, its.name); END IF;
    END LOOP;
END $$
"""
_PUT_BACK = """
DO $$ DECLARE its record; BEGIN
    SET LOCAL session_replication_role = replica;
    FOR its IN SELECT relname AS name FROM pg_class
        WHERE relnamespace = '{name}'::regnamespace AND relkind = 'r' AND relname <> 'numbers'
    LOOP
        EXECUTE format('INSERT INTO public.%I OVERRIDING SYSTEM VALUE SELECT * FROM {name}.%I', its.name, its.name);
    END LOOP;
END $$;
"""
_COUNT_AGAIN = "SELECT setval(format('public.%I', sequencename), number, taken) FROM {name}.numbers"
_ALONE = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


async def put_aside(administrator: asyncpg.Connection, name: str, *left: str) -> None:
    """Keeps every row there is under a name, but for those of the tables that are `left` alone."""
    await administrator.execute(_PUT_ASIDE.replace("{name}", name) % ",".join(left))


async def put_back(administrator: asyncpg.Connection, name: str) -> None:
    """Brings the rows of that name into their tables, which are empty."""
    await administrator.execute(_PUT_BACK.replace("{name}", name))


async def as_it_was(administrator: asyncpg.Connection, name: str) -> None:
    """Has the database be as when all of it was put aside under that name."""
    script = _EMPTY % "" + _PUT_BACK + _COUNT_AGAIN
    await administrator.execute(script.replace("{name}", name))


async def empty(administrator: asyncpg.Connection, *kept: str) -> None:
    """Removes every row but the schema's revision and those of the tables `kept`, whatever forbids it."""
    await administrator.execute(_EMPTY % ",".join(("alembic_version", *kept)))


async def refusal(dsn: str, statement: str = "SELECT 1") -> str:
    """What PostgreSQL answers to a statement that it refuses; empty when it does it."""
    try:
        connection = await asyncpg.connect(dsn)
    except asyncpg.PostgresError as error:
        return str(error)
    try:
        await connection.execute(statement)
    except asyncpg.PostgresError as error:
        return str(error)
    finally:
        await connection.close()
    return ""


async def everything(owner: asyncpg.Connection) -> str:
    """All that is in the database, as a dump would have it."""
    tables = await owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    dumped = [await owner.fetch(f"SELECT t::text FROM {row['tablename']} t") for row in tables]
    return "\n".join(row[0] for rows in dumped for row in rows)
