"""The loop that works at simulations: in the order they were asked for, one after the other; several loops may run."""

from uuid import UUID

from prometheus_client import Counter

from appeal_tracker.simulations import service
from appeal_tracker.simulations.candidate import Candidate
from chassis.runtime import Runtime
from chassis.worker import Worker

_judged = Counter("appeals_simulated", "Appeals judged by a candidate")


class Simulating(Worker):
    """Judges some appeals in a transaction; few, so that what runs beside it in this process hardly waits."""

    idle = 1.0
    batch = 200  # appeals

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(f"{runtime.service}.simulate")
        self._runtime = runtime
        self._candidates: dict[UUID, Candidate] = {}

    async def run_once(self) -> bool:
        async with self._runtime.db.transaction() as tx:
            step = await service.claim(tx, self._candidates)
            if step is None:
                return False
            before = step.simulation.done
            await service.advance(tx, step, self._runtime.clock.now(), self.batch)
        _judged.inc(step.simulation.done - before)
        return True
