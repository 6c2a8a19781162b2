"""When a consumer counts as stuck: behind, and not moving, for a while; and never because there was nothing to do."""

import asyncio
from typing import Any

from chassis.messaging.consumer import Consumer
from chassis.messaging.handlers import Handlers


class Deaf:
    """A bus and a subscription that tell how far behind it is, and give nothing."""

    behind = 0

    async def subscribe(self, group: str, topic: str) -> "Deaf":
        return self

    async def fetch(self, limit: int, wait: float) -> list[Any]:
        return []

    async def lag(self) -> int:
        return self.behind


async def test_only_what_is_behind_and_does_not_move_is_stuck() -> None:
    bus, nothing = Deaf(), Handlers({})
    consumer = Consumer("s", None, bus, None, None, nothing, "t")  # type: ignore[arg-type]
    consumer.watch_every, consumer.stuck_after = 0.0, 0.05
    await asyncio.sleep(0.1)
    await consumer.run_once()
    bus.behind = 3
    await consumer.run_once()
    assert consumer.healthy() == (True, "running"), "there was nothing to move for until now"
    await asyncio.sleep(0.1)
    await consumer.run_once()
    assert consumer.healthy() == (False, "3 records behind, not moving")
