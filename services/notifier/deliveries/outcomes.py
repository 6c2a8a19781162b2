"""How handing over a send ended, and its record: sends, deliveries and what is told of them, in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.messaging.outbox import Outbox
from contracts.notifications import NotificationDead, NotificationSent, NotificationTextFailed
from notifier.channels.port import Receipt
from notifier.deliveries import telling
from notifier.deliveries.claims import Plain

LONGEST_SAID = 200  # characters
PORTION = 1_000  # events that are written at a time
EXHAUSTED, REFUSED = "attempts_exhausted", "refused_by_provider"
NO_ACCOUNT = "no_account"

# Whoever handed it over knows that it was taken, whatever became of the lease meanwhile.
_TAKEN = text("""
WITH taken AS (
    UPDATE sends s SET state = t.state, reference = t.reference, leased_until = NULL, error = NULL
    FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:references AS text[])) AS t (id, state, reference)
    WHERE s.id = t.id AND s.state IN ('sending', 'unknown') RETURNING s.id, s.state, s.checked_at)
UPDATE deliveries d SET state = taken.state, sent_at = taken.checked_at, error = NULL, updated_at = :now,
    changed_xid = pg_current_xact_id()::text::bigint
FROM taken, notices n WHERE d.send_id = taken.id AND d.state IN ('sending', 'unknown') AND n.event_id = d.event_id
RETURNING d.id, d.send_id, d.event_id, d.recipient, d.channel, n.unit_code, n.traceparent,
    d.sent_at
""")
# Only the last to hold the lease may say that it failed: an earlier one does not know what the later one did.
_FAILED = text("""
WITH failed AS (
    UPDATE sends s SET state = 'failed', error = t.reason, leased_until = NULL
    FROM unnest(CAST(:ids AS uuid[]), CAST(:attempts AS integer[]), CAST(:reasons AS text[]),
                CAST(:permanent AS boolean[]), CAST(:pauses AS float[])) AS t (id, attempt, reason, permanent, pause)
    WHERE s.id = t.id AND s.state = 'sending' AND s.attempts = t.attempt RETURNING t.*)
UPDATE deliveries d SET error = failed.reason, updated_at = :now, changed_xid = pg_current_xact_id()::text::bigint,
    state = CASE WHEN failed.permanent OR d.tries >= :most THEN 'dead' ELSE 'failed' END,
    why = CASE WHEN failed.permanent THEN :refused WHEN d.tries >= :most THEN :exhausted ELSE d.why END,
    next_try_at = now() + make_interval(secs => greatest(failed.pause,
        least(:longest, :first * power(2, d.tries - 1)) * (0.5 + random() / 2)))
FROM failed, notices n WHERE d.send_id = failed.id AND d.state = 'sending' AND n.event_id = d.event_id
RETURNING d.id, d.event_id, d.recipient, d.channel, n.unit_code, n.traceparent, d.state,
    d.why
""")
# The lease runs on for the length of a pause; then the provider is asked.
_LOST = text("""
UPDATE sends s SET error = t.reason, leased_until = now()
    + make_interval(secs => least(:longest, :first * power(2, s.attempts - 1)) * (0.5 + random() / 2))
FROM unnest(CAST(:ids AS uuid[]), CAST(:attempts AS integer[]), CAST(:reasons AS text[])) AS t (id, attempt, reason)
WHERE s.id = t.id AND s.state = 'sending' AND s.attempts = t.attempt
""")
_ASKED = text("""
UPDATE sends s SET leased_until = now() + make_interval(secs => t.pause)
FROM unnest(CAST(:ids AS uuid[]), CAST(:attempts AS integer[]), CAST(:pauses AS float[])) AS t (id, attempt, pause)
WHERE s.id = t.id AND s.state = 'sending' AND s.attempts = t.attempt
""")
# As if it had not been leased: it still has all its tries, and whether it was taken before is as it was.
_UNSENT = text("""
WITH its AS (
    UPDATE sends s SET attempts = s.attempts - 1, error = coalesce(t.why, s.error),
        leased_until = now() + make_interval(secs => t.pause)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:attempts AS integer[]), CAST(:whys AS text[]), CAST(:pauses AS float[]))
        AS t (id, attempt, why, pause)
    WHERE s.id = t.id AND s.state = 'sending' AND s.attempts = t.attempt RETURNING s.id, t.why)
UPDATE deliveries d SET attempts = d.attempts - 1, tries = d.tries - 1, why = coalesce(its.why, d.why),
    updated_at = :now, changed_xid = pg_current_xact_id()::text::bigint
FROM its WHERE d.send_id = its.id AND d.state = 'sending'
""")
_POINTLESS = text("""
WITH its AS (
    UPDATE sends s SET state = 'failed', error = t.why, leased_until = NULL
    FROM unnest(CAST(:ids AS uuid[]), CAST(:attempts AS integer[]), CAST(:whys AS text[])) AS t (id, attempt, why)
    WHERE s.id = t.id AND s.state = 'sending' AND s.attempts = t.attempt RETURNING s.id, t.why)
UPDATE deliveries d SET state = 'cancelled', why = its.why, updated_at = :now,
    changed_xid = pg_current_xact_id()::text::bigint
FROM its WHERE d.send_id = its.id AND d.state = 'sending'
""")
# What has another channel to go by does not wait.
_UNREACHABLE = text("""
UPDATE deliveries d SET why = :why, tries = d.tries + 1, updated_at = :now,
    state = CASE WHEN d.fallback <> '{}' OR d.tries + 1 >= :most THEN 'dead' ELSE 'failed' END,
    next_try_at = now() + make_interval(secs => least(:longest, :first * power(2, d.tries)) * (0.5 + random() / 2)),
    changed_xid = pg_current_xact_id()::text::bigint
FROM notices n WHERE d.id = ANY (CAST(:ids AS uuid[])) AND d.state IN ('queued', 'deferred', 'failed')
    AND n.event_id = d.event_id
RETURNING d.id, d.event_id, d.recipient, d.channel, n.unit_code, n.traceparent, d.state, d.why
""")
_UNKNOWN = text("""
WITH unknown AS (
    UPDATE sends s SET state = 'unknown', leased_until = NULL
    FROM unnest(CAST(:ids AS uuid[]), CAST(:attempts AS integer[])) AS t (id, attempt)
    WHERE s.id = t.id AND s.state = 'sending' AND s.attempts = t.attempt RETURNING s.id, s.error)
UPDATE deliveries d SET state = 'unknown', why = 'outcome_unknown', error = unknown.error, updated_at = :now,
    changed_xid = pg_current_xact_id()::text::bigint
FROM unknown WHERE d.send_id = unknown.id AND d.state = 'sending'
""")


class Taken(msgspec.Struct, frozen=True):
    """The provider has it."""

    send_id: UUID
    receipt: Receipt


class Failed(msgspec.Struct, frozen=True):
    """The provider does not have it, for certain."""

    send_id: UUID
    attempt: int
    reason: str
    permanent: bool = False
    pause: float = 0.0  # seconds before the next try, at least


class Lost(msgspec.Struct, frozen=True):
    """Its answer was lost; what became of it will be asked."""

    send_id: UUID
    attempt: int
    reason: str


class Unknown(msgspec.Struct, frozen=True):
    """What became of it cannot be asked; a person decides."""

    send_id: UUID
    attempt: int


class Asked(msgspec.Struct, frozen=True):
    """What became of it cannot be told yet; it is asked again."""

    send_id: UUID
    attempt: int
    pause: float


class Unsent(msgspec.Struct, frozen=True):
    """It was not handed over this time (`why`, where that is more than our own slowness); in a while it is tried again,
    as the same send."""

    send_id: UUID
    attempt: int
    why: str | None = None
    pause: float = 0.0


class Pointless(msgspec.Struct, frozen=True):
    """It was not handed over, and need not be any more, because of `why`."""

    send_id: UUID
    attempt: int
    why: str


Outcome = Taken | Failed | Lost | Unknown | Asked | Unsent | Pointless


class BackOff(msgspec.Struct, frozen=True):
    """How failing is borne: the first pause in seconds, doubled each time up to the longest, and the tries at most."""

    first: float = 5.0
    longest: float = 900.0
    most: int = 10


class Recorded(msgspec.Struct, frozen=True):
    """What a record made of deliveries, as it is told."""

    sent: Sequence[NotificationSent]
    dead: Sequence[NotificationDead]


async def record(
    tx: AsyncSession, outbox: Outbox, outcomes: Sequence[Outcome], *, now: datetime, back_off: BackOff
) -> Recorded:
    """Stores `outcomes`, tells of what was sent and of what was given up."""
    sent = await _taken(tx, [o for o in outcomes if isinstance(o, Taken)], now)
    dead = await _failed(tx, [o for o in outcomes if isinstance(o, Failed)], now, back_off)
    await _lost(tx, [o for o in outcomes if isinstance(o, Lost)], back_off)
    await _unknown(tx, [o for o in outcomes if isinstance(o, Unknown)], now)
    await _asked(tx, [o for o in outcomes if isinstance(o, Asked)])
    await _unsent(tx, [o for o in outcomes if isinstance(o, Unsent)], now)
    await _pointless(tx, [o for o in outcomes if isinstance(o, Pointless)], now)
    told = Recorded(
        [telling.sent(row, row.unit_code, row.sent_at) for row in sent],
        [telling.dead(row, row.unit_code, now, row.why) for row in dead],
    )
    traces = [row.traceparent for row in (*sent, *dead)]
    events = [*told.sent, *told.dead]
    for start in range(0, len(events), PORTION):  # between two statements a transaction may not stand idle for long
        some = slice(start, start + PORTION)
        await outbox.append(tx, events[some], at=now, traces=traces[some])
    return told


async def give_up(
    tx: AsyncSession, outbox: Outbox, deliveries: Sequence[UUID], why: str, *, now: datetime, back_off: BackOff
) -> Sequence[NotificationDead]:
    """Gives up `deliveries` that cannot be handed over, and tells so; those that go by no other channel, only after as
    many tries as are borne."""
    values = {"ids": list(deliveries), "why": why, "now": now, **msgspec.structs.asdict(back_off)}
    rows = [row for row in await tx.execute(_UNREACHABLE, values) if row.state == "dead"]
    told = [telling.dead(row, row.unit_code, now, row.why) for row in rows]
    await outbox.append(tx, told, at=now, traces=[row.traceparent for row in rows])
    return told


async def tell_plain(tx: AsyncSession, outbox: Outbox, plain: Sequence[Plain], channel: str, now: datetime) -> None:
    """Tells of sends that were written in plain words."""
    told = [
        NotificationTextFailed(
            send_id=each.send_id, template=each.template, channel=channel, unit_code=each.unit, at=now
        )
        for each in plain
    ]
    await outbox.append(tx, told, at=now)


async def _taken(tx: AsyncSession, outcomes: Sequence[Taken], now: datetime) -> Sequence[Any]:
    if not outcomes:
        return []
    values = {
        "ids": [o.send_id for o in outcomes],
        "states": ["delivered" if o.receipt.delivered else "sent" for o in outcomes],
        "references": [_kept(o.receipt.reference) for o in outcomes],
        "now": now,
    }
    return (await tx.execute(_TAKEN, values)).all()


async def _failed(tx: AsyncSession, outcomes: Sequence[Failed], now: datetime, back_off: BackOff) -> Sequence[Any]:
    if not outcomes:
        return []
    values = _of(outcomes) | {
        "permanent": [o.permanent for o in outcomes],
        "pauses": [o.pause for o in outcomes],
        "refused": REFUSED,
        "exhausted": EXHAUSTED,
        "now": now,
    }
    rows = await tx.execute(_FAILED, values | msgspec.structs.asdict(back_off))
    return [row for row in rows if row.state == "dead"]


async def _lost(tx: AsyncSession, outcomes: Sequence[Lost], back_off: BackOff) -> None:
    if outcomes:
        await tx.execute(_LOST, _of(outcomes) | {"first": back_off.first, "longest": back_off.longest})


async def _unknown(tx: AsyncSession, outcomes: Sequence[Unknown], now: datetime) -> None:
    if outcomes:
        ids, attempts = [o.send_id for o in outcomes], [o.attempt for o in outcomes]
        await tx.execute(_UNKNOWN, {"ids": ids, "attempts": attempts, "now": now})


async def _asked(tx: AsyncSession, outcomes: Sequence[Asked]) -> None:
    if outcomes:
        ids, attempts = [o.send_id for o in outcomes], [o.attempt for o in outcomes]
        await tx.execute(_ASKED, {"ids": ids, "attempts": attempts, "pauses": [o.pause for o in outcomes]})


async def _unsent(tx: AsyncSession, outcomes: Sequence[Unsent], now: datetime) -> None:
    if outcomes:
        await tx.execute(_UNSENT, _held_back(outcomes) | {"pauses": [o.pause for o in outcomes], "now": now})


async def _pointless(tx: AsyncSession, outcomes: Sequence[Pointless], now: datetime) -> None:
    if outcomes:
        await tx.execute(_POINTLESS, _held_back(outcomes) | {"now": now})


def _held_back(outcomes: Sequence[Unsent] | Sequence[Pointless]) -> dict[str, Any]:
    ids, attempts = [o.send_id for o in outcomes], [o.attempt for o in outcomes]
    return {"ids": ids, "attempts": attempts, "whys": [o.why for o in outcomes]}


def _of(outcomes: Sequence[Failed] | Sequence[Lost]) -> dict[str, Any]:
    return {
        "ids": [o.send_id for o in outcomes],
        "attempts": [o.attempt for o in outcomes],
        "reasons": [_kept(o.reason) for o in outcomes],
    }


def _kept(said: str) -> str:
    """What a provider said, as a column and an index can keep it."""
    return said.replace("\0", "\ufffd")[:LONGEST_SAID]
