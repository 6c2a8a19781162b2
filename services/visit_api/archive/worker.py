"""The loop that enters what came late of archived visits."""

import logging
import time
from uuid import UUID

from prometheus_client import Counter

from chassis.outage import is_outage
from chassis.runtime import Runtime
from chassis.vault import KeysMissing
from chassis.worker import Worker
from visit_api.archive import supplementing
from visit_api.visits import repository as visits

log = logging.getLogger(__name__)
_not_entered = Counter("supplements_not_entered", "Times that what came late of an archived visit could not be entered")

AGAIN = 60.0  # seconds until what could not be entered is tried again


class Supplementing(Worker):
    """Makes supplements, one visit after the other. One that cannot be made holds up none of the others."""

    class Config(Worker.Config):
        idle = 1.0

    def __init__(self, runtime: Runtime) -> None:
        super().__init__("visit_api.supplements")
        self._runtime = runtime
        self._left: dict[UUID, float] = {}

    async def run_once(self) -> bool:
        self._left = {its: tried for its, tried in self._left.items() if time.monotonic() - tried < AGAIN}
        async with self._runtime.db.transaction() as tx:
            visit_id = await visits.one_with_more(tx, but=self._left.keys())
        if visit_id is None:
            return False
        try:
            async with self._runtime.db.transaction() as tx:
                await supplementing.enter_waiting(tx, self._runtime, visit_id)
        except Exception as error:
            # A key that is missing is one owner's; from all else that is away every visit suffers alike.
            if is_outage(error) and not isinstance(error, KeysMissing):
                raise
            log.exception("what came late of a visit cannot be entered", extra={"visit": str(visit_id)})
            _not_entered.inc()
            self._left[visit_id] = time.monotonic()
        return True
