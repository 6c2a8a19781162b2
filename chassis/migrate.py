"""Alembic without its ini file: each service's `migrations/` folder, run as its migrator role."""

import asyncio
from collections.abc import Callable
from importlib.resources import files
from operator import methodcaller
from typing import Any

from alembic import context, op
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine


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
    driver: Any = op.get_bind().connection.dbapi_connection
    for script in filter(None, scripts):  # the driver cannot run nothing
        driver.run_async(methodcaller("execute", script))


Seed = Callable[[Connection], None]


def run_env(metadata: MetaData | None = None, seed: Seed | None = None) -> None:
    """What each service's `migrations/env.py` calls. `seed` publishes what is shipped as data, in the same transaction,
    every time: it must be safe to repeat."""
    asyncio.run(_run(context.config.attributes["url"], metadata, seed))


async def _run(url: str, metadata: MetaData | None, seed: Seed | None) -> None:
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_migrate, metadata, seed)
            await connection.commit()
    finally:
        await engine.dispose()


def _migrate(connection: Connection, metadata: MetaData | None, seed: Seed | None) -> None:
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('migration'))"))
        context.run_migrations()
        # Data is written in the newest form, which the tables of an older revision do not have.
        if seed is not None and context.get_context().get_current_revision() == context.get_head_revision():
            seed(connection)
