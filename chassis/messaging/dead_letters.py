"""Dead letters: events that failed by their own fault, parked in order until a person has them handled again.

A parked event also leaves by the service's outbox to the dead-letter topic, for whoever watches the bus. Replaying runs
the group's own handlers on the parked record; nothing is ever written back to the topic.
"""

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec
from sqlalchemy import CursorResult, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.db import Database, after_commit
from chassis.ids import new_id
from chassis.messaging.bus import Headers, Received
from chassis.messaging.handlers import Handlers
from chassis.messaging.outbox import Outbox
from chassis.telemetry import describe, traced
from contracts.envelope import Undecodable, dead_letter, decode, decode_type

# FOR SHARE: a replay that empties the key either waits for us or is waited for, so nothing is parked behind nobody.
_PARKED = text("""
SELECT key FROM dead_letters
WHERE topic = :topic AND key = ANY (CAST(:keys AS bytea[])) AND settled_at IS NULL AND holds FOR SHARE
""")

_PARK = text("""
INSERT INTO dead_letters (topic, partition, record_offset, key, value, headers, type, reason, attempts, holds, digest)
VALUES (:topic, :partition, :record_offset, :key, :value, :headers, :type, :reason, :attempts, :holds, :digest)
ON CONFLICT DO NOTHING RETURNING true
""")

_IS_PARKED = text("""
SELECT true FROM dead_letters
WHERE topic = :topic AND partition = :partition AND record_offset = :record_offset AND digest = :digest
""")

_TELL = text("""
INSERT INTO outbox (id, aggregatetype, aggregateid, type, source, subject, "time", payload, extra_headers)
VALUES (:id, :topic, :key, :type, :source, :key, :at, :payload, :extra_headers)
""")

_WAITING = text("""
SELECT topic, partition, record_offset, key, type, reason, attempts, holds, parked_at, digest
FROM dead_letters WHERE settled_at IS NULL ORDER BY topic, key, partition, record_offset
""")

_TAKE = text("""
SELECT * FROM dead_letters WHERE topic = :topic AND partition = :partition AND record_offset = :record_offset
AND digest = :digest AND settled_at IS NULL FOR UPDATE
""")

_SETTLE = text("""
UPDATE dead_letters SET settled_at = now(), settled_how = :how
WHERE topic = :topic AND partition = :partition AND record_offset = :record_offset AND settled_at IS NULL
AND (CAST(:digest AS bytea) IS NULL OR digest = :digest)
""")


async def parked_keys(tx: AsyncSession, topic: str, keys: Sequence[bytes]) -> set[bytes]:
    """Those of `keys` that have a parked event, before which no later one may take effect."""
    return set((await tx.scalars(_PARKED, {"topic": topic, "keys": list(set(keys))})).all())


async def is_parked(tx: AsyncSession, record: Received) -> bool:
    """Whether `record` itself was parked, or settled since: it is not tried again when it is read again."""
    place = {"topic": record.topic, "partition": record.partition, "record_offset": record.offset}
    return bool(await tx.scalar(_IS_PARKED, {**place, "digest": _digest(record)}))


async def park(
    tx: AsyncSession,
    outbox: Outbox,
    record: Received,
    reason: str,
    attempts: int,
    at: datetime,
    *,
    holds: bool = True,
) -> bool:
    """Parks `record` and tells the dead-letter topic; False when it was parked before. With `holds`, later events of
    its key wait for it."""
    # A stranger's type may hold what PostgreSQL's text does not.
    type_ = (decode_type(record.headers) or "unreadable").replace("\0", "\ufffd")
    row = {
        "topic": record.topic,
        "partition": record.partition,
        "record_offset": record.offset,
        "key": record.key,
        "value": record.value,
        "headers": msgspec.msgpack.encode(record.headers),
        "type": type_,
        "reason": reason.replace("\0", "\ufffd"),
        "attempts": attempts,
        "holds": holds,
        "digest": _digest(record),
    }
    if not await tx.scalar(_PARK, row):
        return False
    told = {"group": outbox.source.strip("/"), "reason": reason, "attempts": attempts, "topic": record.topic}
    told |= {"partition": record.partition, "offset": record.offset}
    extra = (*record.headers, *((f"dlq_{name}", str(value).encode()) for name, value in told.items()))
    await tx.execute(
        _TELL,
        {
            "id": new_id(),
            "topic": dead_letter(record.topic),
            "key": record.key.decode(errors="replace").replace("\0", "\ufffd"),
            "type": type_,
            "source": outbox.source,
            "at": at,
            "payload": record.value,
            "extra_headers": msgspec.msgpack.encode(extra),
        },
    )
    after_commit(tx, outbox.wake)
    return True


async def listed(tx: AsyncSession) -> list[dict[str, Any]]:
    """What is parked, each key in its order."""
    return [dict(row) for row in (await tx.execute(_WAITING)).mappings()]


async def drop(db: Database, topic: str, partition: int, offset: int) -> bool:
    """Gives up the event at a place of a topic; the record of it stays. Its key goes on at once if nothing was parked
    behind it, else with the replay of what was: a drop applies nothing."""
    place = {"topic": topic, "partition": partition, "record_offset": offset, "digest": None, "how": "dropped"}
    async with db.transaction() as tx:
        result = await tx.execute(_SETTLE, place)
        assert isinstance(result, CursorResult)
        return result.rowcount > 0


async def replay(db: Database, handlers: Handlers, key: bytes | None = None) -> tuple[int, list[str]]:
    """Handles parked events again, each key in its order; behind one that fails again only what commutes goes on.

    Returns how many succeeded, and why the others did not. `key` replays that one alone.
    """
    done = 0
    failures: list[str] = []
    tried: set[tuple[Any, ...]] = set()
    while True:  # what was parked behind a key while it was being emptied is found in the next round
        async with db.transaction() as tx:
            waiting = [row for row in await listed(tx) if key in (None, row["key"]) and _place(row) not in tried]
        if not waiting:
            return done, failures
        blocked: set[tuple[str, bytes]] = set()
        for row in waiting:
            tried.add(_place(row))
            try:
                done += await _replay_one(db, handlers, row, behind=(row["topic"], row["key"]) in blocked)
            except Exception as error:  # noqa: BLE001 - told to the person who asked, who decides what to do about it
                if row["holds"]:
                    blocked.add((row["topic"], row["key"]))
                failures.append(f"{row['topic']}/{row['partition']}/{row['record_offset']}: {why(error)}")


async def _replay_one(db: Database, handlers: Handlers, row: dict[str, Any], *, behind: bool) -> bool:
    async with db.transaction() as tx:
        found = (await tx.execute(_TAKE, row)).mappings().one_or_none()
        if found is None:
            return False
        message = decode(msgspec.msgpack.decode(found["headers"], type=Headers), found["value"])
        handler = handlers.get(type(message.event))
        if behind and handler is not None and not handler.commutes:
            return False
        if handler is not None:
            with traced(message.traceparent):
                await handlers.apply(tx, [message])
        await tx.execute(_SETTLE, {**row, "how": "replayed"})
        return True


def why(error: BaseException) -> str:
    """What may be told of an error on a topic and in a log: its kind, and its message where that quotes nothing."""
    described = describe(error)[0]
    kind = str(described["type"]).rpartition(".")[2]
    detail = str(error) if isinstance(error, Undecodable) else described.get("sqlstate") or described.get("message")
    return f"{kind}: {detail}" if detail else kind


def _place(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["topic"], row["partition"], row["record_offset"], row["digest"]


def _digest(record: Received) -> bytes:
    # A topic made anew counts its offsets from 0 again: the place alone does not say which record it was.
    return blake2b(msgspec.msgpack.encode(record.headers) + (record.value or b""), digest_size=16).digest()
