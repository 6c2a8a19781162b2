"""A clock that jumps ends no lease, no time-out and no back-off: those go by real time."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis.clock import ScaledClock
from deploy.local import clock
from notifier.channels.port import Letter, Receipt, Refused
from notifier.deliveries.outcomes import BackOff
from notifier.deliveries.sender import Sender
from tests.conftest import START
from tests.integration.notifier.gateway import Gateway, one
from tests.integration.notifier.office import Appeal, Office
from tests.support.eventually import eventually

LATER = START + timedelta(days=36_500)  # past every instant of real time that a test may run at


class Slow(Gateway):
    """A provider that has taken nothing yet."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_to, self.may = asyncio.Event(), asyncio.Event()

    async def send(self, letter: Letter) -> Receipt:
        self.asked_to.set()
        await self.may.wait()
        return await super().send(letter)


class Two:
    """Two senders of one notifier, which live by the scaled clock of a file; one more does not run."""

    def __init__(self, office: Office, file: Path, gateway: Any) -> None:
        self.office, self.file = office, file
        clock.Scale(START, 1.0).write(file)
        office.notifier.workers.remove(office.sender)
        runtime, own = office.notifier.runtime, office.sender
        runtime.clock = ScaledClock(file)
        self.one, self.other = (Sender(runtime, own._name, gateway, own._language) for _ in range(2))

    async def jump(self) -> None:
        clock.jump(self.file, LATER)
        await eventually(lambda: self.office.notifier.runtime.clock.now() >= LATER)

    async def leases(self) -> list[tuple[Any, ...]]:
        async with self.office.notifier.runtime.db.connection() as connection:
            return [tuple(row) for row in await connection.fetch("SELECT id, attempts, leased_until FROM sends")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "clock.json"


async def test_a_send_that_is_under_way_when_the_clock_jumps_is_taken_by_nobody_else(
    office: Office, appeal: Appeal, file: Path
):
    gateway = Slow()
    senders = Two(office, file, gateway)
    await office.hear(appeal.warned())
    sending = asyncio.create_task(senders.one.run_once())
    await asyncio.wait_for(gateway.asked_to.wait(), 10)
    leased = await senders.leases()
    await senders.jump()
    assert await senders.other.run_once() is False, "there is nothing to take"
    assert await senders.leases() == leased
    gateway.may.set()
    await sending
    delivery = await one(office)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 1), "nor was its time-out over"
    assert list(gateway.ledger.values()) == [1]
    assert datetime.fromisoformat(delivery["sent_at"]) == START


async def test_a_pause_before_the_next_try_is_not_over_when_the_clock_jumps(office: Office, appeal: Appeal, file: Path):
    senders = Two(office, file, Gateway(Refused("busy")))
    senders.one.config.back_off = BackOff(first=600.0)
    await office.hear(appeal.warned())
    await senders.one.run_once()
    assert (await one(office))["state"] == "failed"
    await senders.jump()
    assert await senders.other.run_once() is False
    await office.sql("UPDATE deliveries SET next_try_at = now()")
    assert await senders.other.run_once() is True
    assert ((await one(office))["state"], (await one(office))["attempts"]) == ("delivered", 2)
