"""Makes a service's database with its two roles: the migrator owns the tables, the service only uses them."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import asyncpg

Result = TypeVar("Result")
LOCK = 0x6375_7374_7669_7369  # any fixed number: two callers at once take turns


class DatabaseUrls(NamedTuple):
    """How the two roles of one database reach it."""

    service: str
    migration: str
    is_new: bool = False  # the database was made just now


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Wait for asynchronous work from synchronous code, also when this thread already runs an event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def server_version(dsn: str, timeout: float = 5) -> int:
    """The server's major version, asked over a real connection; raises what asyncpg raises."""
    connection = await asyncpg.connect(dsn, timeout=timeout)
    try:
        return int(connection.get_server_version().major)
    finally:
        await connection.close()


async def ensure(
    name: str, address: Callable[[str], str], passwords: Callable[[str], str], *, ours: bool = False
) -> bool:
    """Create database `name`, `<name>_migrator` and `<name>_service`, or bring their rights to what is promised.

    `address` gives the administrator's address of a database, `passwords` the password of a role. Only on a server of
    `ours` everybody is also kept out of the databases that PostgreSQL makes itself. Safe to call again; true when the
    database was made now.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,50}", name):
        raise ValueError(f"not a database name: {name!r}")
    migrator, service = f"{name}_migrator", f"{name}_service"
    connection = await asyncpg.connect(address("postgres"))
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        for role in (migrator, service):
            await _ensure_role(connection, role, passwords(role))
        if not await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
            await connection.execute(f"GRANT {migrator} TO CURRENT_USER")
        is_new = not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name)
        if is_new:
            plain = "TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
            await connection.execute(f"CREATE DATABASE {name} OWNER {migrator} {plain}")
        everybodys = ["postgres", "template1"] if ours else []
        await connection.execute(f"REVOKE ALL ON DATABASE {', '.join([name, *everybodys])} FROM PUBLIC")
        await connection.execute(f"GRANT CONNECT ON DATABASE {name} TO {service}")
    finally:
        await connection.close()
    await _ensure_rights(address(name), migrator, service)
    return is_new


async def _ensure_role(connection: "asyncpg.Connection[Any]", role: str, password: str) -> None:
    known = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
    verb = "ALTER" if known else "CREATE"
    await connection.execute(f"{verb} ROLE {role} LOGIN PASSWORD '{password}'")


async def _ensure_rights(dsn: str, migrator: str, service: str) -> None:
    defaults = f"ALTER DEFAULT PRIVILEGES FOR ROLE {migrator} GRANT"
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f"""
            REVOKE ALL ON SCHEMA public FROM PUBLIC;
            GRANT ALL ON SCHEMA public TO {migrator};
            GRANT USAGE ON SCHEMA public TO {service};
            {defaults} USAGE ON SCHEMAS TO {service};
            {defaults} SELECT, INSERT, UPDATE ON TABLES TO {service};
            {defaults} USAGE, SELECT ON SEQUENCES TO {service};
            {defaults} EXECUTE ON FUNCTIONS TO {service};
        """)
    finally:
        await connection.close()
