"""The planner: looks for the people of a notice at the moment of use, in the directory as it is then.

Topics have no order between them, so a deadline may be heard of before the people it concerns. While those whom the
ladder names are not found, the planner is patient for a few seconds of real time; only then does it go up the tree, and
where nobody is found at all, the delivery to nobody is dead from the start: an alert, never silence.

Where very much is to be told at once, it waits a little, so that each person is told once of all of it.
"""

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.worker import Worker
from contracts.notifications import NotificationDead
from notifier.deliveries import falling_back, metrics, planning, repository, telling
from notifier.deliveries.decision import NOBODY
from notifier.deliveries.models import Notice
from notifier.deliveries.planning import Planned

log = logging.getLogger(__name__)

NOBODY_TO_TELL, STORM = "nobody_to_tell", "storm"


class Planner(Worker):
    """Turns notices into deliveries."""

    class Config(Worker.Config):
        idle = 0.2
        batch = 200  # notices; as many at once are a storm
        patience = timedelta(seconds=3)  # how long the directory may lag behind
        pause = timedelta(seconds=0.5)  # between two looks for the same people
        measure_every = 15.0  # seconds between two counts of what is under way
        lull = timedelta(seconds=60)  # of domain time: what a storm brings leaves when it is over, at the whole minute

    config: Config

    def __init__(self, runtime: Runtime, senders: Sequence[Worker] = ()) -> None:
        super().__init__(f"{runtime.service}.plan")
        self._db, self._clock, self._outbox = runtime.db, runtime.clock, runtime.outbox
        self._senders = senders  # of this process: woken when there is something for them
        self._measured = float("-inf")

    async def run_once(self) -> bool:
        await self._measure()
        async with self._db.transaction() as tx:
            fallen = await falling_back.fall_back(tx, self._clock.now(), self.config.batch)
            notices = await repository.to_plan(tx, self.config.batch, self.config.patience)
            planned, dead = await self._plan(tx, notices) if notices else (False, [])
        metrics.dead.labels(NOBODY_TO_TELL).inc(len(dead))
        for death in dead:
            log.error("there is nobody to tell", extra={"event": str(death.event_id), "unit": death.unit_code})
        if planned or fallen:
            for sender in self._senders:
                sender.wake()
        return planned or bool(fallen)

    async def _plan(
        self, tx: AsyncSession, notices: Sequence[tuple[Notice, bool]]
    ) -> tuple[bool, list[NotificationDead]]:
        now = self._clock.now()
        view = await planning.outlook(tx, [notice for notice, _ in notices], now)
        before = await repository.planned_before(tx, [notice.event_id for notice, _ in notices])
        ready, later = [], []
        for notice, waited in notices:
            people = planning.addressed(notice, view, *before.get(notice.event_id, repository.NOTHING))
            if waited or all(found.exact for found in people.values()):
                ready.append((notice, planning.plan(notice, people, view)))
            else:
                later.append(notice.event_id)
        leaves = self._after_the_storm(now) if len(notices) == self.config.batch else now
        rows = [_row(notice.event_id, its, now, leaves) for notice, plans in ready for its in plans]
        written = await repository.plan(tx, rows)
        by_event = {notice.event_id: notice for notice, _ in ready}
        dead = [
            telling.dead(row, by_event[row.event_id].unit_code, now, NOBODY_TO_TELL)
            for row in written
            if row.state == "dead"
        ]
        await self._outbox.append(tx, dead, at=now, traces=[by_event[death.event_id].traceparent for death in dead])
        await repository.settle_plans(tx, list(by_event), later, self.config.pause)
        return bool(ready), dead

    def _after_the_storm(self, now: datetime) -> datetime:
        # The same instant for all that comes within one lull, whoever plans it: what leaves together is one message.
        whole = self.config.lull.total_seconds()
        return datetime.fromtimestamp((now.timestamp() // whole + 1.5) * whole, now.tzinfo) if whole else now

    async def _measure(self) -> None:
        if time.monotonic() - self._measured < self.config.measure_every:
            return
        self._measured = time.monotonic()
        async with self._db.transaction() as tx:
            counts = await repository.unsettled(tx)
        for state in ("queued", "deferred", "sending", "failed", "unknown", "dead"):
            metrics.waiting.labels(state).set(counts.get(state, 0))


def _row(event_id: UUID, its: Planned, now: datetime, leaves: datetime) -> dict[str, Any]:
    state, why, error = "queued", None if its.because == "named" else its.because, None
    if its.silent is not None:
        state, why = "cancelled", its.silent
    elif its.recipient is None:
        state, why, error = "dead", NOBODY_TO_TELL, ", ".join(its.audiences)
    elif leaves > now:
        state, why = "deferred", STORM
    return {
        "id": new_id(),
        "event_id": event_id,
        "recipient": its.recipient or NOBODY,
        "recipient_kind": its.found.kind,
        "channel": its.way.channel,
        "audience": its.audience,
        "audience_unit": its.found.unit,
        "audience_role": its.found.role,
        "on_duty": its.found.on_duty,
        "instead_of": its.found.instead_of.get(its.recipient or ""),
        "state": state,
        "why": why,
        "error": error,
        "route": its.way.route,
        "passes": its.way.passes,
        "working_days": its.way.working_days,
        "fallback": list(its.way.fallback) if its.recipient else [],  # nobody is found by no other channel
        "fallback_after": its.way.fallback_after,
        "not_before": leaves,
        "planned_at": now,
        "updated_at": now,
    }
