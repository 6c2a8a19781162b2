"""The outbox: what a transaction has to tell, stored by that transaction."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import after_commit, driver
from chassis.ids import new_id
from chassis.telemetry import current_traceparent
from contracts.envelope import Event, encode_payload

# The head of every statement that tells; what follows selects what `Outbox.row` gives.
_COLUMNS = ("id", "aggregatetype", "aggregateid", "type", "source", "subject", "time", "payload", "traceparent")
INSERT = f"INSERT INTO outbox ({', '.join(_COLUMNS)})"

# What came after a refused one of its key stays beside it: by that it is seen that nothing may be offered any more.
_PURGE = text("""
DELETE FROM outbox WHERE seq IN (
    SELECT seq FROM outbox o WHERE published_at < now() - CAST(:keep AS interval) AND refused IS NULL
      AND NOT EXISTS (SELECT FROM outbox before WHERE before.refused IS NOT NULL AND before.seq < o.seq
                        AND before.aggregatetype = o.aggregatetype AND before.aggregateid = o.aggregateid)
    ORDER BY published_at LIMIT 10000)
""")

# What no bus would carry is kept for a person; to give it up, or offer it again, is to take the mark away.
_REFUSED = text("""
SELECT seq, aggregatetype AS topic, aggregateid AS key, type, refused AS reason, published_at AS refused_at
FROM outbox WHERE refused IS NOT NULL ORDER BY seq
""")
_OFFER = text("""
UPDATE outbox AS o SET published_at = NULL, refused = NULL
WHERE refused IS NOT NULL AND (CAST(:key AS text) IS NULL OR aggregateid = :key)
  AND NOT EXISTS (SELECT FROM outbox later
                  WHERE later.aggregatetype = o.aggregatetype AND later.aggregateid = o.aggregateid
                    AND later.seq > o.seq AND later.published_at IS NOT NULL AND later.refused IS NULL)
""")
_GIVE_UP = text("UPDATE outbox SET refused = NULL WHERE refused IS NOT NULL AND seq = :seq")


class Outbox:
    """A service's voice: `append` tells in a transaction, and wakes the relay of this process once it is committed."""

    def __init__(self, source: str, wake: Callable[[], None] = lambda: None) -> None:
        self.source = source
        self.wake = wake

    async def append(
        self, tx: AsyncSession, events: Sequence[Event], at: datetime, traces: Sequence[str | None] | None = None
    ) -> list[UUID]:
        """Stores `events` in their order, told to have happened at `at`; returns their ids.

        `traces` names the trace of each, where a batch carries several; who has none there is under the current one.
        """
        if not events:
            return []
        rows = self.rows(events, at, traces)
        await self.put(tx, rows)
        return [row.id for row in rows]

    def rows(
        self, events: Sequence[Event], at: datetime, traces: Sequence[str | None] | None = None
    ) -> "Sequence[Row]":
        """What `put` stores: for whoever tells thousands, and works that out beside something else."""
        current = current_traceparent()
        if traces is None:
            return [self._row(event, at, current) for event in events]
        return [self._row(event, at, trace or current) for event, trace in zip(events, traces, strict=True)]

    async def put(self, tx: AsyncSession, rows: "Sequence[Row]") -> None:
        """Stores rows in their order, as `append` does."""
        if not rows:
            return
        # Rows are numbered in the order given. However few they are, an INSERT of arrays is no quicker.
        await (await driver(tx)).copy_records_to_table("outbox", records=rows, columns=_COLUMNS)
        after_commit(tx, self.wake)

    def row(self, event: Event, at: datetime, trace: str | None = None) -> "Row":
        """What `INSERT` takes, for a hot statement that tells what it writes; whoever runs it wakes us afterwards.
        `trace` is the current one where none is given."""
        return self._row(event, at, trace or current_traceparent())

    def _row(self, event: Event, at: datetime, trace: str | None) -> "Row":
        subject = event.subject
        key = subject if event.key_field == event.subject_field else event.key
        return Row(new_id(), event.topic, key, event.type, self.source, subject, at, encode_payload(event), trace)


class Row(NamedTuple):
    """The values of `INSERT`'s columns."""

    id: UUID
    topic: str
    key: str
    type: str
    source: str
    subject: str
    at: datetime
    payload: bytes | None
    traceparent: str | None


async def refused(tx: AsyncSession) -> list[dict[str, Any]]:
    """What no bus would carry, in the order in which it was told."""
    return [dict(row) for row in (await tx.execute(_REFUSED)).mappings()]


async def offer(tx: AsyncSession, key: str | None) -> int:
    """Has the relay try what was refused once more, of one key or of all; returns how many. What was overtaken by later
    ones of its key stays: nothing may come after what it was before."""
    return (await tx.execute(_OFFER, {"key": key})).rowcount  # type: ignore[attr-defined,no-any-return]


async def give_up(tx: AsyncSession, seq: int) -> bool:
    """Keeps a refused row no longer than those that were published."""
    return bool((await tx.execute(_GIVE_UP, {"seq": seq})).rowcount)  # type: ignore[attr-defined]


async def purge(tx: AsyncSession, keep: timedelta) -> int:
    """Deletes rows published longer than `keep` ago, a bounded number; returns how many."""
    return (await tx.execute(_PURGE, {"keep": keep})).rowcount  # type: ignore[attr-defined,no-any-return]
