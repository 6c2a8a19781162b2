"""Migrations: each is a transaction, one that has to wait holds nobody for long, nor does an index that takes long, and
two runs wait for each other."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from chassis import migrate
from chassis.db import Database
from tests.support.databases import Databases
from tests.support.eventually import eventually

ENV = "from chassis.migrate import run_env\n\nrun_env()\n"
FIRST = """
from chassis.migrate import run_scripts

revision, down_revision = "0001", None


def upgrade():
    run_scripts("CREATE TABLE things (id integer)")
"""
SECOND = """
from chassis.migrate import index_concurrently

revision, down_revision = "0002", "0001"


def upgrade():
    index_concurrently("things_id", "ON things (id)", unique=True)
"""
THIRD = """
from chassis.migrate import run_scripts

revision, down_revision = "0003", "0002"


def upgrade():
    run_scripts("CREATE TABLE others (id integer)", "ALTER TABLE things ADD COLUMN more integer")
"""
BROKEN = """
from chassis.migrate import run_scripts

revision, down_revision = "0004", "0003"


def upgrade():
    run_scripts("INSERT INTO others VALUES (1)", "CREATE TABLE more (id integer)", "SELECT nothing")
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    versions = tmp_path / "migrated_thing" / "migrations" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "migrated_thing" / "__init__.py").touch()
    (versions.parent / "env.py").write_text(ENV)
    for name, text in (("0001_first", FIRST), ("0002_index", SECOND), ("0003_third", THIRD), ("0004_broken", BROKEN)):
        (versions / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield "migrated_thing"
    sys.modules.pop("migrated_thing", None)


async def test_an_index_is_built_while_others_write_and_what_ran_before_a_failure_stays(
    databases: Databases, package: str
) -> None:
    url = databases.server.ensure_database("migrated_thing").migration
    its, other = await asyncpg.connect(url), await asyncpg.connect(url)
    try:
        await other.execute("SELECT pg_advisory_lock(hashtext('migration'))")  # somebody else migrates
        waiting = asyncio.create_task(migrate.upgrade(package, url, "0001"))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_xmin IS NOT NULL"
        assert await its.fetchval(waits) == 1  # ours: it keeps no index of theirs waiting
        await other.execute("SELECT pg_advisory_unlock_all()")
        await waiting

        await its.execute("CREATE INDEX things_id ON things ((id + 1))")  # what a run left that died
        writing = other.transaction()
        await writing.start()
        await other.execute("INSERT INTO things VALUES (2)")
        building = asyncio.create_task(migrate.upgrade(package, url, "0002"))
        await eventually(lambda: _waits(its))
        await its.execute("INSERT INTO things VALUES (3)")
        assert not building.done()
        await writing.commit()
        await building
        found = "SELECT indisvalid, indisunique, indexprs IS NULL FROM pg_index WHERE indexrelid = $1::text::regclass"
        assert tuple(await its.fetchrow(found, "things_id")) == (True, True, True)

        with pytest.raises(Exception, match="nothing"):
            await migrate.upgrade(package, url)
        assert await its.fetchval("SELECT version_num FROM alembic_version") == "0003"
        assert await its.fetchval("SELECT to_regclass('more') IS NULL AND NOT EXISTS (SELECT FROM others)")
    finally:
        await its.close()
        await other.close()


async def test_a_step_that_waits_lets_others_pass_and_gives_up_in_the_end(
    databases: Databases, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = databases.server.ensure_database("held_thing").migration
    its, other = await asyncpg.connect(url), await asyncpg.connect(url)
    monkeypatch.setattr(migrate, "_TRIES", 2)
    monkeypatch.setattr(migrate, "_PAUSE", 1.0)
    try:
        await migrate.upgrade(package, url, "0002")
        saving = other.transaction()
        await saving.start()
        await other.execute("LOCK TABLE things IN ACCESS SHARE MODE")  # as a backup does
        altering = asyncio.create_task(migrate.upgrade(package, url, "0003"))
        await eventually(lambda: _waits(its))
        await asyncio.wait_for(its.execute("INSERT INTO things VALUES (1)"), 4)
        assert not altering.done()
        with pytest.raises(migrate.Held, match="backup"):
            await altering
        assert await its.fetchval("SELECT version_num FROM alembic_version") == "0002"
        assert await its.fetchval("SELECT to_regclass('others') IS NULL")

        altering = asyncio.create_task(migrate.upgrade(package, url, "0003"))
        await eventually(lambda: _waits(its))
        await eventually(lambda: _waits(its, 0))  # it let go once
        await saving.commit()
        await altering
        assert await its.fetchval("SELECT version_num FROM alembic_version") == "0003"
    finally:
        await its.close()
        await other.close()


async def _waits(connection: asyncpg.Connection, how_many: int = 1) -> bool:
    return bool(await connection.fetchval("SELECT count(*) = $1 FROM pg_locks WHERE NOT granted", how_many))


@pytest.mark.parametrize("scheme", ["postgresql://", "postgresql+asyncpg://"])
async def test_what_an_address_asks_for_is_spelled_alike_for_migrations_and_services(
    databases: Databases, package: str, scheme: str
) -> None:
    urls = databases.server.ensure_database("addressed_thing")
    await migrate.upgrade(package, f"{urls.migration}?sslmode=disable".replace("postgresql://", scheme), "0001")
    db = Database(f"{urls.service}?sslmode=disable".replace("postgresql://", scheme), pool_size=1)
    await db.ping()
    await (await db.dedicated()).close()
    await db.close()
