"""What providers say later of what they took: delivered, or never. It may come in any order and any number of times,
before we have recorded that it was taken, or after a person has been told that nobody knows.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.messaging.outbox import Outbox
from notifier.channels.providers import Report
from notifier.deliveries import telling

UNDELIVERED = "undelivered"

_SENDS = text("""
SELECT id, reference, state FROM sends WHERE account_id = :account
    AND (id = ANY (CAST(:ids AS uuid[])) OR reference = ANY (CAST(:references AS text[]))) ORDER BY id FOR UPDATE
""")
# What arrived has arrived, whatever was said before; what was given up meanwhile is given up no more.
_DELIVERED = text("""
WITH its AS (
    UPDATE sends SET state = 'delivered', leased_until = NULL, error = NULL
    WHERE id = ANY (CAST(:ids AS uuid[])) AND state <> 'delivered' RETURNING id, checked_at),
before AS (SELECT d.id, d.state FROM deliveries d JOIN its ON d.send_id = its.id FOR UPDATE OF d)
UPDATE deliveries d SET state = 'delivered', sent_at = coalesce(d.sent_at, its.checked_at), error = NULL, why = NULL,
    updated_at = :now, changed_xid = pg_current_xact_id()::text::bigint
FROM its, before, notices n
WHERE d.send_id = its.id AND before.id = d.id AND n.event_id = d.event_id
    AND d.state IN ('sending', 'sent', 'unknown', 'failed', 'dead')
RETURNING d.id, d.send_id, d.event_id, d.recipient, d.channel, n.unit_code, n.traceparent, d.sent_at,
    before.state = 'sent' AS told
""")
_NEVER = text("""
WITH its AS (
    UPDATE sends s SET state = 'failed', leased_until = NULL, error = t.reason
    FROM unnest(CAST(:ids AS uuid[]), CAST(:reasons AS text[])) AS t (id, reason)
    WHERE s.id = t.id AND s.state IN ('sending', 'sent', 'unknown') RETURNING s.id, t.reason)
UPDATE deliveries d SET state = 'dead', error = its.reason, why = :why, updated_at = :now,
    changed_xid = pg_current_xact_id()::text::bigint
FROM its, notices n
WHERE d.send_id = its.id AND n.event_id = d.event_id AND d.state IN ('sending', 'sent', 'unknown')
RETURNING d.id, d.event_id, d.recipient, d.channel, n.unit_code, n.traceparent, d.why
""")
_KEEP = text("""
INSERT INTO early_reports (account_id, reference, delivered, reason, heard_at)
SELECT :account, reference, delivered, reason, :now
FROM unnest(CAST(:references AS text[]), CAST(:delivered AS boolean[]), CAST(:reasons AS text[]))
    AS t (reference, delivered, reason)
ON CONFLICT (account_id, reference) DO UPDATE SET delivered = early_reports.delivered OR excluded.delivered,
    reason = coalesce(early_reports.reason, excluded.reason)
""")
_EARLY = text("""
DELETE FROM early_reports r USING sends s
WHERE s.id = ANY (CAST(:sends AS uuid[])) AND r.account_id = s.account_id AND r.reference = s.reference
RETURNING r.account_id, r.reference, r.delivered, r.reason
""")


_MISSED = text("""
SELECT s.id FROM early_reports r JOIN sends s ON s.account_id = r.account_id AND s.reference = r.reference
ORDER BY r.heard_at LIMIT :limit
""")
_PURGE = text("""
DELETE FROM early_reports WHERE (account_id, reference) IN (
    SELECT account_id, reference FROM early_reports WHERE heard_at < :before ORDER BY heard_at LIMIT :limit)
""")
KEPT_FOR = timedelta(days=7)  # a report of what we never sent


async def hear(tx: AsyncSession, outbox: Outbox, account: UUID, reports: Sequence[Report], now: datetime) -> int:
    """Records what a provider says; returns of how many sends it was news or not. What bears a reference that we do not
    know yet is kept until we do."""
    ids = [report.send_id for report in reports if report.send_id]
    references = [report.reference for report in reports if report.reference]
    found: Sequence[Any] = (await tx.execute(_SENDS, {"account": account, "ids": ids, "references": references})).all()
    known = {row.id: row.id for row in found} | {row.reference: row.id for row in found if row.reference}
    matched = [(known.get(r.send_id) or known.get(r.reference), r) for r in reports]
    await _keep(tx, account, [r for send, r in matched if send is None and r.reference], now)
    delivered = list({send for send, r in matched if send is not None and r.delivered})
    never = {send: r.reason or UNDELIVERED for send, r in matched if send is not None and not r.delivered}
    await _record(tx, outbox, delivered, {send: why for send, why in never.items() if send not in delivered}, now)
    return len(found)


async def early(tx: AsyncSession, outbox: Outbox, sends: Sequence[UUID], now: datetime) -> None:
    """Records what was said of `sends` before it was recorded under which reference they were taken."""
    rows: Sequence[Any] = (await tx.execute(_EARLY, {"sends": list(sends)})).all()
    for row in rows:
        report = Report(row.delivered, None, row.reference, row.reason)
        await hear(tx, outbox, row.account_id, [report], now)


async def missed(tx: AsyncSession, outbox: Outbox, now: datetime, limit: int) -> bool:
    """Records what was kept as too early at the very moment at which its send was recorded, neither seeing the other;
    forgets what nobody ever sent. Returns whether there was any to record."""
    its = list(await tx.scalars(_MISSED, {"limit": limit}))
    if its:
        await early(tx, outbox, its, now)
    await tx.execute(_PURGE, {"before": now - KEPT_FOR, "limit": limit})
    return bool(its)


async def _keep(tx: AsyncSession, account: UUID, reports: Sequence[Report], now: datetime) -> None:
    last = {report.reference: report for report in sorted(reports, key=lambda report: report.delivered)}
    if last:
        values = {
            "references": list(last),
            "delivered": [report.delivered for report in last.values()],
            "reasons": [report.reason for report in last.values()],
        }
        await tx.execute(_KEEP, values | {"account": account, "now": now})


async def _record(
    tx: AsyncSession, outbox: Outbox, delivered: Sequence[UUID], never: dict[UUID, str], now: datetime
) -> None:
    events: list[Any] = []
    traces: list[str | None] = []
    if delivered:
        for row in await tx.execute(_DELIVERED, {"ids": delivered, "now": now}):
            if not row.told:
                events.append(telling.sent(row, row.unit_code, row.sent_at))
                traces.append(row.traceparent)
    if never:
        values = {"ids": list(never), "reasons": list(never.values()), "why": UNDELIVERED, "now": now}
        for row in await tx.execute(_NEVER, values):
            events.append(telling.dead(row, row.unit_code, now, row.why))
            traces.append(row.traceparent)
    await outbox.append(tx, events, at=now, traces=traces)
