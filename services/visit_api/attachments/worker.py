"""The loop that clears away uploads that nobody ends."""

import logging

from chassis.db import is_outage
from chassis.runtime import Runtime
from chassis.worker import Worker
from visit_api.attachments import service

log = logging.getLogger(__name__)


class Sweeper(Worker):
    """Gives up uploads once they are old, and forgets parts that a crash left behind."""

    class Config(Worker.Config):
        idle = 3600.0

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(f"{runtime.service}.uploads")
        self._runtime = runtime

    async def run_once(self) -> bool:
        async with self._runtime.db.transaction() as tx:
            given_up = await service.sweep(tx, self._runtime)
        if not given_up:
            try:
                async with self._runtime.db.transaction() as tx:
                    await service.sweep_parts(tx, self._runtime)
            except OSError as error:
                if is_outage(error):
                    raise
                # The folder is not as it should be: no reason to end the process, in which appeals are told.
                log.warning("parts cannot be cleared away", exc_info=error)
        return given_up > 0
