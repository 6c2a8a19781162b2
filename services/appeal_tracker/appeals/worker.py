"""The loop that marks where in time the lists of appeals stand. Several may run: there are more marks then."""

from appeal_tracker.appeals import marks
from chassis.runtime import Runtime
from chassis.worker import Worker


class Marking(Worker):
    """Sets a mark every five minutes: as much at most is read in vain by who follows a list from an instant on."""

    class Config(Worker.Config):
        idle = 300.0

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(f"{runtime.service}.marks")
        self._runtime = runtime

    async def run_once(self) -> bool:
        async with self._runtime.db.connection() as connection:
            await marks.mark(connection, self._runtime.clock)
        return False
