"""When a loop counts as stuck."""

import asyncio

from chassis.worker import Worker


class Looking(Worker):
    """Looks once an hour; a single look may take no time to speak of."""

    class Config(Worker.Config):
        idle, stall, longest_backoff = 3600.0, 0.05, 0.0

    def __init__(self) -> None:
        super().__init__("looking")
        self.looked = asyncio.Event()
        self.takes = 0.0

    async def run_once(self) -> bool:
        self.looked.set()
        await asyncio.sleep(self.takes)
        return False


async def test_a_loop_is_stuck_in_its_work_and_not_in_its_rest() -> None:
    loop = Looking()
    loop.start()
    try:
        await loop.looked.wait()
        await asyncio.sleep(0.2)
        assert loop.healthy() == (True, "running"), "it rests, as long as it means to"
        loop.takes = 3600.0
        loop.looked.clear()
        loop.wake()
        await loop.looked.wait()
        await asyncio.sleep(0.2)
        well, why = loop.healthy()
        assert not well
        assert why.startswith("no progress for ")
    finally:
        await loop.stop(grace=0.01)


def test_what_one_loop_is_told_is_not_told_to_another() -> None:
    one, other = Looking(), Looking()
    one.config.idle = 1.0
    assert (one.config.idle, other.config.idle) == (1.0, 3600.0)
    assert other.config.stall == 0.05, "of its kind"
