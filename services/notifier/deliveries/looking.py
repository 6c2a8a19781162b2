"""What is due on a channel, with all that a decision about it depends on; and the decision."""

from collections.abc import Iterable, Sequence, Set
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from notifier.deliveries.decision import Decision, decide
from notifier.directory import service as directory
from notifier.subjects.relevance import Heard, Move, Said, obsolete

WARNING = "deadline.warned"
MOST = 20_000  # deliveries that are looked at together: what waits for one person leaves together

_DELIVERY = """
SELECT d.id, d.event_id, d.recipient, d.recipient_kind, d.channel, d.attempts, d.tries, d.send_id,
       n.heard, n.said_at, n.event_type,
       n.subject_kind, n.subject_id, n.milestone, n.due_at, n.step, n.late, n.handling_unit_code, n.round,
       s.number, s.appeal_type, s.ended, coalesce(s.round, 1) AS current_round,
       said.heard AS stopped, said.said_at AS stopped_said,
       done.heard AS acted, done.said_at AS acted_said, done.at AS acted_at,
       moved.heard AS moved, moved.said_at AS moved_said, moved.due_at AS moved_due, moved.old_due_at AS moved_old_due,
       held.heard AS held, held.said_at AS held_said,
       n.packs <@ ARRAY(SELECT pack FROM withdrawn_packs) AS silenced
FROM deliveries d JOIN notices n ON n.event_id = d.event_id
LEFT JOIN subjects s ON s.id = n.subject_id
LEFT JOIN stops said ON said.certain
    AND (said.subject_id, said.round, said.milestone) = (n.subject_id, n.round, n.milestone)
LEFT JOIN stops done ON NOT done.certain
    AND (done.subject_id, done.round, done.milestone) = (n.subject_id, n.round, n.milestone)
LEFT JOIN moves moved ON (moved.subject_id, moved.round, moved.milestone) = (n.subject_id, n.round, n.milestone)
LEFT JOIN holds held ON (held.subject_id, held.round) = (n.subject_id, n.round) AND n.milestone = ANY (held.milestones)
"""
# The states are literal, or a generic plan would miss the partial indexes.
_IS_DUE = """
WHERE d.state IN ('queued', 'deferred', 'failed') AND d.channel = :channel AND d.not_before <= :now
    AND (d.next_try_at IS NULL OR d.next_try_at <= now())
"""
_DUE = text(f"{_DELIVERY}{_IS_DUE}ORDER BY d.not_before, d.recipient LIMIT :limit FOR UPDATE OF d SKIP LOCKED")
_OTHERS = text(
    f"{_DELIVERY}{_IS_DUE}"
    "AND d.recipient = ANY (CAST(:recipients AS text[])) AND d.id <> ALL (CAST(:had AS uuid[]))"
    "ORDER BY d.not_before LIMIT :limit FOR UPDATE OF d SKIP LOCKED"
)
_CARRIED = text(
    f"{_DELIVERY}WHERE d.send_id = ANY (CAST(:sends AS uuid[])) AND d.state = 'sending' ORDER BY d.id FOR UPDATE OF d"
)


class Due(msgspec.Struct, frozen=True):
    """A locked delivery, and what is to be done with it."""

    row: Any
    decision: Decision


async def due(tx: AsyncSession, channel: str, *, now: datetime, limit: int) -> list[Due]:
    """Deliveries that are due on `channel`, locked: the `limit` that waited longest, and all others for the same
    people."""
    rows = (await tx.execute(_DUE, {"channel": channel, "now": now, "limit": limit})).all()
    if len(rows) == limit:
        people = {"recipients": list({row.recipient for row in rows}), "had": [row.id for row in rows]}
        others = await tx.execute(_OTHERS, {"channel": channel, "now": now, "limit": MOST, **people})
        rows = [*rows, *others]
    return await _decided(tx, rows, now)


async def carried(tx: AsyncSession, sends: Sequence[UUID], *, now: datetime) -> list[Due]:
    """The deliveries that `sends` carry, locked."""
    return await _decided(tx, await tx.execute(_CARRIED, {"sends": sends}), now)


def due_at(row: Any) -> datetime:
    """The due that a message names: a warning that of today, and what tells of a breach the one that was not met."""
    its: datetime = row.due_at
    return _heard(row).due(Said(row.heard, row.said_at), its) if row.event_type == WARNING else its


async def _decided(tx: AsyncSession, rows: Iterable[Any], now: datetime) -> list[Due]:
    rows = list(rows)
    if not rows:
        return []
    gone = await directory.gone(tx, {row.recipient for row in rows})
    return [Due(row, _decide(row, gone, now)) for row in rows]


def _decide(row: Any, gone: Set[str], now: datetime) -> Decision:
    heard, said, warning = _heard(row), Said(row.heard, row.said_at), row.event_type == WARNING
    return decide(
        recipient=row.recipient,
        recipient_gone=row.recipient in gone,
        obsolete=obsolete(heard, round=row.round, said=said, due_at=due_at(row), warning=warning),
        held=warning and heard.stands_still(said),
        now=now,
    )


def _heard(row: Any) -> Heard:
    moved = Said(row.moved, row.moved_said) if row.moved else None
    return Heard(
        round=row.current_round,
        ended=row.ended,
        stopped=Said(row.stopped, row.stopped_said) if row.stopped else None,
        acted=Said(row.acted, row.acted_said) if row.acted else None,
        acted_at=row.acted_at,
        moved=Move(moved, row.moved_due, row.moved_old_due) if moved else None,
        held=Said(row.held, row.held_said) if row.held else None,
        silenced=bool(row.silenced),
    )
