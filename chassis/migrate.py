"""Alembic without its ini file: each service's `migrations/` folder, run as its migrator role."""

import asyncio
import logging
from collections.abc import Callable
from importlib.resources import files
from operator import methodcaller
from typing import Any

import asyncpg
from alembic import context, op
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from chassis.db import address

log = logging.getLogger(__name__)

_WAITS_BRIEFLY = text("SET lock_timeout = '1s'")  # whatever else wants the table waits behind the step that waits
_PAUSE = 4.0  # seconds until it tries again, in which those go on
_TRIES = 75  # for more than six minutes
_HELD = frozenset({"55P03", "40P01"})  # lock_not_available, deadlock_detected
_LAST_WORD = (
    "another session, such as a backup, holds a table that the next migration changes: see the oldest xact_start in "
    "pg_stat_activity. What was migrated before stays, and nothing of this one was done: run again when that has ended"
)


class Held(Exception):
    """Others held for long what a migration needs."""


def config(package: str, url: str = "") -> Config:
    """Alembic's configuration for the service `package`; `url` names its database as the migrator role."""
    settings = Config()
    settings.set_main_option("script_location", str(files(package) / "migrations").replace("%", "%%"))
    settings.attributes["url"] = url
    return settings


def head(package: str) -> str:
    """The newest revision by Alembic's own account."""
    revision = ScriptDirectory.from_config(config(package)).get_current_head()
    assert revision is not None, f"{package} has no migrations"
    return revision


async def upgrade(package: str, url: str, revision: str = "head") -> None:
    """Brings the database to `revision`; two at once wait for each other."""
    from alembic import command

    await asyncio.to_thread(command.upgrade, config(package, url), revision)


def run_scripts(*scripts: str) -> None:
    """Runs, in a migration and its transaction, scripts of several statements; `op.execute` takes one at a time."""
    bind = op.get_bind()
    bind.execute(text("SELECT 1"))  # SQLAlchemy says BEGIN with a statement of its own; the scripts go around it
    driver: Any = bind.connection.dbapi_connection
    for script in filter(None, scripts):  # the driver cannot run nothing
        driver.run_async(methodcaller("execute", script))


def index_concurrently(name: str, definition: str, *, unique: bool = False) -> None:
    """Builds an index, `ON appeals (state)`, while others go on writing to its table. A migration of its own does only
    this: what stands before it is committed first, and a run that dies in the middle is followed by another whole one.
    """
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for whoever writes, and nobody waits for it
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")  # what a run that died left behind is not valid
        op.execute(f"CREATE {'UNIQUE ' if unique else ''}INDEX CONCURRENTLY {name} {definition}")
        op.execute(_WAITS_BRIEFLY)


Seed = Callable[[Connection], None]

_LOCK = text("SELECT pg_try_advisory_lock(hashtext('migration'))")
_AGAIN = 0.2  # seconds between two tries to be the one that migrates


def run_env(metadata: MetaData | None = None, seed: Seed | None = None) -> None:
    """What each service's `migrations/env.py` calls. `seed` publishes what is shipped as data, in a transaction after
    those of the migrations, every time: it must be safe to repeat."""
    asyncio.run(_run(context.config.attributes["url"], metadata, seed))


async def _run(url: str, metadata: MetaData | None, seed: Seed | None) -> None:
    # The driver reads it, as it does a service's: what an address asks for is spelled in one way.
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(address(url)))
    try:
        async with engine.connect() as alone, engine.connect() as connection:
            # Whoever waits for the lock is in no transaction: an index that is built concurrently would wait for them.
            await alone.execution_options(isolation_level="AUTOCOMMIT")
            while not await alone.scalar(_LOCK):  # noqa: ASYNC110 - the other one is another process
                await asyncio.sleep(_AGAIN)
            await _patiently(connection, metadata, seed)
    finally:
        await engine.dispose()


async def _patiently(connection: AsyncConnection, metadata: MetaData | None, seed: Seed | None) -> None:
    """Migrates; a step that others hold up is rolled back, and the run goes on from it after a pause."""
    for left in reversed(range(_TRIES)):
        try:
            await connection.execute(_WAITS_BRIEFLY)
            await connection.commit()
            await connection.run_sync(_migrate, metadata, seed)
            await connection.commit()
            return
        except Exception as error:
            if getattr(getattr(error, "orig", error), "sqlstate", None) not in _HELD:
                raise
            await connection.rollback()
            log.warning("others hold what a migration needs", extra={"tries_left": left})
            if not left:
                raise Held(_LAST_WORD) from error
        await asyncio.sleep(_PAUSE)


def _migrate(connection: Connection, metadata: MetaData | None, seed: Seed | None) -> None:
    context.configure(
        connection=connection, target_metadata=metadata, transactional_ddl=True, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()
    # Data is written in the newest form, which the tables of an older revision do not have.
    if seed is not None and context.get_context().get_current_revision() == context.get_head_revision():
        seed(connection)
