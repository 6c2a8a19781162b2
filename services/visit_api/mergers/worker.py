"""The loop that moves what closed units have open; several may run, each at units of its own."""

from chassis.runtime import Runtime
from chassis.worker import Worker
from visit_api.mergers import moving


class Moving(Worker):
    """Moves some things in a transaction."""

    class Config(Worker.Config):
        idle = 2.0

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(f"{runtime.service}.mergers")
        self._runtime = runtime

    async def run_once(self) -> bool:
        async with self._runtime.db.transaction() as tx:
            return await moving.advance(tx, self._runtime)
