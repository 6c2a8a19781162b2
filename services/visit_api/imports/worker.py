"""The loop that reads files. Where it has come to is stored with the lines: a crash loses nothing."""

import time

from chassis.runtime import Runtime
from chassis.worker import Worker
from visit_api.imports import storing

_CLEARING = 3600.0  # seconds between two looks for what is left over


class Importing(Worker):
    """Takes some lines in a transaction; few, so that no row is held for long and other work goes on beside it."""

    idle = 0.5
    batch = 2000  # lines

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(f"{runtime.service}.import")
        self._runtime = runtime
        self._ahead = storing.Ahead()
        self._cleared = float("-inf")

    async def run_once(self) -> bool:
        async with self._runtime.db.transaction() as tx:
            busy = await storing.advance(tx, self._runtime, self._ahead, self.batch)
        if not busy and time.monotonic() - self._cleared > _CLEARING:
            async with self._runtime.db.transaction() as tx:
                await storing.clear_away(tx, self._runtime)
            self._cleared = time.monotonic()
        return busy
