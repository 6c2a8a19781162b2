"""Two processes of one service on one database: together they do everything once, and one goes on without the other."""

import asyncio

import pytest

from tests.faults.conftest import Begin
from tests.faults.load import Load
from tests.support.databases import SERVICES
from tests.support.eventually import eventually
from tests.support.processes import Kept


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "service", [name if name == "appeal_tracker" else pytest.param(name, marks=pytest.mark.long) for name in SERVICES]
)
async def test_one_of_two_is_killed_and_the_other_takes_over(begin: Begin, bus: str | None, service: str) -> None:
    """The dead one was at work, and nobody starts it again."""
    async with begin(bus) as load:
        twin = await load.services.add_twin(service)
        await load.day()
        await eventually(lambda: told(load, service), within=30)  # whoever came first leads
        assert await told(load, twin) == 0, "one relay is active at a time"
        if bus is None:
            assert await heard(load, twin) == 0, "so is one member of a group, on the embedded bus"
        while bus and await heard(load, twin) == 0:
            assert load.days < 10, "on Kafka they share what is heard"
            await load.day()
        before = await heard(load, twin)
        async with asyncio.TaskGroup() as together:
            together.create_task(load.day())
            raised = len(load.client.ledger.of("raise"))
            await eventually(lambda: len(load.client.ledger.of("raise")) > raised)
            load.services.kill(service)
        await load.day()
        await load.end()
        assert await told(load, twin) > 0
        assert await heard(load, twin) > before
        assert [death.service for death in load.services.deaths] == [service]


async def told(load: Load, of: str | Kept) -> float:
    """How much a process has published."""
    return await load.services.metric(of, "outbox_relayed_total")


async def heard(load: Load, of: str | Kept) -> float:
    """How much a process has applied."""
    return await load.services.metric(of, "consumer_events_total")
