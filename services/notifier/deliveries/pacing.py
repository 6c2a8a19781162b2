"""Whoever is told much in a short time, though not at once, is told the rest of it together: after some single messages
on a channel within a minute, what follows leaves as one at the end of that minute.

Each process knows what it sent itself: of two, each lets as many through, which is no harm. Nothing is stored for it.
"""

from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from notifier.channels.port import Terms
from notifier.deliveries import merging, quieting
from notifier.directory.contacts import Addressee

SPAN = timedelta(minutes=1)  # of domain time
MANY = "many"
KNOWN = 10_000  # people; of more, those who were told nothing lately are forgotten, once in a while


class Pace:
    """How many messages each person was sent lately on one channel; `most` of them one by one."""

    def __init__(self, most: int = 10) -> None:
        self._most = most
        self._sent: dict[Addressee, deque[datetime]] = {}
        self._looked_through: datetime | None = None

    def until(self, person: Addressee, now: datetime) -> datetime | None:
        """Until when what is for `person` waits; None: it need not."""
        its = self._sent.get(person, deque[datetime]())
        while its and its[0] + SPAN <= now:
            its.popleft()
        return its[0] + SPAN if len(its) >= self._most else None

    def note(self, person: Addressee, now: datetime) -> None:
        """Counts a message that leaves."""
        if len(self._sent) >= KNOWN and (self._looked_through is None or self._looked_through + SPAN <= now):
            self._sent = {one: its for one, its in self._sent.items() if its and its[-1] + SPAN > now}
            self._looked_through = now
        self._sent.setdefault(person, deque(maxlen=self._most)).append(now)


Group = tuple[list[Any], Terms]


async def paced(
    tx: AsyncSession, groups: Sequence[Group], pace: Pace, now: datetime
) -> tuple[list[Group], dict[UUID, datetime]]:
    """The groups that go now, and until when the deliveries of the others wait: for a moment, never for a night."""
    ends = [pace.until(_to(rows[0]), now) if merging.may_wait(rows[0], terms) else None for rows, terms in groups]
    if not any(ends):
        return list(groups), {}
    hours, going, waits = await quieting.in_force(tx), list[Group](), dict[UUID, datetime]()
    for (rows, terms), until in zip(groups, ends, strict=True):
        if until is None or hours.of(rows[0].recipient_kind, rows[0].channel).holds(until):
            going.append((rows, terms))
        else:
            waits |= {row.id: until for row in rows}
    return going, waits


def count(groups: Sequence[Group], pace: Pace, now: datetime) -> None:
    """Counts those of the groups that leave on which something may be made to wait."""
    for rows, terms in groups:
        if merging.may_wait(rows[0], terms):
            pace.note(_to(rows[0]), now)


def _to(row: Any) -> Addressee:
    return Addressee(row.recipient_kind, row.recipient)
