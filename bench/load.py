"""`python -m bench.load`: keeps connections busy with requests and counts the answers; a process of its own.

Reads one `Load` as MessagePack from standard input, writes one `Answers` as JSON to standard output. HTTP/1.1 with
keep-alive and without pipelining: a connection asks again when it was answered.
"""

import asyncio
import itertools
import sys
import time
from collections import Counter
from typing import cast

import msgspec
import uvloop

from bench.measure import quantile


class Load(msgspec.Struct):
    """What to ask: whole requests, taken in turn, by so many connections for so many seconds."""

    host: str
    port: int
    connections: int
    seconds: float
    requests: list[bytes]


class Answers(msgspec.Struct):
    """What came back: answers by status, within so many seconds, and how long they took."""

    by_status: dict[int, int]
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        """Created things a second."""
        return self.by_status.get(201, 0) / self.seconds


class _Connection(asyncio.Protocol):
    def __init__(self, job: "_Job") -> None:
        self._job = job
        self._buffer = b""
        self._asked = 0.0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is none by its class
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        place = self._buffer.find(b"content-length: ", 0, head)
        length = int(self._buffer[place + 16 : self._buffer.find(b"\r", place)]) if place >= 0 else 0
        if len(self._buffer) < head + 4 + length:
            return
        self._job.answered(int(self._buffer[9:12]), time.perf_counter() - self._asked)
        self._buffer = b""
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self._job.ended()

    def _ask(self) -> None:
        self._asked = time.perf_counter()
        if self._asked >= self._job.until:
            self._transport.close()
        else:
            self._transport.write(next(self._job.requests))


class _Job:
    def __init__(self, load: Load) -> None:
        self.requests = itertools.cycle(load.requests)
        self.until = time.perf_counter() + load.seconds
        self.latencies: list[float] = []
        self.by_status: Counter[int] = Counter()
        self.done = asyncio.Event()
        self._left = load.connections

    def answered(self, status: int, seconds: float) -> None:
        self.by_status[status] += 1
        self.latencies.append(seconds * 1000)

    def ended(self) -> None:
        self._left -= 1
        if not self._left:
            self.done.set()


async def run(load: Load) -> Answers:
    """Keeps the connections busy until the time is over and the last one is answered."""
    started, job, loop = time.perf_counter(), _Job(load), asyncio.get_running_loop()
    for _ in range(load.connections):
        await loop.create_connection(lambda: _Connection(job), load.host, load.port)
    await job.done.wait()
    seconds = time.perf_counter() - started
    return Answers(dict(job.by_status), seconds, quantile(job.latencies, 0.5), quantile(job.latencies, 0.99))


if __name__ == "__main__":
    asked = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Load)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.stdout.buffer.write(msgspec.json.encode(runner.run(run(asked))))
