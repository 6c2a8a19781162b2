"""Retention: what the plumbing keeps, for how long, and the loop that enforces it."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import Database
from chassis.messaging.bus import Bus, TopicSpec
from chassis.worker import Worker

Purge = Callable[[AsyncSession, timedelta], Awaitable[int]]


class Housekeeping(Worker):
    """Applies each purge with the age it is given, in bounded steps, and has the bus keep its topics in bounds."""

    class Config(Worker.Config):
        idle = 60.0

    def __init__(
        self,
        service: str,
        db: Database,
        bus: Bus,
        topics: Sequence[TopicSpec],
        purges: Sequence[tuple[Purge, timedelta]],
    ) -> None:
        super().__init__(f"{service}.housekeeping")
        self._db, self._bus, self._topics, self._purges = db, bus, topics, purges

    async def run_once(self) -> bool:
        deleted = 0
        for purge, keep in self._purges:
            async with self._db.transaction() as tx:
                deleted += await purge(tx, keep)
        if not deleted:
            await self._bus.maintain(self._topics)
        return deleted > 0
