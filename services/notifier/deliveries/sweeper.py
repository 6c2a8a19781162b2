"""The sweeper: takes up what fell between two others, and forgets what nobody needs any more."""

from chassis.runtime import Runtime
from chassis.worker import Worker
from notifier.channels import limits
from notifier.deliveries import reports


class Sweeper(Worker):
    """Sweeps now and then."""

    class Config(Worker.Config):
        idle = 15.0
        batch = 1000

    config: Config

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(f"{runtime.service}.sweep")
        self._db, self._clock, self._outbox = runtime.db, runtime.clock, runtime.outbox

    async def run_once(self) -> bool:
        async with self._db.transaction() as tx:
            more = await reports.missed(tx, self._outbox, self._clock.now(), self.config.batch)
        async with self._db.transaction() as tx:
            await limits.purge(tx, self.config.batch)
        return more
