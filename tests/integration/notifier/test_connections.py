"""Connections to foreign places are used again, by one request at a time, and never one that is not as good as new."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from notifier.channels import connections
from notifier.channels.networks import Policy
from notifier.channels.outward import Answer, Outward
from notifier.channels.port import Ambiguous

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
NEVER_ENDING = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok"


class Place:
    """Somewhere that counts who came and who is still there; `/endless` and `/silent` are answered accordingly."""

    def __init__(self) -> None:
        self.url, self.came = "", 0
        self.there: set[asyncio.StreamWriter] = set()

    async def heard(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.came += 1
        self.there.add(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                await asyncio.sleep(0.02)  # so that what is sent at once is under way at once
                if b"/silent" not in head:
                    writer.write(NEVER_ENDING if b"/endless" in head else OK)
        self.there.discard(writer)
        writer.close()

    async def left(self, number: int) -> None:
        """Waits until no more than so many are there."""
        async with asyncio.timeout(5):
            while len(self.there) > number:
                await asyncio.sleep(0.01)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    its = Place()
    server = await asyncio.start_server(its.heard, "127.0.0.1", 0)
    its.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield its
    server.close()
    for writer in its.there:
        writer.close()


@pytest.fixture
async def outward() -> AsyncIterator[Outward]:
    its = Outward(Policy(local=True))
    yield its
    await its.close()


async def ask(outward: Outward, place: Place, path: str = "/", *, keep: bool = True, within: float = 5) -> Answer:
    return await outward.request("POST", place.url + path, {}, b"{}", within=within, keep=keep)


async def test_as_many_as_are_under_way_at_once_and_those_again(outward: Outward, place: Place) -> None:
    for _ in range(3):
        await asyncio.gather(*(ask(outward, place) for _ in range(5)))
    assert place.came == 5
    await outward.close()
    await place.left(0)


async def test_what_is_not_to_be_kept_is_closed(outward: Outward, place: Place) -> None:
    for _ in range(2):
        await ask(outward, place, keep=False)
    assert place.came == 2
    await place.left(0)


async def test_one_that_the_other_side_closed_is_not_used_again(outward: Outward, place: Place) -> None:
    await asyncio.gather(*(ask(outward, place) for _ in range(3)))
    for writer in [*place.there]:
        writer.close()
    await asyncio.sleep(0.05)
    assert (await ask(outward, place)).body == b"ok"
    assert place.came == 4


async def test_one_whose_answer_did_not_end_or_did_not_come_is_not_used_again(outward: Outward, place: Place) -> None:
    assert (await ask(outward, place, "/endless", within=0.4)).cut
    with pytest.raises((Ambiguous, TimeoutError)):
        await ask(outward, place, "/silent", within=0.2)
    await place.left(0)
    assert (await ask(outward, place)).body == b"ok"
    assert place.came == 3


async def test_so_many_are_kept_and_so_long(outward: Outward, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "KEPT", 2)
    await asyncio.gather(*(ask(outward, place) for _ in range(5)))
    await place.left(2)
    monkeypatch.setattr(connections, "KEPT_FOR", 0.0)
    await ask(outward, place)
    assert place.came == 6
    await place.left(0)
