"""The loop that tells what older code changed, while it was replaced or before. Several may run: each is told once."""

from appeal_tracker.absences import service
from chassis.runtime import Runtime
from chassis.worker import Worker

MOST = 100  # absences at a time


class Telling(Worker):
    """Tells absences that were changed and not told."""

    class Config(Worker.Config):
        idle = 10.0

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(f"{runtime.service}.absences")
        self._runtime = runtime

    async def run_once(self) -> bool:
        async with self._runtime.db.transaction() as tx:
            return await service.tell_untold(tx, self._runtime, MOST) == MOST
