"""A peer's process, as a side of a row."""

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.ground import Ground
from bench.measure import Side
from deploy.local.processes import last_lines
from deploy.local.services import base_environment
from deploy.local.settings import ROOT

LONGEST = 180.0  # seconds that a peer may take, to get ready or for a turn


@asynccontextmanager
async def peer(ground: Ground, python: Path, name: str, standing: int, due: int) -> AsyncIterator[Side]:
    """The peer `bench.peers.<name>` on a database of its own, with `standing` things open; each turn has some fall due,
    and gives how many a second were done."""
    log = ground.folder / f"{name}.log"
    environment = {**base_environment(), "DATABASE_URL": (await ground.empty(name)).migration}
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *(str(python), "-m", f"bench.peers.{name}", str(standing)),
            stdin=PIPE,
            stdout=PIPE,
            stderr=errors,
            env=environment,
            cwd=ROOT,
        )
    assert process.stdin is not None
    assert process.stdout is not None
    asked, told = process.stdin, process.stdout

    async def said() -> str:
        async with asyncio.timeout(LONGEST):
            line = await told.readline()
        if not line:
            raise RuntimeError(f"{name} ended; it said:\n{last_lines(log)}")
        return line.decode().strip()

    async def turn() -> float:
        asked.write(f"{due}\n".encode())
        return due / float(await said())

    try:
        while await said() != "ready":
            pass
        yield turn
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
