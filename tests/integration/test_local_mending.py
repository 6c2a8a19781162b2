"""What fails while the stack runs is said once and tried again; the services go on, and are tended, meanwhile."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import cluster, processes
from deploy.local import keeper as module
from deploy.local.keeper import Keeper
from deploy.local.settings import Settings
from deploy.local.signals import Signals
from deploy.local.state import ADMIN, State
from deploy.local.supervisor import Supervisor
from tests.support.eventually import eventually
from tests.support.local_stack import FAKE, LocalStack

SERVICES = ("visit_api", "appeal_tracker", "notifier")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with LocalStack(tmp_path_factory.mktemp("mending") / "state", FAKE) as its:
        its.up()
        yield its
        assert its.stop() == 0
        assert its.run("reset").returncode == 0


@pytest.fixture
def stack(made: LocalStack) -> Iterator[LocalStack]:
    """A stack that runs, with stand-ins for the services."""
    yield made
    assert made.running, "it goes on whatever happened"


def let_tokens_be_old(state: State) -> None:
    old = time.time() - 3601
    os.utime(state.token(ADMIN), (old, old))


async def back_within_two_seconds(stack: LocalStack, name: str) -> None:
    victim = stack.child(name)
    assert victim is not None
    os.kill(victim, signal.SIGKILL)
    began = time.monotonic()
    await eventually(lambda: stack.child(name) not in (None, victim), within=20)
    assert time.monotonic() - began < 2


async def test_tokens_that_cannot_be_made_anew_are_tried_again(stack: LocalStack) -> None:
    state = State(stack.state_dir)
    token, said = state.token("notifier"), state.logs / "prepare.log"
    ran = {name: stack.child(name) for name in SERVICES}

    async def attempt() -> None:
        before = said.stat().st_mtime_ns if said.exists() else 0
        await eventually(lambda: said.exists() and said.stat().st_mtime_ns != before and said.read_text(), within=20)

    before = token.read_text()
    token.unlink()
    token.mkdir()  # what cannot be replaced, for whatever reason
    let_tokens_be_old(state)
    await attempt()
    await attempt()
    token.rmdir()
    await eventually(lambda: token.exists() and token.read_text() not in ("", before), within=20)
    await eventually(lambda: time.time() - state.token(ADMIN).stat().st_mtime < 60)
    assert {name: stack.child(name) for name in SERVICES} == ran
    assert stack.stop() == 0
    failures = [line for line in stack.output if "making the tokens anew" in line]
    assert len(failures) == 1, stack.output
    assert failures[0].startswith("This failed and is tried again until it succeeds: making the tokens anew. ")
    assert "Is a directory" in failures[0]
    stack.up()


async def test_services_are_tended_while_the_tokens_are_made(stack: LocalStack) -> None:
    state = State(stack.state_dir)
    key = state.auth / "key.jwk"
    secret = key.read_text()
    key.unlink()
    os.mkfifo(key)  # whoever makes tokens now waits for the key
    let_tokens_be_old(state)
    working = await eventually(lambda: makes_tokens(stack))
    await back_within_two_seconds(stack, "appeal_tracker")
    await back_within_two_seconds(stack, "visit_api")
    assert makes_tokens(stack) == working, "all the while"
    key.write_text(secret)
    key.unlink()
    key.write_text(secret)
    await eventually(lambda: time.time() - state.token(ADMIN).stat().st_mtime < 60)


def makes_tokens(stack: LocalStack) -> list[int]:
    """The process that makes the tokens anew, if it runs."""
    return [
        pid for pid in stack.processes() if (processes.PROC / str(pid) / "cmdline").read_bytes().endswith(b"\0tokens\0")
    ]


@pytest.mark.long
@pytest.mark.kafka
@pytest.mark.usefixtures("kafka")  # says why it is skipped, and has the jars fetched
async def test_services_are_tended_while_kafka_is_started_again(tmp_path: Path) -> None:
    with LocalStack(tmp_path / "state", FAKE, BUS="kafka") as stack:
        stack.up()
        file = processes.PidFile(stack.state_dir / "kafka" / "broker.pid")
        first = file.pid()
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: file.pid() not in (None, first))
        broker = file.pid()
        assert broker is not None
        os.kill(broker, signal.SIGSTOP)  # it takes as long as we like
        await back_within_two_seconds(stack, "notifier")
        await back_within_two_seconds(stack, "appeal_tracker")
        os.kill(broker, signal.SIGCONT)
        assert stack.stop() == 0
        assert stack.output.count("Kafka died; starting it again") == 1
        assert stack.run("reset").returncode == 0


@pytest.mark.long
async def test_a_server_that_cannot_be_started_again_is_tried_again(stack: LocalStack) -> None:
    data = stack.state_dir / "postgres" / "data"
    if not data.exists():
        data = cluster.elsewhere(stack.state_dir) / "data"
    server = int((data / "postmaster.pid").read_text().split()[0])
    (data / "global" / "pg_control").rename(data / "pg_control.away")
    os.kill(server, signal.SIGKILL)
    log = stack.state_dir / "logs" / "postgres.log"
    starts = log.read_text().count("ready to accept connections")
    await eventually(lambda: log.read_text().count("pg_control") >= 2, within=30)
    assert stack.running
    await back_within_two_seconds(stack, "notifier")
    (data / "pg_control.away").rename(data / "global" / "pg_control")
    await eventually(lambda: log.read_text().count("ready to accept connections") > starts, within=30)
    assert stack.stop() == 0
    assert len([line for line in stack.output if "PostgreSQL did" in line]) == 1, stack.output
    assert stack.output.count("PostgreSQL died; starting it again") == 1
    stack.up()


class TestFullDisk:
    """A moment of it, in the supervisor's own process."""

    def test_what_it_says_is_told_later(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        supervisor = Supervisor(Settings(tmp_path), Signals())
        with Path("/dev/full").open("w") as full, monkeypatch.context() as patched:
            patched.setattr("sys.stdout", full)
            supervisor.say("a service died")
            heard = tmp_path / "heard"
            heard.touch()
            os.dup2(os.open(heard, os.O_WRONLY), full.fileno())  # somebody made room
            supervisor.say("and is back")
        assert heard.read_text() == "a service died\nand is back\n"

    def test_a_start_that_cannot_be_noted_counts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "RESTART_AFTER", 0.0)
        said: list[str] = []
        pid = tmp_path / "pid"
        keeper = Keeper("notifier", 1, ("sh", "-c", "exit 3"), os.environ, tmp_path / "log", pid)
        keeper.start()
        pid.unlink()
        pid.mkdir()
        try:
            with pytest.raises(OSError, match="Is a directory"):
                tend_until(keeper, said, deaths=2)
            tend_until(keeper, said, deaths=2)
        finally:
            pid.rmdir()
            keeper.stop()
        assert said == ["notifier ended with exit code 3; starting it again"] * 2


def tend_until(keeper: Keeper, said: list[str], *, deaths: int) -> None:
    deadline = time.monotonic() + 10
    while len(said) < deaths and time.monotonic() < deadline:
        keeper.tend(said.append)
