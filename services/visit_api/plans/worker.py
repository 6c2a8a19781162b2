"""The loop that generates plans; several may run, each at a plan of its own."""

from chassis.runtime import Runtime
from chassis.worker import Worker
from visit_api.plans import generating


class Planning(Worker):
    """Generates for some customers in a transaction; few, so that no row is held for long and a crash loses little."""

    class Config(Worker.Config):
        idle = 0.5
        batch = 1000  # customers

    config: Config

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(f"{runtime.service}.plan")
        self._runtime = runtime

    async def run_once(self) -> bool:
        async with self._runtime.db.transaction() as tx:
            return await generating.advance(tx, self._runtime.clock.now(), self.config.batch)
