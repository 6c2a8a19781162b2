"""Processes killed at any moment, again and again, while people work."""

import asyncio
import random

import pytest

from tests.faults.conftest import Begin
from tests.faults.load import Load
from tests.support.databases import SERVICES
from tests.support.eventually import eventually

KILLS = 60


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_processes_are_killed_at_random(begin: Begin, bus: str | None) -> None:
    # On Kafka a dead member's partitions are given to its successor only after ten seconds.
    longest_pause = 8.0 if bus else 1.0
    chance = random.Random(KILLS)
    async with begin(bus) as load:
        async with asyncio.TaskGroup() as together:
            together.create_task(work_while_killed(load))
            while len(load.services.deaths) < KILLS:
                await load.services.until_ready()  # one that has only begun to start has nothing to lose
                await asyncio.sleep(chance.uniform(0, longest_pause))
                load.services.kill(chance.choice(SERVICES))
        await load.end(within=180)
        assert len(load.services.deaths) >= KILLS


async def work_while_killed(load: Load) -> None:
    """Days of work, at least one death in each."""
    while (deaths := len(load.services.deaths)) < KILLS:
        await load.day()
        await eventually(lambda: len(load.services.deaths) > deaths, within=120)
