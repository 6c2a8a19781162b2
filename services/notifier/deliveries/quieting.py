"""Quiet hours as data: shown, changed, and as the sender asks for them. There is a row for each kind of recipient and
each channel by which it is reached; a channel that comes later gets its own when it is published."""

from collections.abc import Callable
from datetime import datetime, time
from typing import get_args

from sqlalchemy import Connection, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.web.errors import FieldError, Forbidden, NotFound, Unprocessable, Words
from chassis.web.paging import Listing
from chassis.web.paging import Window as Part
from chassis.web.tokens import Principal
from notifier.deliveries.models import WAITING, QuietRule
from notifier.deliveries.quiet import NIGHT, SPREAD, QuietHours, Window
from notifier.deliveries.schemas import QuietHoursBody
from notifier.directory import service as directory
from notifier.directory.contacts import CUSTOMER, STAFF
from notifier.names import ChannelName

_NIGHT = FieldError(
    "/begin", "too_short", Words("客户的免打扰时段不得少于 21:00 至次日 8:00", "For customers it covers 21:00 to 08:00")
)


# Real time: publishing is part of a migration, which knows no domain time.
_PUBLISH = text("""
INSERT INTO quiet_hours (id, recipient_kind, channel, begin, until, updated_at)
VALUES (:id, :kind, :channel, '21:00', '08:00', now()) ON CONFLICT (id) DO NOTHING
""")


# Each person's at an instant of their own, the same one for all that waits for them. All that waits, not only what is
# put off: what a sender is putting off at this moment is waited for. Locked in the order of the ids, as by whoever else
# changes many. When one failed stays: whoever tries many again names them by that.
_LOOK_AGAIN = text(f"""
WITH its AS MATERIALIZED (SELECT id FROM deliveries
    WHERE {WAITING} AND channel = :channel AND recipient_kind = :kind AND why IS DISTINCT FROM 'storm'
    ORDER BY id FOR UPDATE)
UPDATE deliveries d SET changed_xid = pg_current_xact_id()::text::bigint,
    updated_at = CASE d.state WHEN 'failed' THEN d.updated_at ELSE CAST(:now AS timestamptz) END,
    not_before = least(d.not_before,
        CAST(:now AS timestamptz) + make_interval(secs => abs(hashtext(d.recipient)::bigint) % {SPREAD}))
FROM its WHERE d.id = its.id
""")  # noqa: S608 - nothing of a caller's is in it


def publish(connection: Connection) -> None:
    """Adds the standard's quiet hours where there are none yet; safe to repeat."""
    kinds = [(kind, channel) for kind in (STAFF, CUSTOMER) for channel in get_args(ChannelName)]
    rows = [{"id": f"{kind}.{channel}", "kind": kind, "channel": channel} for kind, channel in kinds]
    connection.execute(_PUBLISH, rows)


async def in_force(tx: AsyncSession) -> QuietHours:
    """The quiet hours as they are now."""
    rows = await tx.scalars(select(QuietRule))
    return QuietHours({(row.recipient_kind, row.channel): _window(row.begin, row.until) for row in rows})


async def listed(tx: AsyncSession, part: Part) -> Listing[QuietRule]:
    """All quiet hours; they belong to no unit."""
    return await part.fetch(tx, select(QuietRule), QuietRule)


async def one(tx: AsyncSession, id: str, *, lock: bool = False) -> QuietRule:
    """The quiet hours of a kind and a channel. Raises `NotFound`."""
    row = await tx.get(QuietRule, id, with_for_update=lock or None)
    if row is None:
        raise NotFound
    return row


async def change(
    tx: AsyncSession,
    caller: Principal,
    id: str,
    body: QuietHoursBody,
    now: datetime,
    unchanged: Callable[[object], None],
) -> QuietRule:
    """Sets quiet hours; what waits is looked at anew. Raises `Forbidden` for an admin of a unit that is not top-level,
    `NotFound`, `Unprocessable` where customers would be disturbed at night, and what `unchanged` raises."""
    if not await directory.is_top_level(tx, caller.unit):
        raise Forbidden
    row = await one(tx, id, lock=True)
    unchanged(row)
    if row.recipient_kind != STAFF and not _window(body.begin, body.until).covers(NIGHT):
        raise Unprocessable(_NIGHT)
    row.begin, row.until, row.revision = body.begin, body.until, row.revision + 1
    row.changed_by, row.updated_at = caller.sub, now
    await tx.flush()
    await tx.execute(_LOOK_AGAIN, {"channel": row.channel, "kind": row.recipient_kind, "now": now})
    return row


def _window(begin: str, until: str) -> Window:
    return Window(time.fromisoformat(begin), time.fromisoformat(until))
