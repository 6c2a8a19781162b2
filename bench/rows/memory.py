"""P9: the memory of the whole idle stack as `make up` starts it, without PostgreSQL."""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from bench.children import READY_SECONDS, child
from bench.ground import free_ports
from bench.outcome import Goal, Outcome
from bench.row import Row, Run
from deploy.local.processes import last_lines

IDLE_SECONDS = 20.0  # after it was ready; then every loop has come round
STEP = 3.0  # seconds between two readings
FOREIGN = ("postgres", "java")


async def measure(run: Run) -> Sequence[Outcome]:
    """One line; a reading is the sum of the proportional set sizes of the supervisor and the services."""
    state, log = run.ground.folder / "stack", run.ground.folder / "stack.log"
    port_base = free_ports(10)
    env = {"STATE_DIR": str(state), "PORT_BASE": str(port_base), "POSTGRES": "auto", "BUS": "embedded"}
    with child([sys.executable, "-m", "deploy.local", "up"], env, log) as supervisor:
        run.say("starting the stack")
        await _until_ready(log, supervisor.pid)
        run.say(f"idle for {IDLE_SECONDS:.0f} s")
        await asyncio.sleep(IDLE_SECONDS)
        readings = []
        for number in range(1, run.rounds + 1):
            its = dict(_sizes(supervisor.pid))
            readings.append(sum(its.values()))
            run.say(f"reading {number}/{run.rounds}: {readings[-1]:.0f} MB")
            await asyncio.sleep(STEP)
    where = "\n".join(f"{size:6.1f} MB  {name}" for name, size in its.items())
    return [Outcome("P9", "idle stack, PSS", "MB", Goal(250, at_least=False), readings, where=where)]


ROW = Row("P9", "memory of the whole idle stack, without PostgreSQL", measure)


async def _until_ready(log: Path, pid: int) -> None:
    deadline = time.monotonic() + 3 * READY_SECONDS
    while "\nready\n" not in log.read_text():
        if not psutil.pid_exists(pid) or time.monotonic() > deadline:
            raise RuntimeError(f"the stack did not become ready; it said:\n{last_lines(log)}")
        await asyncio.sleep(0.2)


def _sizes(supervisor: int) -> list[tuple[str, float]]:
    """Name and proportional set size, in MB, of the supervisor and what it started."""
    top = psutil.Process(supervisor)
    return [
        (" ".join(process.cmdline()[1:])[:60], _pss(process.pid))
        for process in [top, *top.children(recursive=True)]
        if process.name() not in FOREIGN
    ]


def _pss(pid: int) -> float:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    (line,) = [line for line in rollup.splitlines() if line.startswith("Pss:")]
    return int(line.split()[1]) / 1000
