"""The local stack from the outside: what a person at the terminal sees it do, with stand-ins for the services."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from chassis.db import Database
from chassis.vault import DDL, Vault
from chassis.vault.masters import MasterKeys
from deploy.local import cluster, processes
from deploy.local.postgres import Postgres
from deploy.local.settings import ROOT
from deploy.local.state import State
from tests.support.databases import free_port
from tests.support.eventually import eventually
from tests.support.local_stack import FAKE, LocalStack
from tests.support.missing import not_tested

# The stack's command line, with stand-ins for the services, on a disk with so many bytes left.
CROWDED = """
import shutil, sys
shutil.disk_usage = lambda path: shutil._ntuple_diskusage(10**12, 10**12 - {left}, {left})
from tests.support.fake_service import stack
sys.exit(stack(sys.argv[1:]))
"""
SERVICES = ("visit_api", "appeal_tracker", "notifier")
SETTING = {"VISIT_API_LOG_LEVEL": "DEBUG"}  # which is a service's own


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A state that has been up once; the tests below start, kill and stop it."""
    with LocalStack(tmp_path_factory.mktemp("a stack") / "its state", FAKE) as stack:
        stack.up()
        stack.first_output = list(stack.output)
        stack.first_answers = [stack.curl(), stack.curl()]
        assert stack.stop() == 0
        yield stack
        if stack.running:
            assert stack.stop() == 0
    assert stack.run("reset").returncode == 0


@pytest.fixture
def stack(made: LocalStack) -> LocalStack:
    """The same, not running."""
    if made.running:
        made.stop()
    return made


@pytest.fixture
def running(made: LocalStack) -> LocalStack:
    """The same, running since whoever asked for that first."""
    if not made.running:
        made.up(**SETTING)
    return made


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[LocalStack]:
    """A state nothing has lived in yet."""
    with LocalStack(tmp_path / "state", FAKE) as its:
        yield its
    if its.state_dir.exists() and (its.state_dir / "state.json").exists():
        its.run("reset")


async def seal(dsn: str, keys: Path) -> None:
    """What a real service does with its first text: a data key, wrapped by its master key."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(DDL)
    await connection.execute(
        "INSERT INTO data_keys (id, owner, purpose, master_key, wrapped) VALUES ($1, $2, $3, $4, $5)",
        *Vault(Database(dsn), keys).new_row("", "searching"),
    )
    await connection.close()


def answer(url: str) -> bool:
    with urllib.request.urlopen(url, timeout=2) as got:
        return bool(got.status == 200)


def free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


class TestUp:
    def test_it_says_where_everything_is_and_then_ready(self, made: LocalStack) -> None:
        said = made.first_output
        for name in SERVICES:
            assert any(made.url(name, "/docs") in line for line in said)
        assert said[-1] == "ready"
        assert [line for line in said if line.startswith("eyJ")]

    def test_the_curl_it_prints_works_when_pasted(self, made: LocalStack) -> None:
        assert [json.loads(one) for one in made.first_answers] == [{"code": "37401", "name": "济南供电公司"}] * 2

    def test_a_later_start_is_quick_and_its_curl_still_works(self, stack: LocalStack) -> None:
        assert stack.up(**SETTING) < 10
        assert json.loads(stack.curl()) == {"items": []}

    def test_each_service_is_given_its_surroundings(self, running: LocalStack) -> None:
        for name in SERVICES:
            with urllib.request.urlopen(running.url(name, "/environment")) as got:
                env = json.load(got)
            prefix = name.upper()
            given = {key.removeprefix(f"{prefix}_"): value for key, value in env.items() if key.startswith(prefix)}
            assert given["STACK"] == "local"
            assert given["BUS"] == "embedded"
            assert f"//{name}_service:" in given["DATABASE_URL"]
            assert "//bus_service:" in given["BUS_DATABASE_URL"]
            assert Path(given["AUTH_JWKS"]).is_file()
            assert Path(given["SERVICE_TOKEN_FILE"]).read_text().startswith("eyJ")
            masters = Path(given["VAULT_KEYS"])
            assert (masters.stat().st_mode & 0o777, MasterKeys(masters).read().name) == (0o600, "first")
            assert "CLOCK_FILE" not in given
            assert "migrator" not in json.dumps(env), "a running service has no business with the tables' owner"
        assert SETTING.items() <= env.items()
        assert env["NOTIFIER_VISIT_API_URL"] == running.url("visit_api")
        assert env["NOTIFIER_APPEAL_TRACKER_URL"] == running.url("appeal_tracker")

    def test_a_second_start_of_the_same_stack(self, running: LocalStack) -> None:
        second = LocalStack(running.state_dir, FAKE, port_base=running.port_base)
        second.launch()
        assert second.wait() == 1
        assert f"This stack is running already (process {running.pid}" in second.output[0]
        assert answer(running.url("visit_api", "/readyz"))

    async def test_old_tokens_are_made_anew_while_it_runs(self, running: LocalStack) -> None:
        file = State(running.state_dir).token("notifier")
        before = file.read_text()
        old = time.time() - 3601
        os.utime(State(running.state_dir).token("admin"), (old, old))
        await eventually(lambda: file.read_text() != before)

    async def test_a_start_with_other_code_migrates_what_was_stored(self, stack: LocalStack) -> None:
        state = State(stack.state_dir)
        state.remember("migrated", {**state.recall("migrated"), "code": "an earlier version's"})
        stack.up()
        stack.stop()
        stack.up()
        postgres = Postgres(stack.state_dir, stack.port_base + 7)
        for name in (*SERVICES, "bus"):
            connection = await asyncpg.connect(postgres.dsn(f"{name}_service", name))
            assert await connection.fetchval("SELECT count(*) FROM migrated") == 2
            await connection.close()

    async def test_a_given_server_is_used_and_stays(self, fresh: LocalStack, tmp_path: Path) -> None:
        server = Postgres(tmp_path / "given", free_port(), fast=True)
        server.start()
        try:
            fresh.up(POSTGRES=server.dsn())
            assert not (fresh.state_dir / "postgres").exists()
            assert fresh.stop() == 0
            connection = await asyncpg.connect(server.dsn())
            assert await connection.fetchval("SELECT 1") == 1
            await connection.close()
            keys = {path: path.read_text() for path in (fresh.state_dir / "auth").glob("*.vault")}
            assert len(keys) == len(SERVICES)
            assert f"but for what its databases need: {fresh.state_dir}/auth\n" in fresh.run("reset").stdout
            assert {path: path.read_text() for path in keys} == keys, "or what stays there could never be read again"
            State(fresh.state_dir).open()  # and what is left is taken for a state
            await seal(server.dsn(database="notifier"), State(fresh.state_dir).vault("notifier"))
            with LocalStack(tmp_path / "stranger", FAKE) as stranger:
                refused = stranger.refused(POSTGRES=server.dsn())
                assert "The database notifier is sealed with other master keys" in refused
                assert len(refused.splitlines()) == 1
                assert not State(stranger.state_dir).has_keys, "and made none that its own would have to be told from"
        finally:
            server.forget()


class TestStop:
    @pytest.mark.parametrize(
        "sent",
        [signal.SIGTERM, *(pytest.param(one, marks=pytest.mark.long) for one in (signal.SIGINT, signal.SIGHUP))],
    )
    def test_a_signal_stops_everything(self, stack: LocalStack, sent: signal.Signals) -> None:
        stack.up()
        ran = stack.processes()
        assert len(ran) > 5
        assert stack.stop(sent) == 0
        assert stack.processes() == []
        assert not [pid for pid in ran if processes.started_at(pid)]
        assert all(free(stack.port_base + offset) for offset in (1, 2, 3, 7))

    def test_ctrl_c_reaches_the_supervisor_alone(self, stack: LocalStack) -> None:
        stack.up()
        assert stack.interrupt() == 0
        assert stack.output[-1] == "stopped"
        log = (stack.state_dir / "logs" / "postgres.log").read_text()
        assert log.rindex("received fast shutdown request") < log.rindex("database system is shut down")
        assert stack.processes() == []

    def test_a_signal_while_it_starts_stops_it_too(self, stack: LocalStack) -> None:
        for seconds in (0.3, 0.8, 1.3):
            stack.launch()
            time.sleep(seconds)  # wherever the start then is
            assert stack.stop() in (0, -signal.SIGTERM)
            assert stack.processes() == []

    def test_down_stops_a_stack_that_runs(self, stack: LocalStack) -> None:
        stack.up()
        assert stack.run("down").stdout == "stopped\n"
        assert stack.wait() == 0
        assert stack.processes() == []
        assert stack.run("down").stdout == "nothing was running\n"

    def test_it_stops_when_the_make_that_started_it_is_killed(self, stack: LocalStack, tmp_path: Path) -> None:
        command = " ".join(f"'{part}'" for part in [*FAKE, "up"])
        (tmp_path / "Makefile").write_text(f"up:\n\t@exec {command}\n")
        env = stack.environment()
        maker = subprocess.Popen(
            ["make", "-f", tmp_path / "Makefile", "up"], env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert maker.stdout is not None
        for line in maker.stdout:
            if line == "ready\n":
                break
        maker.kill()
        rest, _ = maker.communicate(timeout=30)
        assert rest == "stopped\n"


class TestDeath:
    async def test_after_a_kill_the_next_start_cleans_up(self, stack: LocalStack) -> None:
        stack.up()
        before = stack.processes()
        stack.stop(signal.SIGKILL)
        stack.up()
        assert not set(before) & set(stack.processes())
        assert stack.stop() == 0

    async def test_after_a_kill_down_stops_what_is_left(self, stack: LocalStack) -> None:
        # One that did not notice the death of its supervisor, as it may be where the kernel does not tell it.
        left = subprocess.Popen(["sleep", "60"])
        processes.PidFile(stack.state_dir / "run" / "notifier.pid").write(left.pid)
        assert stack.run("down").stdout == "stopped\n"
        assert left.wait(5) == -signal.SIGTERM
        assert stack.run("down").stdout == "nothing was running\n"

    async def test_a_stranger_with_the_pid_of_a_dead_service_is_left_alone(self, stack: LocalStack) -> None:
        stranger = subprocess.Popen(["sleep", "60"])
        try:
            kept = {"pid": stranger.pid, "started_at": "another time"}
            (stack.state_dir / "run" / "visit_api.pid").write_text(json.dumps(kept))
            (stack.state_dir / "run" / "supervisor.pid").write_text(json.dumps(kept))
            stack.up()
            assert stack.stop() == 0
            assert stack.run("down").returncode == 0
            assert stranger.poll() is None
        finally:
            stranger.kill()
            stranger.wait()

    async def test_a_dead_service_is_back_within_two_seconds_every_time(self, stack: LocalStack) -> None:
        stack.up()
        for _ in range(5):
            victim = stack.child("appeal_tracker")
            assert victim is not None
            os.kill(victim, signal.SIGKILL)
            began = time.monotonic()
            await eventually(lambda was=victim: stack.child("appeal_tracker") not in (None, was))  # type: ignore[misc]
            assert time.monotonic() - began < 2
            await eventually(lambda: answer(stack.url("appeal_tracker", "/readyz")))
        assert stack.stop() == 0
        assert stack.output.count("appeal_tracker was killed (SIGKILL); starting it again") == 5

    async def test_it_goes_on_when_nobody_listens_to_it_any_more(self, stack: LocalStack) -> None:
        stack.up()
        stack.hang_up()
        victim = stack.child("notifier")
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        await eventually(lambda: stack.child("notifier") not in (None, victim))
        await eventually(lambda: answer(stack.url("notifier", "/readyz")))
        assert stack.stop() == 0

    async def test_a_dead_database_server_is_started_again(self, stack: LocalStack) -> None:
        stack.up()
        postgres = Postgres(stack.state_dir, stack.port_base + 7)
        [server] = [pid for pid in stack.processes() if _is_postmaster(pid)]
        os.kill(server, signal.SIGKILL)

        async def works() -> bool:
            try:
                connection = await asyncpg.connect(postgres.dsn("visit_api_service", "visit_api"))
            except (OSError, asyncpg.PostgresError):
                return False
            await connection.close()
            return True

        await eventually(works, within=20)
        assert stack.stop() == 0


class TestRefusals:
    """One clear sentence, exit code 1, and nothing left running (`refused` checks those two)."""

    def test_a_setting_that_cannot_be(self, stack: LocalStack) -> None:
        assert stack.refused(BUS="rabbit") == "BUS is embedded or kafka, not 'rabbit'."

    def test_nobody_is_there_to_ask_where_nothing_runs(self, stack: LocalStack) -> None:
        assert stack.run("dlq").stderr == "The stack is not running: `make up` starts it.\n"

    def test_a_state_that_lived_in_real_time_goes_on_so(self, stack: LocalStack) -> None:
        assert "This state lives in real time" in stack.refused(CLOCK_START="2026-10-09T08:00:00+08:00")

    def test_a_port_in_use(self, stack: LocalStack) -> None:
        for offset, owner in ((2, "appeal_tracker"), (7, "PostgreSQL")):
            with socket.socket() as taken:
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                taken.bind(("127.0.0.1", stack.port_base + offset))
                taken.listen()
                said = f"Port {stack.port_base + offset} ({owner}) is in use: free it, or choose another PORT_BASE."
                assert stack.refused() == said

    def test_a_service_that_cannot_start(self, stack: LocalStack) -> None:
        said = stack.refused(FAKE_CRASH="notifier")
        assert "notifier ended with exit code 1 3 times without ever being ready; the end of " in said
        assert said.endswith("this service cannot start")

    def test_a_migration_that_fails(self, stack: LocalStack) -> None:
        State(stack.state_dir).remember("migrated", None)
        said = stack.refused(FAKE_BAD_MIGRATION="appeal_tracker")
        assert re.match(r"Migrating appeal_tracker failed; the end of .*:\n", said)
        assert said.endswith("this migration cannot be done")

    @pytest.mark.long
    @pytest.mark.timeout(240)
    def test_a_service_that_is_never_ready(self, stack: LocalStack) -> None:
        said = stack.refused(FAKE_UNREADY="visit_api")
        assert 'visit_api is not ready after 90 seconds, it says: 503 {"ready": false}' in said

    def test_a_folder_that_cannot_be_written(self, tmp_path: Path) -> None:
        place = Path("/proc/1/state") if os.geteuid() == 0 else tmp_path / "closed" / "state"
        if os.geteuid() != 0:
            place.parent.mkdir(mode=0o500)
        said = LocalStack(place, FAKE).refused()
        assert re.fullmatch(rf"STATE_DIR {place} cannot be used \(\w.*\): choose another one\.", said)

    def test_a_folder_that_holds_something_else(self, tmp_path: Path) -> None:
        (tmp_path / "diary.txt").write_text("dear diary")
        stack = LocalStack(tmp_path, FAKE)
        assert stack.refused() == f"{tmp_path} holds something else (diary.txt): choose another STATE_DIR."
        assert stack.run("reset").returncode == 1
        assert (tmp_path / "diary.txt").exists()

    def test_a_disk_with_too_little_room(self, stack: LocalStack, tmp_path: Path) -> None:
        for left, needed, place in ((249, 250, tmp_path / "new"), (49, 50, stack.state_dir)):
            crowded = (sys.executable, "-c", CROWDED.format(left=left * 1_000_000))
            its = LocalStack(place, crowded, port_base=stack.port_base)
            said = f"The disk of {place} has {left} MB left, {needed} MB are needed: make room on it."
            assert its.refused() == said
        assert list((tmp_path / "new").iterdir()) == [], "the next start finds no half a state"
        enough = (sys.executable, "-c", CROWDED.format(left=50_000_000))
        with LocalStack(stack.state_dir, enough, port_base=stack.port_base) as its:
            its.up()

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk")
    def test_a_full_disk(self, tmp_path: Path) -> None:
        small = tmp_path / "small"
        small.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "none", small], check=False).returncode:
            not_tested("on a full disk: this machine lets nobody mount a small one")
        try:
            said = LocalStack(small / "state", FAKE).refused()
            assert re.fullmatch(r"The disk of .*state has \d+ MB left, 250 MB are needed: make room on it\.", said)
        finally:
            subprocess.run(["umount", small], check=True)


class TestSideBySide:
    def test_two_stacks_know_nothing_of_each_other_and_a_reset_forgets_one(
        self, running: LocalStack, fresh: LocalStack
    ) -> None:
        fresh.up()
        assert answer(running.url("visit_api", "/readyz"))
        assert answer(fresh.url("visit_api", "/readyz"))
        (fresh.state_dir / "cache").mkdir()
        assert fresh.run("reset").stdout == f"forgotten: {fresh.state_dir}\n", "and is stopped first"
        assert fresh.wait() == 0
        assert fresh.processes() == []
        assert [path.name for path in fresh.state_dir.iterdir()] == ["cache"]  # what was fetched is no state
        assert not cluster.elsewhere(fresh.state_dir).exists()
        assert answer(running.url("visit_api", "/readyz"))


class TestWords:
    def test_the_dead_letters_are_asked_as_each_service(self, running: LocalStack) -> None:
        ports = [f"{name}:\n{name} ['list'] on port {running.port_base + n}" for n, name in enumerate(SERVICES, 1)]
        assert running.run("dlq").stdout.splitlines() == "\n".join(ports).splitlines()
        said = running.run("dlq", SERVICE="notifier", DO="replay", KEY="a key").stdout
        assert "notifier ['replay', '--key', 'a key']" in said
        assert "visit_api" not in said
        assert "There is no service 'x'" in running.run("dlq", SERVICE="x").stderr
        everywhere = running.run("dlq", DO="drop", PLACE="visit.events/0/0")
        assert (everywhere.returncode, everywhere.stdout) == (1, ""), "one group's letter is not another's"
        assert everywhere.stderr.startswith("SERVICE is missing")

    def test_what_was_not_looked_at_is_not_whole(self, running: LocalStack) -> None:
        for code in (0, 3, 1):
            assert running.run("verify", FAKE_VERIFIED=str(code)).returncode == code
        for word in ("verify", "dlq"):
            assert [running.run(word, FAKE_KILLED=name).returncode for name in SERVICES[:2]] == [137, 137]

    def test_each_service_that_chains_is_verified_and_one_against_a_backup(self, running: LocalStack) -> None:
        both = ["visit_api:", f"visit_api [] on port {running.port_base + 1}"]
        both += ["appeal_tracker:", f"appeal_tracker [] on port {running.port_base + 2}"]
        assert running.run("verify").stdout.splitlines() == both
        backup = {"AGAINST": "postgresql://other/backup", "FILES": "/mnt/backup"}
        for service in ("visit_api", "appeal_tracker"):
            said = running.run("verify", **backup, SERVICE=service).stdout
            words = f"{service} ['--against', 'postgresql://other/backup', '--files', '/mnt/backup']"
            assert (words in said, len(said.splitlines())) == (True, 2)
        for option in ("AGAINST", "SAVE"):
            alone = running.run("verify", **{option: "heads.json"})
            assert (alone.returncode, alone.stdout) == (1, "")
            assert alone.stderr.startswith("SERVICE is missing")
        assert "'notifier' chains nothing" in running.run("verify", SERVICE="notifier").stderr

    def test_the_console_consumer_needs_kafka(self, running: LocalStack) -> None:
        assert "embedded bus: `make up BUS=kafka`" in running.run("kafka-console", TOPIC="visit.events").stderr

    def test_an_unknown_word_shows_the_known_ones(self, made: LocalStack) -> None:
        done = made.run("upp")
        assert done.returncode == 2
        assert done.stderr.startswith("usage: python -m deploy.local up|down|reset|token")


def _is_postmaster(pid: int) -> bool:
    status = (processes.PROC / str(pid) / "status").read_text()
    parent = int(re.search(r"PPid:\t(\d+)", status)[1])  # type: ignore[index]
    return "Name:\tpostgres" in status and (processes.PROC / str(parent) / "comm").read_text() != "postgres\n"
