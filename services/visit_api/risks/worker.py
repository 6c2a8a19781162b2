"""The loop that lets suggestions go that stand for nothing any more: time passes without an event."""

from chassis.runtime import Runtime
from chassis.worker import Worker
from visit_api.risks import service


class Lapsing(Worker):
    """Derives anew what is suggested of some customers."""

    class Config(Worker.Config):
        idle = 60.0
        batch = 100  # customers of a transaction

    config: Config

    def __init__(self, runtime: Runtime) -> None:
        super().__init__("visit_api.risks")
        self._runtime = runtime

    async def run_once(self) -> bool:
        async with self._runtime.db.transaction() as tx:
            return await service.review(tx, self._runtime, self.config.batch)
