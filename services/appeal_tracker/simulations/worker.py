"""The loop that works at simulations: in the order they were asked for, one after the other; several loops may run."""

import logging
from uuid import UUID

from prometheus_client import Counter

from appeal_tracker.simulations import service
from appeal_tracker.simulations.candidate import Candidate
from chassis.failure import reason
from chassis.outage import is_outage
from chassis.runtime import Runtime
from chassis.worker import Worker

log = logging.getLogger(__name__)

_judged = Counter("appeals_simulated", "Appeals judged by a candidate")


class Simulating(Worker):
    """Judges some appeals in a transaction; few, so that what runs beside it in this process hardly waits.

    A simulation that cannot be done fails, and stands in nobody's way.
    """

    class Config(Worker.Config):
        idle = 1.0
        batch = 200  # appeals

    config: Config

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(f"{runtime.service}.simulate")
        self._runtime = runtime
        self._candidates: dict[UUID, Candidate] = {}  # that of the simulation that was worked at last

    async def run_once(self) -> bool:
        at: UUID | None = None
        try:
            async with self._runtime.db.transaction() as tx:
                simulation = await service.claim(tx)
                if simulation is None:
                    self._candidates.clear()
                    return False
                at, before = simulation.id, simulation.done
                if at not in self._candidates:
                    self._candidates = {at: await service.candidate(tx, simulation)}
                await service.advance(
                    tx, simulation, self._candidates[at], self._runtime.clock.now(), self.config.batch
                )
            _judged.inc(simulation.done - before)
        except Exception as error:
            self._candidates.clear()
            if at is None or is_outage(error):
                raise
            log.exception("a simulation fails", extra={"simulation": str(at)})
            async with self._runtime.db.transaction() as tx:
                await service.fail(tx, at, reason(error), self._runtime.clock.now())
        return True
