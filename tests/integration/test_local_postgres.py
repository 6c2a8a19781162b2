"""PostgreSQL of the local stack: its roles, its privacy, its deaths, and the sentences it refuses with."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import asyncpg
import pytest

from deploy.local import binaries, cluster, processes
from deploy.local.errors import Refused
from deploy.local.passwords import Passwords
from deploy.local.postgres import Postgres
from tests.support.databases import Databases, free_port, refusal
from tests.support.eventually import eventually
from tests.support.missing import not_tested

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root hands PostgreSQL to another user")


@pytest.fixture(scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    its = Postgres(tmp_path_factory.mktemp("a state"), free_port(), fast=True)
    its.start()
    yield its
    its.forget()


@pytest.fixture
def postgres(_shared: Postgres) -> Iterator[Postgres]:
    """One server for the tests that only start, kill and stop it; it is stopped between them."""
    _shared.stop()
    yield _shared
    _shared.stop()


@pytest.fixture
def state(postgres: Postgres) -> Path:
    return postgres.state_dir


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that another user reaches, as pytest's own are not."""
    folder = Path(mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def postmaster(data: Path) -> int:
    return int((data / "postmaster.pid").read_text().split()[0])


def data_of(state: Path) -> Path:
    inside = state / "postgres" / "data"
    return inside if inside.exists() else cluster.elsewhere(state) / "data"


class TestPrivacy:
    async def test_only_scram_only_on_loopback(self, postgres: Postgres, state: Path) -> None:
        postgres.start()
        rules = [line.split() for line in (data_of(state) / "pg_hba.conf").read_text().splitlines()]
        assert {rule[-1] for rule in rules if rule and not rule[0].startswith("#")} == {"scram-sha-256"}
        right = postgres.dsn()
        assert "password authentication failed" in await refusal(right.replace(Passwords(state).of("postgres"), "no"))
        connection = await asyncpg.connect(right)
        assert await connection.fetchval("SHOW listen_addresses") == "127.0.0.1"
        assert await connection.fetchval("SHOW unix_socket_directories") == ""
        assert await connection.fetchval("SHOW server_encoding") == "UTF8"
        stored = await connection.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'")
        assert stored.startswith("SCRAM-SHA-256$")
        await connection.close()

    async def test_its_log_repeats_nothing_of_a_row_that_it_refuses(self, postgres: Postgres, state: Path) -> None:
        postgres.start()
        connection = await asyncpg.connect(postgres.dsn())
        await connection.execute("CREATE TEMPORARY TABLE said (words text CHECK (words = ''))")
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute("INSERT INTO said VALUES ($1)", "张大爷独居")
        await connection.close()
        log = (state / "logs" / "postgres.log").read_text()
        assert "violates check constraint" in log
        assert "张大爷" not in log

    def test_nothing_of_the_state_can_be_read_by_others(self, postgres: Postgres, state: Path) -> None:
        postgres.start()
        postgres.ensure_database("visit_api")
        assert stat.S_IMODE(data_of(state).stat().st_mode) == 0o700
        for path in [state, *state.iterdir(), *(state / "logs").iterdir()]:
            assert not path.stat().st_mode & 0o044, path

    async def test_a_stack_that_people_use_keeps_what_it_acknowledged(self, postgres: Postgres) -> None:
        careful = Postgres(postgres.state_dir, postgres.port)
        careful.start()
        try:
            connection = await asyncpg.connect(careful.dsn())
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                assert await connection.fetchval(f"SHOW {setting}") == "on"
            await connection.close()
        finally:
            careful.stop()

    @as_root
    def test_as_root_it_runs_as_somebody_else(self, postgres: Postgres, state: Path) -> None:
        postgres.start()
        uid = (processes.PROC / str(postmaster(data_of(state)))).stat().st_uid
        assert pwd.getpwuid(uid).pw_name in ("postgres", "nobody")

    @as_root
    def test_as_root_the_data_stay_in_the_state_when_they_can(self, reachable: Path) -> None:
        state = reachable / "reachable"
        its = Postgres(state, free_port(), fast=True)
        its.start()
        try:
            assert (state / "postgres" / "data" / "PG_VERSION").exists()
            assert not cluster.elsewhere(state).exists()
        finally:
            its.forget()
        assert not (state / "postgres").exists()

    @as_root
    def test_below_a_private_folder_data_and_programs_move_and_no_parent_is_opened(
        self, reachable: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        private = reachable / "private"
        private.mkdir(mode=0o700)
        package = Path(binaries._wheel_folders()[0]).parents[1]
        for part in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(part, private / part.name, symlinks=True)
        monkeypatch.setattr(binaries, "_wheel_folders", lambda: sorted((private / package.name).glob("pginstall*/bin")))
        state = private / "state"
        its = Postgres(state, free_port(), "wheel", fast=True)
        its.start()
        try:
            home = cluster.elsewhere(state)
            assert (home / "data" / "PG_VERSION").exists()
            assert not (state / "postgres").exists()
            running = Path(f"/proc/{postmaster(home / 'data')}/exe").readlink()
            assert home in running.parents
            assert stat.S_IMODE(private.stat().st_mode) == 0o700
            assert not home.stat().st_mode & 0o007
        finally:
            its.forget()
        assert not home.exists()

    @as_root
    async def test_what_a_deleted_state_left_elsewhere_is_not_taken_over(self, tmp_path: Path) -> None:
        state = tmp_path / "state"  # below a folder of pytest that is private to root
        first = Postgres(state, free_port(), fast=True)
        first.start()
        first.ensure_database("old")
        first.stop()
        shutil.rmtree(state)
        second = Postgres(state, free_port(), fast=True)
        second.start()
        try:
            connection = await asyncpg.connect(second.dsn())
            assert not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = 'old'")
            await connection.close()
        finally:
            second.forget()


class TestLife:
    @pytest.mark.parametrize("kind", ["machine", "wheel"])
    async def test_data_outlive_a_restart(self, tmp_path: Path, kind: str) -> None:
        state = tmp_path / "state"
        if kind == "machine" and not binaries._found("machine"):
            not_tested("with the machine's own PostgreSQL: there is none")
        first = Postgres(state, free_port(), kind, fast=True)
        first.start()
        urls = first.ensure_database("visit_api")
        connection = await asyncpg.connect(urls.migration)
        await connection.execute("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('济南')")
        await connection.close()
        first.stop()
        first.stop()
        second = Postgres(state, free_port(), "auto", fast=True)
        second.start()
        try:
            assert binaries_running(state) == binaries._found(kind)[-1].folder  # type: ignore[arg-type]
            connection = await asyncpg.connect(second.dsn("visit_api_service", "visit_api"))
            assert await connection.fetchval("SELECT word FROM kept") == "济南"
            await connection.close()
        finally:
            second.forget()

    async def test_stopping_leaves_no_process(self, postgres: Postgres, state: Path) -> None:
        postgres.start()
        connection = await asyncpg.connect(postgres.dsn())
        data = data_of(state)
        postgres.stop()
        assert cluster._servers_on(data) == []
        assert not postgres.alive
        connection.terminate()

    async def test_it_starts_after_a_kill(self, postgres: Postgres, state: Path) -> None:
        postgres.start()
        os.kill(postmaster(data_of(state)), signal.SIGKILL)
        await eventually(lambda: not postgres.alive)
        postgres.start()
        assert await refusal(postgres.dsn()) == ""

    async def test_a_server_left_running_is_replaced(self, postgres: Postgres, state: Path) -> None:
        postgres.start()
        left = postmaster(data_of(state))
        again = Postgres(state, postgres.port, fast=True)
        again.start()
        try:
            assert processes.started_at(left) is None
            assert await refusal(again.dsn()) == ""
        finally:
            again.stop()

    async def test_a_stranger_with_the_pid_of_the_dead_server_is_left_alone(
        self, postgres: Postgres, state: Path
    ) -> None:
        postgres.start()
        data = data_of(state)
        stale = (data / "postmaster.pid").read_text()
        postgres.stop()
        owner = data.stat()
        stranger = subprocess.Popen(["sleep", "60"], user=owner.st_uid)
        try:
            (data / "postmaster.pid").write_text(stale.replace(stale.split()[0], str(stranger.pid), 1))
            postgres.start()
            assert await refusal(postgres.dsn()) == ""
            assert stranger.poll() is None
        finally:
            stranger.kill()
            stranger.wait()

    async def test_an_interrupted_first_start_is_begun_anew(self, reachable: Path) -> None:
        unfinished = reachable / "state" / "postgres" / "data.unfinished"
        unfinished.mkdir(parents=True)
        (unfinished / "PG_VERSION").write_text("half")
        its = Postgres(reachable / "state", free_port(), fast=True)
        its.start()
        try:
            assert await refusal(its.dsn()) == ""
            assert not unfinished.exists()
        finally:
            its.forget()

    async def test_it_ends_with_the_process_that_started_it(self, postgres: Postgres, state: Path) -> None:
        port = postgres.port
        script = (
            "import sys, pathlib, time; from deploy.local.postgres import Postgres; "
            f"Postgres(pathlib.Path(sys.argv[1]), {port}, fast=True).start(); print('up', flush=True); time.sleep(60)"
        )
        owner = subprocess.Popen(
            [sys.executable, "-c", script, str(state)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(cluster.__file__).parents[2])},
        )
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"up\n"
        data = data_of(state)
        owner.kill()
        owner.communicate()
        await eventually(lambda: not cluster._servers_on(data))


class TestRefusals:
    def test_a_port_in_use_is_named(self, tmp_path: Path, databases: Databases) -> None:
        its = Postgres(tmp_path / "state", databases.server.port, fast=True)
        with pytest.raises(Refused, match=f"Port {databases.server.port} .PostgreSQL. is in use"):
            its.start()
        its.forget()

    def test_a_word_that_is_no_choice(self, state: Path) -> None:
        with pytest.raises(Refused, match="POSTGRES is auto, machine, wheel or a postgresql:// address, not 'mysql'"):
            Postgres(state, 5432, "mysql")

    def test_a_machine_with_an_old_one(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        programs = tmp_path / "old"
        programs.mkdir()
        for name in ("postgres", "initdb"):
            (programs / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) 13.9'\n")
            (programs / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{programs}:/bin")
        monkeypatch.setattr(binaries, "PLACES", ())
        monkeypatch.setattr(shutil, "which", lambda name: None)
        with pytest.raises(Refused, match=r"PostgreSQL 13 in .* is too old: 15 or newer is needed"):
            Postgres(tmp_path / "state", free_port(), "machine").start()
        assert binaries.choose(("machine", "wheel"), None, lambda: tmp_path, None).kind == "wheel"

    def test_data_of_a_version_that_is_gone(self, postgres: Postgres, state: Path) -> None:
        version = data_of(state) / "PG_VERSION"
        true = version.read_text()
        version.write_text("14\n")
        try:
            with pytest.raises(Refused, match=r"made by PostgreSQL 14 .* bring it back, or forget the data"):
                postgres.start()
        finally:
            version.write_text(true)

    def test_a_password_that_belongs_to_other_data(self, postgres: Postgres, state: Path) -> None:
        kept = (state / "postgres.passwords.json").rename(state / "kept")
        try:
            with pytest.raises(Refused, match="does not know the password kept in"):
                postgres.start()
            assert cluster._servers_on(data_of(state)) == []
        finally:
            kept.rename(state / "postgres.passwords.json")

    @as_root
    def test_a_disk_without_room(self, reachable: Path) -> None:
        small = reachable / "small"
        small.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", small], check=False).returncode:
            not_tested("on a full disk: this machine lets nobody mount a small one")
        its = Postgres(small / "state", free_port(), fast=True)
        try:
            with pytest.raises(Refused, match=r"could not make its data.*No space left on device"):
                its.start()
        finally:
            its.forget()
            subprocess.run(["umount", small], check=True)


def binaries_running(state: Path) -> Path:
    """The folder whose programs serve the state now."""
    return Path(f"/proc/{postmaster(data_of(state))}/exe").readlink().parent
