"""Dead letters: events that failed by their own fault, parked in order until a person has them handled again.

A parked event also leaves by the service's outbox to `<topic>.dlq`, for whoever watches the bus. Replaying runs the
group's own handlers on the parked record; nothing is ever written back to the topic.
"""

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import Database, after_commit
from chassis.ids import new_id
from chassis.messaging.bus import Headers, Received
from chassis.messaging.handlers import Handlers
from chassis.messaging.outbox import Outbox
from contracts.envelope import decode, decode_type

# FOR SHARE: a replay that empties the key either waits for us or is waited for, so nothing is parked behind nobody.
_PARKED = text("""
SELECT key FROM dead_letters WHERE topic = :topic AND key = ANY (CAST(:keys AS bytea[])) AND replayed_at IS NULL
FOR SHARE
""")

_PARK = text("""
INSERT INTO dead_letters (topic, partition, record_offset, key, value, headers, type, reason, attempts, digest)
VALUES (:topic, :partition, :record_offset, :key, :value, :headers, :type, :reason, :attempts, :digest)
ON CONFLICT DO NOTHING RETURNING true
""")

_TELL = text("""
INSERT INTO outbox (id, aggregatetype, aggregateid, type, source, subject, "time", payload, extra_headers)
VALUES (:id, :topic, :key, :type, :source, :key, :at, :payload, :extra_headers)
""")

_NEXT = text("""
SELECT * FROM dead_letters WHERE replayed_at IS NULL AND topic = :topic AND key = :key
ORDER BY partition, record_offset LIMIT 1 FOR UPDATE
""")

_REPLAYED = text("""
UPDATE dead_letters SET replayed_at = now()
WHERE topic = :topic AND partition = :partition AND record_offset = :record_offset AND digest = :digest
""")

_KEYS = text("""
SELECT topic, key FROM dead_letters WHERE replayed_at IS NULL GROUP BY topic, key ORDER BY min(parked_at)
""")

_LIST = text("""
SELECT topic, partition, record_offset, key, type, reason, attempts, parked_at
FROM dead_letters WHERE replayed_at IS NULL ORDER BY parked_at, topic, partition, record_offset
""")


async def parked_keys(tx: AsyncSession, topic: str, keys: Sequence[bytes]) -> set[bytes]:
    """Those of `keys` that have a parked event, before which no later one may take effect."""
    return set((await tx.scalars(_PARKED, {"topic": topic, "keys": list(set(keys))})).all())


async def park(tx: AsyncSession, outbox: Outbox, record: Received, reason: str, attempts: int, at: datetime) -> bool:
    """Parks `record` and tells `<topic>.dlq`; False when it was parked before."""
    headers = msgspec.msgpack.encode(record.headers)
    type_ = decode_type(record.headers)
    row = {
        "topic": record.topic,
        "partition": record.partition,
        "record_offset": record.offset,
        "key": record.key,
        "value": record.value,
        "headers": headers,
        "type": type_,
        "reason": reason,
        "attempts": attempts,
        # A topic made anew counts its offsets from 0 again: the place alone does not say which record it was.
        "digest": blake2b(headers + (record.value or b""), digest_size=16).digest(),
    }
    if not await tx.scalar(_PARK, row):
        return False
    why = {"group": outbox.source.strip("/"), "reason": reason, "attempts": attempts, "topic": record.topic}
    why |= {"partition": record.partition, "offset": record.offset}
    extra = (*record.headers, *((f"dlq_{name}", str(value).encode()) for name, value in why.items()))
    await tx.execute(
        _TELL,
        {
            "id": new_id(),
            "topic": f"{record.topic}.dlq",
            "key": record.key.decode(errors="replace").replace("\0", "�"),
            "type": (type_ or "unreadable").replace("\0", "�"),
            "source": outbox.source,
            "at": at,
            "payload": record.value,
            "extra_headers": msgspec.msgpack.encode(extra),
        },
    )
    after_commit(tx, outbox.wake)
    return True


async def listed(tx: AsyncSession) -> list[dict[str, Any]]:
    """What is parked, oldest first."""
    return [dict(row) for row in (await tx.execute(_LIST)).mappings()]


async def replay(db: Database, handlers: Handlers, key: bytes | None = None) -> tuple[int, list[str]]:
    """Handles parked events again, each key in its order until one fails again; returns how many succeeded, and why
    the others did not. `key` replays that one alone."""
    async with db.transaction() as tx:
        keys = [(row.topic, row.key) for row in await tx.execute(_KEYS) if key in (None, row.key)]
    done, failures = 0, []
    for topic, each in keys:
        try:
            while await _replay_next(db, handlers, topic, each):
                done += 1
        except Exception as error:  # noqa: BLE001 - told to the person who asked, who decides what to do about it
            failures.append(f"{topic} {each.decode(errors='replace')}: {error!r}")
    return done, failures


async def _replay_next(db: Database, handlers: Handlers, topic: str, key: bytes) -> bool:
    async with db.transaction() as tx:
        row = (await tx.execute(_NEXT, {"topic": topic, "key": key})).mappings().one_or_none()
        if row is None:
            return False
        message = decode(msgspec.msgpack.decode(row["headers"], type=Headers), row["value"])
        if type(message.event) in handlers:
            await handlers.apply(tx, [message])
        await tx.execute(_REPLAYED, {k: row[k] for k in ("topic", "partition", "record_offset", "digest")})
        return True
