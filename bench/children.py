"""Processes that a row starts beside itself: services as they are deployed, and the load client."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from bench.ground import Ground, free_ports
from bench.load import Answers, Load
from deploy.local import files, processes
from deploy.local.keeper import STEPS, Keeper
from deploy.local.processes import LOOPBACK, last_lines
from deploy.local.services import AUDIENCE, ISSUER, base_environment
from deploy.local.settings import ROOT

READY_SECONDS = 30.0


@contextmanager
def child(command: Sequence[str], env: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that lives as long as the block; what it says goes to `log`."""
    with files.open_log(log) as output:
        process = processes.spawn(command, log=output, env={**base_environment(), **env}, cwd=ROOT)
    try:
        yield process
    finally:
        processes.stop_child(process, STEPS)


class Part:
    """One process of a service on the run's servers: `python -m bench.serve SERVICE …`, once `start` was entered."""

    def __init__(self, ground: Ground, service: str, *arguments: str) -> None:
        self.service, self.port = service, free_ports(1)
        self.log = ground.folder / f"{service}-{self.port}.log"
        self._command = [sys.executable, "-m", "bench.serve", service, *arguments]
        self._env: Mapping[str, str] = {}

    async def prepared(self, ground: Ground, bus: Literal["embedded", "kafka"] = "embedded", **besides: str) -> "Part":
        """Finds out what it is started with; `besides` are settings of its own."""
        own = {f"{self.service.upper()}_{name}": value for name, value in besides.items()}
        self._env = await settings(ground, self.service, self.port, bus) | own
        return self

    @contextmanager
    def running(self) -> Iterator["Part"]:
        """The process, for the length of the block."""
        with child(self._command, self._env, self.log):
            yield self

    async def ready(self) -> None:
        """Waits until it answers that it is."""
        keeper = Keeper(self.service, self.port, [], {}, self.log, self.log.with_suffix(".pid"))
        for _ in range(int(READY_SECONDS / 0.1)):
            if (problem := await asyncio.to_thread(keeper.ready)) is None:
                return
            await asyncio.sleep(0.1)
        raise RuntimeError(f"{self.service} is not ready: {problem}; it said:\n{last_lines(self.log)}")


async def settings(ground: Ground, service: str, port: int, bus: Literal["embedded", "kafka"]) -> dict[str, str]:
    """The environment a service is started with on the run's servers."""
    values = {
        "DATABASE_URL": (await ground.database(service)).service,
        "PORT": str(port),
        "BUS": bus,
        "BUS_DATABASE_URL": (await ground.database("bus")).service,
        "AUTH_ISSUER": ISSUER,
        "AUTH_AUDIENCE": AUDIENCE,
        "AUTH_JWKS": str(ground.issuer().jwks),
        "VAULT_KEYS": str(ground.vault_keys()),
        "VISIT_API_URL": f"http://{LOOPBACK}:1",
    }
    if bus == "kafka":
        values |= {"KAFKA_BOOTSTRAP_SERVERS": ground.kafka(), "KAFKA_REPLICATION": "1"}
    return {f"{service.upper()}_{name}": value for name, value in values.items()}


async def answers_to(load: Load) -> Answers:
    """Has the load client do its work in its own process."""
    client = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bench.load"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=base_environment(),
        cwd=ROOT,
    )
    try:
        async with asyncio.timeout(load.seconds + READY_SECONDS):
            told, _ = await client.communicate(msgspec.msgpack.encode(load))
    except BaseException:
        client.kill()
        raise
    answers = msgspec.json.decode(told, type=Answers)
    if answers.by_status.keys() != {201}:
        raise RuntimeError(f"not every request was answered with 201: {answers.by_status}")
    return answers
