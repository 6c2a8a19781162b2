"""`python -m <service> dlq`: what could not be applied and what no bus would carry, listed, tried again or given up."""

import json
import sys
from typing import Any

from chassis.messaging import dead_letters, outbox
from chassis.messaging.handlers import Handlers
from chassis.runtime import Runtime

OUTBOX = "outbox"  # the place of what no bus would carry, before its number there


async def run(runtime: Runtime, handlers: Handlers, do: str, key: str | None, place: str | None) -> int:
    """The exit code: 0 when all that was asked was done."""
    if do == "list":
        return await _list(runtime)
    if do == "drop":
        return await _drop(runtime, place or "")
    return await _replay(runtime, handlers, key)


async def _list(runtime: Runtime) -> int:
    async with runtime.db.transaction() as tx:
        parked = await dead_letters.listed(tx)
    for row in parked:
        place = f"{row.pop('topic')}/{row.pop('partition')}/{row.pop('record_offset')}"
        _show(place, {**row, "key": row["key"].decode(errors="replace"), "digest": row["digest"].hex()})
    async with runtime.db.transaction() as tx:
        refused = await outbox.refused(tx)
    for row in refused:
        _show(f"{OUTBOX}/{row.pop('seq')}", row)
    return 0


def _show(place: str, row: dict[str, Any]) -> None:
    print(json.dumps({"place": place, **row}, default=str, ensure_ascii=False))


async def _replay(runtime: Runtime, handlers: Handlers, key: str | None) -> int:
    done, failures = await dead_letters.replay(runtime.db, handlers, key.encode() if key else None)
    async with runtime.db.transaction() as tx:
        offered = await outbox.offer(tx, key)
    again = f", {offered} offered to the bus again" if offered else ""
    print(f"{done} replayed, {len(failures)} still failing{again}")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


async def _drop(runtime: Runtime, place: str) -> int:
    dropped = await _dropped(runtime, *place.split("/"))
    print(f"dropped {place}" if dropped else f"no dead letter waits at {place!r} here", file=sys.stderr)
    return 0 if dropped else 1


async def _dropped(runtime: Runtime, topic: str, *numbers: str) -> bool:
    if not all(number.isdecimal() for number in numbers):
        return False
    match [int(number) for number in numbers]:
        case [seq] if topic == OUTBOX:
            async with runtime.db.transaction() as tx:
                return await outbox.give_up(tx, seq)
        case [partition, offset]:
            return await dead_letters.drop(runtime.db, topic, partition, offset)
    return False
