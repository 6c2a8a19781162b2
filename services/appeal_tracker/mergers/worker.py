"""The loop that takes open appeals from closed units. It goes by what is there, whatever was heard of first; done twice
it is done once, so that several may run."""

from functools import partial
from uuid import UUID

from appeal_tracker.appeals import taking_over
from appeal_tracker.appeals.apart import apart
from appeal_tracker.appeals.errors import MergedMeanwhile
from appeal_tracker.mergers import repository
from chassis.runtime import Runtime
from chassis.worker import Worker

_FIRST = UUID(int=0)


class Moving(Worker):
    """Transfers some appeals at a time, each in its own transaction; one that fails is met again after the rest."""

    class Config(Worker.Config):
        idle = 2.0
        at_once = 50  # appeals

    config: Config

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(f"{runtime.service}.mergers")
        self._runtime = runtime
        self._after = _FIRST

    async def run_once(self) -> bool:
        async with self._runtime.db.transaction() as tx:
            found = await repository.following(tx, self._after, self.config.at_once)
        for appeal in found:
            move = partial(taking_over.go_along, runtime=self._runtime, id=appeal)
            try:
                await apart(self._runtime, self.name, appeal, move)
            except MergedMeanwhile:
                continue  # another speaks for it by now: it is met again
        self._after = found[-1] if found else _FIRST
        return bool(found)
