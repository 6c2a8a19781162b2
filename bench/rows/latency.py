"""P4: from an event to its committed clocks, at a steady rate, beside an echo that commits one row."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import median

import msgspec

from bench.children import READY_SECONDS, settings
from bench.events import AT, raised
from bench.ground import PLUMBING, Ground
from bench.measure import interleave, quantile
from bench.outcome import Goal, Outcome
from bench.row import Row, Run
from bench.tracker import BUSES, SERVICE, TOPIC, WRITTEN, BusName, records, tracker
from chassis.db import Database
from chassis.messaging.bus import Bus
from chassis.messaging.outbox import Outbox
from chassis.messaging.relay import Relay
from deploy.local.services import base_environment
from deploy.local.settings import ROOT

RATE = 500  # events a second
SECONDS = 4
SKIPPED = RATE  # events of the first second, in which a hearer finds its pace
ECHO = "echo, one commit"

Send = Callable[[int], Awaitable[list[str]]]  # so many events; their ids


@dataclass
class Seen:
    """What one round showed, in milliseconds: from an event to its commit, and the part before it was heard."""

    total: list[float] = field(default_factory=list)
    heard: list[float] = field(default_factory=list)


async def measure(run: Run) -> Sequence[Outcome]:
    """Two lines, one for each bus."""
    return [await _on(run, bus) for bus in BUSES]


ROW = Row("P4", f"event → clocks at {RATE} events/s", measure)


async def _on(run: Run, bus: BusName) -> Outcome:
    ground = run.ground
    await ground.clear_bus(TOPIC.name)
    await ground.database(SERVICE)
    await ground.clear(SERVICE, *WRITTEN)
    await ground.clear(PLUMBING, "inbox", "outbox")
    environment = await settings(ground, SERVICE, 1, bus)
    environment["ECHO_DATABASE_URL"] = (await ground.database(PLUMBING)).service
    rounds: dict[str, list[Seen]] = {"tracker": [], "echo": [], "relayed": []}
    async with tracker(environment) as runtime, _relayed(ground, runtime.bus) as relayed:

        async def side(name: str, hearer: str, send: Send) -> float:
            seen = await _round(environment, hearer, bus, send)
            rounds[name].append(seen)
            return median(seen.total)

        async def published(count: int) -> list[str]:
            its = records(count)
            await runtime.bus.publish(its)
            return [dict(record.headers)["ce_id"].decode() for record in its]

        run.say(BUSES[bus])
        series = await interleave(
            run.say,
            "ms",
            run.rounds,
            {
                "ours": lambda: side("tracker", "tracker", published),
                ECHO: lambda: side("echo", "echo", published),
                "ours through the relay": lambda: side("relayed", "tracker", relayed),
            },
        )
    work, goal = f"event → clocks, {BUSES[bus]}, p50", Goal(2.5, at_least=False)
    return Outcome("P4", work, "ms", goal, series["ours"], ECHO, series[ECHO], _notes(rounds), _where(rounds))


def _notes(rounds: dict[str, list[Seen]]) -> list[str]:
    names = {"tracker": "ours", "echo": "echo", "relayed": "from the outbox, through the relay"}
    told = []
    for name, seen in rounds.items():
        total = [value for each in seen[1:] for value in each.total]
        told.append(f"{names[name]}: p50 {quantile(total, 0.5):.1f} ms, p99 {quantile(total, 0.99):.1f} ms")
    return ["; ".join(told)]


def _where(rounds: dict[str, list[Seen]]) -> str:
    lines = []
    for name, seen in rounds.items():
        heard = quantile([value for each in seen[1:] for value in each.heard], 0.5)
        total = quantile([value for each in seen[1:] for value in each.total], 0.5)
        lines.append(f"{name:8} p50: until heard {heard:6.2f} ms, then until committed {total - heard:6.2f} ms")
    return "\n".join(lines)


async def _round(environment: dict[str, str], hearer: str, bus: str, send: Send) -> Seen:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bench.hear", hearer, bus),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**base_environment(), **environment},
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_SECONDS + SECONDS):
            if await process.stdout.readline() != b"ready\n":
                raise RuntimeError(f"the hearer {hearer} ended before it was ready")
        sent = await _steadily(send)
        async with asyncio.timeout(READY_SECONDS):
            told, _ = await process.communicate(b"")  # which ends its input
    except BaseException:
        process.kill()
        raise
    stamps = msgspec.json.decode(told, type=dict[str, tuple[float, float]])
    if missing := sent.keys() - stamps.keys():
        raise RuntimeError(f"the hearer {hearer} missed {len(missing)} of {len(sent)} events")
    kept = list(sent.items())[SKIPPED:]
    return Seen(
        [(stamps[id_][1] - at) * 1000 for id_, at in kept],
        [(stamps[id_][0] - at) * 1000 for id_, at in kept],
    )


async def _steadily(send: Send) -> dict[str, float]:
    """Sends at the rate; when each was due, by id. Those that fell due while others were being sent go together."""
    sent: dict[str, float] = {}
    start = time.monotonic()
    while (count := len(sent)) < RATE * SECONDS:
        await asyncio.sleep(max(0.0, start + count / RATE - time.monotonic()))
        due = range(count, min(int((time.monotonic() - start) * RATE) + 1, RATE * SECONDS))
        ids = await send(len(due))
        sent.update({id_: start + number / RATE for id_, number in zip(ids, due, strict=True)})
    return sent


@asynccontextmanager
async def _relayed(ground: Ground, bus: Bus) -> AsyncIterator[Send]:
    """Sends by committing to an outbox, which a relay drains as in a service."""
    db = Database((await ground.database(PLUMBING)).service, pool_size=10, name="bench")
    relay = Relay("bench", db, bus, [TOPIC.name])
    outbox = Outbox("/visit_api", relay.wake)

    async def send(count: int) -> list[str]:
        async with db.transaction() as tx:
            return [str(id_) for id_ in await outbox.append(tx, [raised() for _ in range(count)], at=AT)]

    relay.start()
    try:
        yield send
    finally:
        await relay.stop()
        await db.close()
