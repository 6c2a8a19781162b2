"""The loop that reads files. Where it has come to is stored with the lines: a crash loses nothing."""

import logging
import time

import asyncpg
from sqlalchemy.exc import DataError, IntegrityError

from chassis.outage import is_outage
from chassis.runtime import Runtime
from chassis.worker import Worker
from visit_api.imports import storing

log = logging.getLogger(__name__)

_CLEARING = 3600.0  # seconds between two looks for what is left over
# What the database refuses for its content; anything else is an outage, or ours to mend.
_REFUSALS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, DataError, IntegrityError)


class Importing(Worker):
    """Takes some lines in a transaction; few, so that no row is held for long and other work goes on beside it.

    Of lines that the database refuses together half are tried, then half of those: one that is refused alone is a fault
    of its own, and those around it are stored. Whatever else is wrong with an import ends that one, and nothing else.
    """

    class Config(Worker.Config):
        idle = 0.5
        batch = 2000  # lines

    config: Config

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(f"{runtime.service}.import")
        self._runtime = runtime
        self._ahead = storing.Ahead()
        self._most: int | None = None  # lines of the next batch, while something is looked for
        self._cleared = float("-inf")

    async def run_once(self) -> bool:
        most = self._most or self.config.batch
        try:
            async with self._runtime.db.transaction() as tx:
                busy = await storing.advance(tx, self._runtime, self._ahead, most)
        except _REFUSALS as why:
            log.warning("lines were refused together", extra={"lines": most, "error": type(why).__name__})
            if most > 1:
                self._most = most // 2
            else:
                async with self._runtime.db.transaction() as tx:
                    await storing.refuse(tx, self._runtime)
            return True
        except Exception as why:
            if is_outage(why) or self._ahead.reading is None:
                raise
            log.exception("an import is given up", extra={"import": str(self._ahead.reading)})
            async with self._runtime.db.transaction() as tx:
                await storing.give_up(tx, self._runtime, self._ahead.reading)
            self._most = None
            return True
        self._most = most * 2 if most * 2 < self.config.batch else None
        if not busy and time.monotonic() - self._cleared > _CLEARING:
            async with self._runtime.db.transaction() as tx:
                await storing.clear_away(tx, self._runtime)
            self._cleared = time.monotonic()
        return busy
