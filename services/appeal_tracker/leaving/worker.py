"""The loop that hands over. Several may run: they do the same once."""

from functools import partial

from appeal_tracker.appeals.apart import apart
from appeal_tracker.appeals.errors import MergedMeanwhile
from appeal_tracker.leaving import service
from chassis.runtime import Runtime
from chassis.worker import Worker


class HandingOver(Worker):
    """Hands over some appeals at a time, each in a transaction of its own; after them it keeps its place."""

    idle = 1.0

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(f"{runtime.service}.leaving")
        self._runtime = runtime

    async def run_once(self) -> bool:
        db = self._runtime.db
        async with db.transaction() as tx:
            found = await service.following(tx)
        if found is None:
            return False
        after = None
        for appeal in found.appeals:
            hand = partial(service.hand, runtime=self._runtime, hand_over=found.hand_over, appeal=appeal)
            try:
                await apart(self._runtime, self.name, appeal, hand)
            except MergedMeanwhile:
                break  # another speaks for it by now: it comes first next time
            after = appeal
        async with db.transaction() as tx:
            await service.came_to(tx, found.hand_over, after, done=not found.appeals)
        return True
