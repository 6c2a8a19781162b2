"""P12: messages sent through the webhook channel, beside a bare loop of httpx to the same provider. P13: what is due
claimed out of a million that are queued, beside ten thousand."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import httpx
import msgspec

from bench.events import AT
from bench.measure import Stopwatch, interleave, profiled
from bench.outcome import Goal, Outcome
from bench.row import Row, Run
from bench.sending import SECRET, fresh, give_account, queued
from chassis.runtime import Runtime
from deploy.local.services import base_environment
from notifier.channels.signing import standard_webhook
from notifier.deliveries import claims
from notifier.deliveries.loops import loops
from notifier.deliveries.sender import Sender

MESSAGES = 2000  # a round
AT_ONCE = Sender.Config.batch  # requests of the bare loop: as many as the sender has under way
CLAIMED = 3000  # a round
FEW, MANY = 10_000, 1_000_000
BARE = "httpx alone"


async def sent(run: Run) -> Sequence[Outcome]:
    """One line: claim, sign, send, record and announce, beside the requests alone."""
    await queued(run.ground, "queued_webhook", MESSAGES, "webhook")
    async with _provider() as url:

        async def ours() -> float:
            async with fresh(run.ground, "queued_webhook") as runtime:
                return await _send(runtime, url)

        async def bare() -> float:
            return await _bare(url)

        series = await interleave(run.say, "sends/s", run.rounds, {"ours": ours, BARE: bare})
        made = Outcome("P12", "sent by webhook", "sends/s", Goal(0.7), series["ours"], BARE, series[BARE])
        if made.met:
            return [made]
        async with fresh(run.ground, "queued_webhook") as runtime:
            with profiled() as where:
                await _send(runtime, url)
    return [replace(made, where=where[0])]


async def claimed(run: Run) -> Sequence[Outcome]:
    """One line: claims a second out of many, beside out of few."""

    async def out_of(count: int) -> float:
        await queued(run.ground, f"queued_{count}", count, "mailbox")
        async with fresh(run.ground, f"queued_{count}") as runtime:
            await run.ground.rest()
            return await _claim(runtime)

    few, many = f"out of {FEW:,}", f"out of {MANY:,}"
    sides = {many: lambda: out_of(MANY), few: lambda: out_of(FEW)}
    series = await interleave(run.say, "claims/s", run.rounds, sides)
    return [Outcome("P13", f"claimed {many} queued", "claims/s", Goal(0.85), series[many], few, series[few])]


SENT = Row("P12", "messages sent through the webhook channel", sent)
CLAIMS = Row("P13", f"what is due claimed out of {MANY:,} queued", claimed)


@asynccontextmanager
async def _provider() -> AsyncIterator[str]:
    command = (sys.executable, "-m", "bench.receive")
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, env=base_environment())
    try:
        assert process.stdout is not None
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.wait()


async def _send(runtime: Runtime, url: str) -> float:
    await give_account(runtime, f"{url}/hook")
    senders = [loop for loop in loops(runtime) if isinstance(loop, Sender)]
    sender = next(each for each in senders if each.name.endswith(".webhook"))
    watch = Stopwatch()
    while await sender.run_once():
        pass
    seconds = watch.seconds
    await sender.close()
    async with runtime.db.connection() as connection:
        done = await connection.fetchval("SELECT count(*) FROM deliveries WHERE state = 'delivered'")
    if done != MESSAGES:
        raise RuntimeError(f"{done} of {MESSAGES} were delivered")
    return MESSAGES / seconds


async def _bare(url: str) -> float:
    """Requests that say as much, by the client that everybody uses."""
    words = {
        "recipient": "R1",
        "subject": "已超期：诉求 b0000000000000000000000000000001 — 答复",
        "body": "请尽快处理。" * 8,
    }
    body = msgspec.json.encode({"type": "notification.message", "timestamp": AT, "data": words})

    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=AT_ONCE)) as client:

        async def one() -> None:
            headers = standard_webhook([SECRET], str(uuid4()), AT, body)
            answer = await client.post(f"{url}/hook", content=body, headers=headers)
            answer.raise_for_status()

        watch = Stopwatch()
        for _ in range(0, MESSAGES, AT_ONCE):
            await asyncio.gather(*(one() for _ in range(AT_ONCE)))
        return MESSAGES / watch.seconds


async def _claim(runtime: Runtime) -> float:
    sender = next(loop for loop in loops(runtime) if isinstance(loop, Sender))
    watch, found = Stopwatch(), 0
    while found < CLAIMED:
        async with runtime.db.transaction() as tx:
            its = await claims.claim(
                tx, "mailbox", sender.channel, "zh-CN", now=AT, lease=sender.config.lease, limit=sender.config.batch
            )
        found += its.due
    return found / watch.seconds
