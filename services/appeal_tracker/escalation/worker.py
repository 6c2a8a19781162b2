"""The loop that fires timers. Several may run; each takes what the others have not."""

import asyncio
import time
from datetime import datetime

from appeal_tracker.clocks import punctuality
from appeal_tracker.escalation import repository, service
from appeal_tracker.escalation.repository import Share
from chassis.runtime import Runtime
from chassis.worker import Worker


class Escalation(Worker):
    """Fires what is due, a batch in a transaction; while there is more than one, in lanes that do not wait for each
    other, nor pass what another has taken, for each has its share of the clocks: the database works for some of them
    while we think about another, or one waits for its commit.

    Where a look at all timers is dear, for what has ended is kept by somebody's old transaction, we look from the floor
    on that we came to. What turns up below it is met before we rest, and while we do not, by a look at all that goes on
    beside what is fired, one `at_least` so often, and comes in the turn after it.
    """

    class Config(Worker.Config):
        idle = 0.1
        batch = 2000  # timers
        lanes = 4  # a power of two
        longest = 5  # batches of a lane in one turn: whoever watches us sees turns
        dear = 0.005  # seconds that a look at all took
        at_least = 1.0  # seconds between two of them

    config: Config

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(f"{runtime.service}.escalate")
        self._runtime = runtime
        self._behind = False
        self._floor: datetime | None = None
        self._looked, self._took = float("-inf"), 0.0  # when, and how long, all were looked at
        self._beside: asyncio.Task[datetime | None] | None = None  # a look at all

    async def run_once(self) -> bool:
        self._take_in()
        if self._took >= self.config.dear:
            if self._beside is None and time.monotonic() - self._looked >= self.config.at_least:
                self._beside = asyncio.create_task(self._next(None), name=f"{self.name}.look")
            if await self._turn(self._floor):
                return True
        return await self._turn(None)

    async def close(self) -> None:
        look, self._beside = self._beside, None
        if look is not None:
            look.cancel()
            await asyncio.gather(look, return_exceptions=True)

    def _take_in(self) -> None:
        """What a look beside found below the floor lowers it."""
        if self._beside is not None and self._beside.done():
            look, self._beside = self._beside, None
            if (moment := look.result()) is not None and self._floor is not None:
                self._floor = min(self._floor, moment)

    async def _next(self, floor: datetime | None) -> datetime | None:
        async with self._runtime.db.connection() as connection:
            began = time.monotonic()
            moment = await repository.next_moment(connection, floor)
        if floor is None:
            self._looked, self._took = began, time.monotonic() - began
        return moment

    async def _turn(self, floor: datetime | None) -> bool:
        """Fires what has been due, from a floor on, or of all; False where nothing ended."""
        now = self._runtime.clock.now()
        moment = await self._next(floor)
        # Never above the present: what is stored from now on for a later moment lies above the floor.
        self._floor = now if moment is None else min(moment, now)
        if moment is None or moment > now:
            self._behind = False
            return False
        many = self.config.lanes if self._behind else 1
        lanes = (self._lane(moment, Share(number, many), of_all=floor is None) for number in range(many))
        ended: list[int] = []
        for count in await asyncio.gather(*lanes, return_exceptions=True):
            if isinstance(count, BaseException):
                raise count
            ended.append(count)
        self._behind = self._was_full(max(ended))
        return any(ended)

    async def _lane(self, since: datetime, share: Share, *, of_all: bool) -> int:
        """Fires batch after batch while they are whole; one alone, where nobody knows yet that there are more."""
        ended = 0
        for _ in range(self.config.longest if self._behind else 1):
            count = await self._fire(since, share, of_all=of_all)
            ended += count
            if not self._was_full(count):
                break
        return ended

    def _was_full(self, count: int) -> bool:
        """Whether there may be more: of a full batch half has ended, or more was claimed; the rest is held by acts."""
        return 2 * count >= self.config.batch

    async def _fire(self, since: datetime, share: Share, *, of_all: bool) -> int:
        async with self._runtime.db.transaction() as tx:
            ended, fired = await service.fire_due(tx, self._runtime, since, self.config.batch, share, of_all=of_all)
        punctuality.count(fired)
        self._progress = time.monotonic()
        return ended
