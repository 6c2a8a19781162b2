"""The databases of the local stack: who may do what in them, on a server of our own and on a given one."""

import time
from pathlib import Path

import asyncpg
import pytest

from deploy.local import databases
from deploy.local.errors import Refused
from deploy.local.postgres import Postgres
from tests.support.databases import Databases, free_port, refusal


class TestRoles:
    async def test_the_service_uses_what_the_migrator_owns(self, databases: Databases) -> None:
        urls = databases.server.ensure_database("roles_a")
        migrator = await asyncpg.connect(urls.migration)
        await migrator.execute("CREATE TABLE kept (id bigserial PRIMARY KEY, word text)")
        await migrator.execute("CREATE FUNCTION one() RETURNS int LANGUAGE sql RETURN 1")
        await migrator.close()
        service = await asyncpg.connect(urls.service)
        await service.execute("INSERT INTO kept (word) VALUES ('a'); UPDATE kept SET word = 'b'")
        assert await service.fetchval("SELECT word FROM kept WHERE id = one()") == "b"
        await service.close()

    @pytest.mark.parametrize(
        "statement",
        ["DELETE FROM mine", "TRUNCATE mine", "CREATE TABLE other ()", "ALTER TABLE mine ADD x int", "DROP TABLE mine"],
    )
    async def test_the_service_neither_deletes_nor_changes_tables(self, databases: Databases, statement: str) -> None:
        urls = databases.server.ensure_database("roles_b")
        migrator = await asyncpg.connect(urls.migration)
        await migrator.execute("CREATE TABLE IF NOT EXISTS mine (id int)")
        await migrator.close()
        assert await refusal(urls.service, statement) != ""

    async def test_nobody_enters_the_database_of_another_service(self, databases: Databases) -> None:
        one, other = databases.server.ensure_database("roles_c"), databases.server.ensure_database("roles_d")
        for role in (one.service, one.migration):
            wrong = role.rpartition("/")[0] + "/roles_d"
            assert "permission denied for database" in await refusal(wrong)
        assert await refusal(other.service) == ""

    @pytest.mark.parametrize("database", ["postgres", "template1"])
    async def test_nobody_enters_what_postgresql_made_itself(self, databases: Databases, database: str) -> None:
        urls = databases.server.ensure_database("roles_c")
        for role in (urls.service, urls.migration):
            wrong = f"{role.rpartition('/')[0]}/{database}"
            assert "permission denied for database" in await refusal(wrong)
        assert await refusal(databases.server.dsn()) == "", "the administrator does"

    async def test_ensuring_twice_keeps_data_and_passwords(self, databases: Databases) -> None:
        first = databases.server.ensure_database("roles_e")
        migrator = await asyncpg.connect(first.migration)
        await migrator.execute("CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)")
        began = time.monotonic()
        second = databases.server.ensure_database("roles_e")
        assert time.monotonic() - began < 2
        assert second == first._replace(is_new=False)
        assert first.is_new
        assert await migrator.fetchval("SELECT id FROM kept") == 7
        await migrator.close()

    def test_a_name_is_never_sql(self, databases: Databases) -> None:
        with pytest.raises(ValueError, match="not a database name"):
            databases.server.ensure_database("x; DROP DATABASE postgres")


class TestGiven:
    """POSTGRES=postgresql://…: a server that somebody else runs."""

    async def test_it_is_used_and_never_stopped(self, tmp_path: Path, databases: Databases) -> None:
        its = Postgres(tmp_path / "given", 1, databases.server.dsn())
        its.start()
        urls = its.ensure_database("given_a")
        assert await refusal(urls.service) == ""
        its.forget()
        assert await refusal(databases.server.dsn()) == ""

    async def test_its_own_databases_stay_as_they_are(self, tmp_path: Path, databases: Databases) -> None:
        admin = await asyncpg.connect(databases.server.dsn())
        try:
            await admin.execute("GRANT CONNECT ON DATABASE postgres TO PUBLIC")
            its = Postgres(tmp_path / "given", 1, databases.server.dsn())
            its.start()
            its.ensure_database("given_c")
            assert await admin.fetchval("SELECT has_database_privilege('given_c_service', 'postgres', 'CONNECT')")
        finally:
            await admin.execute("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC")
            await admin.close()

    async def test_a_role_that_may_only_create_is_enough(self, tmp_path: Path, databases: Databases) -> None:
        admin = await asyncpg.connect(databases.server.dsn())
        await admin.execute("CREATE ROLE creator LOGIN CREATEDB CREATEROLE PASSWORD 'p@ss word'")
        await admin.execute("GRANT CONNECT ON DATABASE postgres TO creator")  # as a server of somebody else's does
        await admin.close()
        place = databases.server.dsn().rpartition("@")[2]
        its = Postgres(tmp_path / "given", 1, f"postgres://creator:p%40ss%20word@{place}")
        its.start()
        urls = its.ensure_database("given_b")
        its.ensure_database("given_b")
        assert await refusal(urls.migration, "CREATE TABLE t ()") == ""
        assert await refusal(urls.service, "SELECT FROM t") == ""

    def test_one_that_is_not_there(self, tmp_path: Path) -> None:
        port = free_port()
        with pytest.raises(Refused, match=rf"The PostgreSQL given \(127.0.0.1:{port}\) cannot be used: ") as refused:
            Postgres(tmp_path / "given", 1, f"postgresql://me:secret@127.0.0.1:{port}/postgres").start()
        assert "secret" not in str(refused.value)

    def test_one_that_is_too_old(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        async def old(dsn: str) -> int:
            return 14

        monkeypatch.setattr(databases, "server_version", old)
        with pytest.raises(Refused, match=r"\(db:5432\) is version 14, too old: 15 or newer is needed"):
            Postgres(tmp_path / "given", 1, "postgresql://me@db/postgres").start()
