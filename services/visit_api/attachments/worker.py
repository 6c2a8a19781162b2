"""The loop that clears away uploads that nobody ends."""

from chassis.runtime import Runtime
from chassis.worker import Worker
from visit_api.attachments import service


class Sweeper(Worker):
    """Gives up uploads once they are old, and forgets parts that a crash left behind."""

    idle = 3600.0

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(f"{runtime.service}.uploads")
        self._runtime = runtime

    async def run_once(self) -> bool:
        async with self._runtime.db.transaction() as tx:
            given_up = await service.sweep(tx, self._runtime)
        if not given_up:
            async with self._runtime.db.transaction() as tx:
                await service.sweep_parts(tx, self._runtime)
        return given_up > 0
