"""What a loop does about one appeal, in a transaction of its own: where it fails, that is written down and counted, and
the others have their turn."""

import logging
from collections.abc import Awaitable, Callable
from uuid import UUID

from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals.errors import MergedMeanwhile
from chassis.outage import is_outage
from chassis.runtime import Runtime

log = logging.getLogger(__name__)

_passed_by = Counter("appeals_passed_by", "Appeals that a loop could not do its work about", ["worker"])


async def apart(runtime: Runtime, worker: str, appeal: UUID, act: Callable[[AsyncSession], Awaitable[None]]) -> None:
    """Does it. Raises `MergedMeanwhile`, and what an outage raises."""
    try:
        async with runtime.db.transaction() as tx:
            await act(tx)
    except MergedMeanwhile:
        raise
    except Exception as error:
        if is_outage(error):
            raise
        log.exception("an appeal was passed by", extra={"worker": worker, "appeal": str(appeal)})
        _passed_by.labels(worker).inc()
