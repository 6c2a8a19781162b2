"""The loop that hands over. Several may run: they do the same once."""

import time
from functools import partial
from uuid import UUID

from appeal_tracker.appeals.apart import apart
from appeal_tracker.appeals.errors import MergedMeanwhile
from appeal_tracker.leaving import service
from chassis.runtime import Runtime
from chassis.worker import Worker


class HandingOver(Worker):
    """Hands over some appeals at a time, each in a transaction of its own; after them it keeps its place."""

    class Config(Worker.Config):
        idle = 1.0
        looks_behind_every = 60.0  # seconds: for what leavers were given, or asked, before it was heard that they left

    config: Config

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(f"{runtime.service}.leaving")
        self._runtime = runtime
        self._behind: UUID | None = None  # the last appeal looked at, while there may be more
        self._looked_behind = float("-inf")

    async def run_once(self) -> bool:
        db = self._runtime.db
        async with db.transaction() as tx:
            found = await service.following(tx)
        if found is None:
            return await self._look_behind()
        after = None
        for appeal in found.appeals:
            if not await self._hand(found.hand_over, appeal):
                break  # another speaks for it by now: it comes first next time
            after = appeal
        async with db.transaction() as tx:
            await service.came_to(tx, found.hand_over, after, done=not found.appeals)
        return True

    async def _look_behind(self) -> bool:
        if self._behind is None and time.monotonic() - self._looked_behind < self.config.looks_behind_every:
            return False
        async with self._runtime.db.transaction() as tx:
            found = await service.left_behind(tx, self._behind or UUID(int=0))
        for appeal, hand_over in found:
            await self._hand(hand_over, appeal)
        self._behind, self._looked_behind = found[-1][0] if found else None, time.monotonic()
        return bool(found)

    async def _hand(self, hand_over: UUID, appeal: UUID) -> bool:
        """Whether it was looked at; one that was just merged is not."""
        hand = partial(service.hand, runtime=self._runtime, hand_over=hand_over, appeal=appeal)
        try:
            await apart(self._runtime, self.name, appeal, hand)
        except MergedMeanwhile:
            return False
        return True
