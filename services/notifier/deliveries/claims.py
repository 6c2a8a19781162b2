"""The sender's claims: deliveries that are due become sends with a lease, in one transaction, before any provider is
called. Two senders never claim the same one (SKIP LOCKED); whose lease has run out is claimed again, as the same send.

Leases and back-off are in real time, the database's; what is due and whether it is quiet is in domain time.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from notifier.channels.port import Letter
from notifier.deliveries import repository
from notifier.deliveries.decision import READDRESSED, Decision, Drop, Go, Readdress, Wait, decide
from notifier.deliveries.models import Delivery, Send
from notifier.directory import service as directory
from notifier.subjects.relevance import Heard, Move, Said, obsolete
from notifier.templates.wording import Language, Notice

WARNING = "deadline.warned"
MERGED = 20  # deliveries that one send carries at most

_DELIVERY = """
SELECT d.id, d.event_id, d.recipient, d.channel, d.attempts, d.tries, d.send_id, n.heard, n.said_at, n.event_type,
       n.subject_kind, n.subject_id, n.milestone, n.due_at, n.step, n.late, n.handling_unit_code, n.round,
       s.number, s.appeal_type, s.ended, coalesce(s.round, 1) AS current_round,
       said.heard AS stopped, said.said_at AS stopped_said,
       done.heard AS acted, done.said_at AS acted_said, done.at AS acted_at,
       moved.heard AS moved, moved.said_at AS moved_said, moved.due_at AS moved_due, moved.old_due_at AS moved_old_due,
       held.heard AS held, held.said_at AS held_said
FROM deliveries d JOIN notices n ON n.event_id = d.event_id
LEFT JOIN subjects s ON s.id = n.subject_id
LEFT JOIN stops said ON said.certain
    AND (said.subject_id, said.round, said.milestone) = (n.subject_id, n.round, n.milestone)
LEFT JOIN stops done ON NOT done.certain
    AND (done.subject_id, done.round, done.milestone) = (n.subject_id, n.round, n.milestone)
LEFT JOIN moves moved ON (moved.subject_id, moved.round, moved.milestone) = (n.subject_id, n.round, n.milestone)
LEFT JOIN holds held ON (held.subject_id, held.round) = (n.subject_id, n.round) AND n.milestone = ANY (held.milestones)
"""
# The states are literal, or a generic plan would miss the partial index.
_DUE = text(
    _DELIVERY
    + """
WHERE d.state IN ('queued', 'deferred', 'failed') AND d.channel = :channel AND d.not_before <= :now
    AND (d.next_try_at IS NULL OR d.next_try_at <= now())
ORDER BY d.not_before, d.recipient LIMIT :limit FOR UPDATE OF d SKIP LOCKED
"""
)
_CARRIED = text(
    _DELIVERY
    + """
WHERE d.send_id = ANY (CAST(:sends AS uuid[])) AND d.state = 'sending' ORDER BY d.id FOR UPDATE OF d
"""
)
# What a dead sender left is looked into by one of the living, who has as long for it as for a send.
_EXPIRED = text("""
UPDATE sends SET leased_until = now() + CAST(:lease AS interval) WHERE id IN (
    SELECT id FROM sends WHERE state = 'sending' AND leased_until < now() AND channel = :channel
    ORDER BY leased_until LIMIT :limit FOR UPDATE SKIP LOCKED)
RETURNING id, recipient, subject, body, attempts, insisted
""")
_LEASE_AGAIN = text("""
UPDATE sends SET attempts = attempts + 1, insisted = false, checked_at = :now,
    leased_until = now() + CAST(:lease AS interval)
WHERE id = ANY (CAST(:sends AS uuid[])) AND state = 'sending'
""")
_LEASE = text(
    "UPDATE sends SET leased_until = now() + CAST(:lease AS interval) WHERE id = ANY (CAST(:sends AS uuid[]))"
)


class Leased(msgspec.Struct, frozen=True):
    """A send that is ours until its lease runs out; `attempt` is how often it has been handed over, this time too;
    `insisted`, that it is to be once more even if nobody can tell what became of it."""

    letter: Letter
    attempt: int
    insisted: bool = False


class Due(msgspec.Struct, frozen=True):
    """A locked delivery, and what is to be done with it."""

    row: Any
    decision: Decision


async def claim(
    tx: AsyncSession, channel: str, language: Language, *, now: datetime, lease: timedelta, limit: int
) -> tuple[int, list[Leased]]:
    """Decides about the deliveries that are due on `channel`; returns how many there were, and the sends to be handed
    over once this transaction is committed."""
    due = await _decided(tx, await tx.execute(_DUE, {"channel": channel, "now": now, "limit": limit}), now)
    await _put_off(tx, [its for its in due if isinstance(its.decision, Wait)], now)
    await _drop(tx, [its for its in due if isinstance(its.decision, Drop | Readdress)], now)
    going = [its.row for its in due if isinstance(its.decision, Go)]
    return len(due), await _lease(tx, going, channel, language, now, lease)


async def expired(tx: AsyncSession, channel: str, *, lease: timedelta, limit: int) -> list[Leased]:
    """Sends whose lease has run out, now leased to the caller, who asks the provider what became of them."""
    rows = await tx.execute(_EXPIRED, {"channel": channel, "lease": lease, "limit": limit})
    return [Leased(Letter(r.id, r.recipient, r.subject, r.body), r.attempts, r.insisted) for r in rows]


async def claim_again(
    tx: AsyncSession, sends: Sequence[Leased], *, now: datetime, lease: timedelta
) -> tuple[list[Leased], dict[UUID, Decision]]:
    """Those of the lost `sends` that are to be handed over again, the same letter under the same id; and of the others,
    what stands in the way."""
    ids = [send.letter.send_id for send in sends]
    due = await _decided(tx, await tx.execute(_CARRIED, {"sends": ids}), now)
    hindered: dict[UUID, Decision] = {its.row.send_id: its.decision for its in due if not isinstance(its.decision, Go)}
    going = [its.row for its in due if its.row.send_id not in hindered]
    await _handed_over(tx, going, now)
    again = {row.send_id for row in going}
    await tx.execute(_LEASE_AGAIN, {"sends": list(again), "now": now, "lease": lease})
    return [Leased(s.letter, s.attempt + 1) for s in sends if s.letter.send_id in again], hindered


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
        obsolete=obsolete(heard, round=row.round, said=said, due_at=_due_at(row), warning=warning),
        held=warning and heard.stands_still(said),
        now=now,
    )


def _due_at(row: Any) -> datetime:
    """The due that a message names: a warning that of today, and what tells of a breach the one that was not met."""
    due_at: datetime = row.due_at
    return _heard(row).due(Said(row.heard, row.said_at), due_at) if row.event_type == WARNING else due_at


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
    )


async def _put_off(tx: AsyncSession, due: Sequence[Due], now: datetime) -> None:
    changes = [
        {
            "id": its.row.id,
            "state": "deferred",
            "not_before": its.decision.until,
            "why": its.decision.why,
            "updated_at": now,
        }
        for its in due
        if isinstance(its.decision, Wait)
    ]
    if changes:
        await tx.execute(update(Delivery), changes)


async def _drop(tx: AsyncSession, due: Sequence[Due], now: datetime) -> None:
    changes = [
        {
            "id": its.row.id,
            "state": "cancelled",
            "why": its.decision.why if isinstance(its.decision, Drop) else READDRESSED,
            "updated_at": now,
        }
        for its in due
    ]
    if changes:
        await tx.execute(update(Delivery), changes)
        lost = [its.row.event_id for its in due if isinstance(its.decision, Readdress)]
        await repository.plan_again(tx, lost)


async def _lease(
    tx: AsyncSession, rows: Sequence[Any], channel: str, language: Language, now: datetime, lease: timedelta
) -> list[Leased]:
    carried = {new_id(): its for its in _merged(rows)}
    leased = []
    for send_id, its in carried.items():
        words = language.merge([language.write(_notice(row), channel) for row in its], channel)
        leased.append(Leased(Letter(send_id, its[0].recipient, words.subject, words.body), 1))
    if leased:
        await tx.execute(insert(Send), [_send(its.letter, channel, now) for its in leased])
        await tx.execute(_LEASE, {"sends": list(carried), "lease": lease})
        await _handed_over(tx, rows, now, {row.id: send_id for send_id, its in carried.items() for row in its})
    return leased


async def _handed_over(
    tx: AsyncSession, rows: Sequence[Any], now: datetime, sends: dict[UUID, UUID] | None = None
) -> None:
    changes = [
        {
            "id": row.id,
            "state": "sending",
            "send_id": sends[row.id] if sends else row.send_id,
            "attempts": row.attempts + 1,
            "tries": row.tries + 1,
            "next_try_at": None,
            "updated_at": now,
        }
        for row in rows
    ]
    if changes:
        await tx.execute(update(Delivery), changes)


def _merged(rows: Sequence[Any]) -> list[list[Any]]:
    """What goes to one recipient together, at most `MERGED` at a time."""
    by_recipient: defaultdict[str, list[Any]] = defaultdict(list)
    for row in rows:
        by_recipient[row.recipient].append(row)
    return [its[start : start + MERGED] for its in by_recipient.values() for start in range(0, len(its), MERGED)]


def _notice(row: Any) -> Notice:
    return Notice(
        event=row.event_type,
        subject_kind=row.subject_kind,
        subject_id=str(row.subject_id),
        number=row.number,
        appeal_type=row.appeal_type,
        milestone=row.milestone,
        due_at=_due_at(row),
        step=row.step,
        late=row.late,
        unit=row.handling_unit_code,
        round=row.round,
    )


def _send(letter: Letter, channel: str, now: datetime) -> dict[str, Any]:
    return {
        "id": letter.send_id,
        "recipient": letter.recipient,
        "channel": channel,
        "subject": letter.subject,
        "body": letter.body,
        "state": "sending",
        "attempts": 1,
        "checked_at": now,
    }
