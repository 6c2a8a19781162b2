"""What becomes of clocks by the thousand, at one time and by one actor: kept and told in one statement."""

from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.clocks.timeline import Entry
from chassis.db import driver, lines
from chassis.messaging.outbox import INSERT, Row

# JSON is a line each, for it has no line break but an escaped one.
_ANNOUNCE = rf"""
WITH facts AS MATERIALIZED (
    SELECT * FROM unnest(string_to_array($1, E'\n')::uuid[], string_to_array($2, E'\n'), string_to_array($3, E'\n'),
                         string_to_array($4, E'\n')::uuid[], string_to_array($5, E'\n'), string_to_array($6, E'\n'))
                  WITH ORDINALITY AS f (subject_id, kind, entry, event_id, type, payload, place)
), noted AS (
    INSERT INTO timeline (appeal_id, at, recorded_at, kind, actor, data)
    SELECT subject_id, $7, $7, kind, $8, entry::jsonb FROM facts ORDER BY place
)
{INSERT}
SELECT event_id, $9, subject_id::text, type, $10, subject_id::text, $7, convert_to(payload, 'UTF8'), $11
FROM facts ORDER BY place
"""  # noqa: S608 - made of constants


async def announce(tx: AsyncSession, entries: Sequence[Entry], told: Sequence[Row]) -> None:
    """Writes entries to the timelines of their subjects, and what is told of each to the outbox, in their order: all by
    one actor, at one time and on one topic, each with its subject as its key. The caller wakes the outbox afterwards.
    """
    if not entries:
        return
    entry, row = entries[0], told[0]
    await (await driver(tx)).execute(
        _ANNOUNCE,
        lines(each.appeal_id for each in entries),
        lines(each.kind for each in entries),
        b"\n".join(map(_json, entries)).decode(),
        lines(each.id for each in told),
        lines(each.type for each in told),
        b"\n".join(each.payload or b"" for each in told).decode(),
        entry.at,
        entry.actor,
        row.topic,
        row.source,
        row.traceparent,
    )


def _json(entry: Entry) -> bytes:
    return msgspec.json.encode(entry.data)
