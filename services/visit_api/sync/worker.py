"""The loop that looks for visits that may be one."""

from chassis.runtime import Runtime
from chassis.worker import Worker
from visit_api.sync import doubles


class Doubting(Worker):
    """Looks at some visits in a transaction."""

    class Config(Worker.Config):
        idle = 2.0

    def __init__(self, runtime: Runtime) -> None:
        super().__init__("visit_api.doubles")
        self._runtime = runtime

    async def run_once(self) -> bool:
        async with self._runtime.db.transaction() as tx:
            return await doubles.look(tx, self._runtime.clock.now())
