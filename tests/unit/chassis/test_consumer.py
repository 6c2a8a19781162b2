"""When a consumer counts as stuck: behind, and not moving, for a while; and never because there was nothing to do."""

import asyncio
import time
from typing import Any

from chassis.messaging.consumer import Consumer
from chassis.messaging.handlers import Handlers
from chassis.outage import Outage


class Deaf:
    """A bus and a subscription that tell how far behind it is, and give nothing."""

    behind = 0
    away = False

    async def subscribe(self, group: str, topic: str) -> "Deaf":
        return self

    async def fetch(self, limit: int, wait: float) -> list[Any]:
        return []

    async def lag(self) -> int:
        if self.away:
            raise Outage("the bus is away")
        return self.behind


async def test_only_what_is_behind_and_does_not_move_is_stuck() -> None:
    bus, nothing = Deaf(), Handlers({})
    consumer = Consumer("s", None, bus, None, None, nothing, "t")  # type: ignore[arg-type]
    consumer.config.watch_every, consumer.config.stuck_after = 0.0, 0.05
    await asyncio.sleep(0.1)
    await consumer.run_once()
    bus.behind = 3
    await consumer.run_once()
    assert consumer.healthy() == (True, "running"), "there was nothing to move for until now"
    await asyncio.sleep(0.1)
    await consumer.run_once()
    assert consumer.healthy() == (False, "3 records behind, not moving")


async def test_while_the_bus_is_away_nobody_is_stuck_and_a_broken_client_is_found_out_later() -> None:
    bus, nothing = Deaf(), Handlers({})
    consumer = Consumer("s", None, bus, None, None, nothing, "t")  # type: ignore[arg-type]
    consumer.config.watch_every, consumer.config.stuck_after, consumer.config.blind_after = 0.0, 0.4, 0.8
    for bus.behind in (3, 0):  # also whoever had heard everything may have a client that is broken
        bus.away = False
        consumer._moved = time.monotonic()
        await consumer.run_once()
        bus.away = True
        await consumer.run_once()
        await asyncio.sleep(0.5)
        await consumer.run_once()
        assert consumer.healthy() == (True, "running")
        await asyncio.sleep(0.5)
        assert consumer.healthy() == (False, "the lag is not known, not moving")
    bus.away, bus.behind = False, 3
    await consumer.run_once()
    assert consumer.healthy() == (True, "running"), "it is back, and there is time to move"
    await asyncio.sleep(0.5)
    for bus.away in (True, False):  # one look in vain forgives no standing still
        await consumer.run_once()
    assert consumer.healthy() == (False, "3 records behind, not moving")
    bus.away = True
    await consumer.run_once()
    await asyncio.sleep(0.5)
    consumer._moved = time.monotonic()  # it was fed all the same
    bus.away = False
    await consumer.run_once()
    await asyncio.sleep(0.5)
    assert consumer.healthy() == (False, "3 records behind, not moving"), "no time is counted that did not pass"
