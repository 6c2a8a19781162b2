"""The work under which processes die: visits with complaints on them, day after day, past every deadline."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.faults.audit import Audit
from tests.faults.ledger import Client
from tests.support.processes import Processes

START = datetime.fromisoformat("2026-10-09T10:00:00+08:00")  # a Friday morning: no quiet hours near
DAY = timedelta(days=1)
ALL_PAST = timedelta(days=14)  # from raised to the last step of the ladder, seven working days and one
ALL_TOLD = timedelta(hours=1)  # after that: whoever is told of much in a minute hears of the rest in the next


@dataclass
class Load:
    """Client, services and auditor of one run."""

    services: Processes
    client: Client
    audit: Audit
    days: int = 0

    async def begin(self) -> None:
        await self.client.directory()
        self._customer = await self.client.customer()

    async def day(self) -> None:
        """A visit whose complaints nobody cares for, and one whose complaint is handled to its archive; then the clock
        moves on to the next morning, past whatever was due."""
        await asyncio.gather(self.neglect(3), self.care())
        self.days += 1
        await self.services.jump(START + self.days * DAY)

    async def end(self, within: float = 60.0) -> None:
        """Lets every deadline pass, waits for quiet and holds the ledger against what is there."""
        for later in (ALL_PAST, ALL_PAST + ALL_TOLD):
            await self.services.jump(START + self.days * DAY + later)
            await self.audit.until_quiet(within)
        await self.audit.everything(self.client.ledger)

    async def neglect(self, complaints: int) -> None:
        visit = await self.client.plan(self._customer)
        await self.client.act(visit, "start")
        await asyncio.gather(*(self.client.raise_on(visit) for _ in range(complaints)))

    async def care(self) -> None:
        visit = await self.client.plan(self._customer)
        await self.client.act(visit, "start")
        appeal = await self.client.raise_on(visit)
        await self.client.act(visit, "complete")
        await self.client.settle(visit, appeal)
        await self.client.act(visit, "archive")
