"""`python -m bench.receive`: a provider that takes every message, in a process of its own; prints where it listens."""

import asyncio
import sys

import uvloop

from deploy.local.demo.provider import Provider


async def _listen() -> None:
    async with Provider(keep_requests=False) as provider:
        print(provider.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(_listen()))
