"""The loop of the upkeep. Several may run: they do the same once."""

from appeal_tracker.upkeep import service
from chassis.runtime import Runtime
from chassis.worker import Worker

AT_ONCE = 50  # appeals whose texts are sealed in one transaction: whoever fires timers is kept for moments only


class Upkeep(Worker):
    """Looks at some appeals that changed at a time; each act is a transaction of its own, as those of people are."""

    idle = 1.0

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(f"{runtime.service}.upkeep")
        self._runtime = runtime

    async def run_once(self) -> bool:
        db = self._runtime.db
        async with db.transaction() as tx:
            found = await service.look(tx)
        if found is None:
            return False
        for appeal in found.unasked:
            async with db.transaction() as tx:
                await service.ask(tx, self._runtime, appeal)
        for appeal, days in found.returned:
            async with db.transaction() as tx:
                await service.link(tx, self._runtime, appeal, days)
        units = sorted(found.all.items())
        for at in range(0, len(units), AT_ONCE):
            async with db.transaction() as tx:
                await service.seal(tx, self._runtime, dict(units[at : at + AT_ONCE]))
        async with db.transaction() as tx:
            await service.done(tx, found)
        return True
