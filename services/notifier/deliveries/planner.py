"""The planner: looks for the people of a notice at the moment of use, in the directory as it is then.

Topics have no order between them, so a deadline may be heard of before the people it concerns. While those whom the
ladder names are not found, the planner is patient for a few seconds of real time; only then does it go up the tree, and
where nobody is found at all, the delivery to nobody is dead from the start: an alert, never silence.
"""

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.worker import Worker
from contracts.notifications import NotificationDead
from notifier.deliveries import metrics, repository, telling
from notifier.deliveries.decision import NOBODY
from notifier.deliveries.models import Notice
from notifier.directory import service as directory
from notifier.directory.audience import Found, Known, Matter, find
from notifier.routes import service as routes
from notifier.routes.service import RouteTable

log = logging.getLogger(__name__)

NOBODY_TO_TELL = "nobody_to_tell"


class Planner(Worker):
    """Turns notices into deliveries."""

    idle = 0.2
    batch = 200  # notices
    patience = timedelta(seconds=3)  # how long the directory may lag behind
    pause = timedelta(seconds=0.5)  # between two looks for the same people
    measure_every = 15.0  # seconds between two counts of what is under way

    def __init__(self, runtime: Runtime, senders: Sequence[Worker] = ()) -> None:
        super().__init__(f"{runtime.service}.plan")
        self._db, self._clock, self._outbox = runtime.db, runtime.clock, runtime.outbox
        self._senders = senders  # of this process: woken when there is something for them
        self._measured = float("-inf")

    async def run_once(self) -> bool:
        await self._measure()
        async with self._db.transaction() as tx:
            notices = await repository.to_plan(tx, self.batch, self.patience)
            if not notices:
                return False
            planned, dead = await self._plan(tx, notices)
        metrics.dead.labels(NOBODY_TO_TELL).inc(len(dead))
        for death in dead:
            log.error("there is nobody to tell", extra={"event": str(death.event_id), "unit": death.unit_code})
        if planned:
            for sender in self._senders:
                sender.wake()
        return planned

    async def _plan(
        self, tx: AsyncSession, notices: Sequence[tuple[Notice, bool]]
    ) -> tuple[bool, list[NotificationDead]]:
        now = self._clock.now()
        known = await directory.known_of(tx, [_matter(notice) for notice, _ in notices])
        table = await routes.table(tx)
        ready, later = [], []
        for notice, waited in notices:
            addressed = _address(notice, known)
            if waited or all(found.exact for found in addressed.values()):
                ready.append((notice, addressed))
            else:
                later.append(notice.event_id)
        deliveries = [row for notice, addressed in ready for row in _deliveries(notice, addressed, table, now)]
        written = await repository.plan(tx, deliveries)
        by_event = {notice.event_id: notice for notice, _ in ready}
        dead = [
            telling.dead(row, by_event[row.event_id].unit_code, now, NOBODY_TO_TELL)
            for row in written
            if row.state == "dead"
        ]
        await self._outbox.append(tx, dead, at=now, traces=[by_event[death.event_id].traceparent for death in dead])
        await repository.settle_plans(tx, list(by_event), later, self.pause)
        return bool(ready), dead

    async def _measure(self) -> None:
        if time.monotonic() - self._measured < self.measure_every:
            return
        self._measured = time.monotonic()
        async with self._db.transaction() as tx:
            counts = await repository.unsettled(tx)
        for state in ("queued", "deferred", "sending", "failed", "unknown", "dead"):
            metrics.waiting.labels(state).set(counts.get(state, 0))


def _matter(notice: Notice) -> Matter:
    return Matter(notice.owner, notice.first_contact, notice.handling_unit_code)


def _address(notice: Notice, known: Known) -> dict[str, Found]:
    return {audience: find(audience, _matter(notice), known) for audience in notice.audience}


def _deliveries(notice: Notice, addressed: dict[str, Found], table: RouteTable, now: datetime) -> list[dict[str, Any]]:
    """One row per recipient and channel; who is in several audiences is told once, as the first of them."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for audience, found in addressed.items():
        dead = {"state": "dead", "why": NOBODY_TO_TELL}
        alive = {"state": "queued", "why": None if found.exact else "next_above"}
        for recipient in found.people or [NOBODY]:
            for channel in table.channels(notice.event_type, audience):
                row = {
                    "id": new_id(),
                    "event_id": notice.event_id,
                    "recipient": recipient,
                    "channel": channel,
                    "audience": audience,
                    "audience_unit": found.unit,
                    "not_before": now,
                    "planned_at": now,
                    "updated_at": now,
                }
                rows.setdefault((recipient, channel), row | (alive if found.people else dead))
    return list(rows.values())
