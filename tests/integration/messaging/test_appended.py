"""Rows are copied, or inserted by a statement that tells what it writes: nobody can tell which it was."""

from typing import Any
from uuid import uuid4

import pytest

from chassis.messaging.outbox import INSERT
from chassis.telemetry import traced
from contracts.customers import CustomerRemoved
from contracts.envelope import Event
from tests.integration.messaging.spine import NOW, Spine, raised, started

ONE, OTHER = (f"00-{'0' * 30}{digit}-b7ad6b7169203331-01" for digit in ("0a", "0b"))
TRACES: dict[str, list[str | None] | None] = {
    "no traces": None,
    "a trace each": [ONE, OTHER, ONE, OTHER],
    "some": [ONE, None, OTHER, None],
    "none among them": [None] * 4,
}
PLACE = ("seq", "id", "written_at")  # what no two rows share


@pytest.mark.parametrize("traces", TRACES.values(), ids=TRACES.keys())
async def test_what_is_copied_is_what_would_be_inserted(spine: Spine, traces: list[str | None] | None) -> None:
    """Every column of it, and who has no trace is under the current one."""
    events: list[Event] = [started(), raised(), CustomerRemoved(id=uuid4()), raised()]
    with traced(None) as current:
        copied = await appended(spine, events, traces)
        inserted = await written(spine, events, traces)
    assert copied == inserted
    assert [row["subject"] for row in copied] == [event.subject for event in events]
    assert [row["traceparent"] for row in copied] == [trace or current for trace in traces or [None] * 4]


async def written(spine: Spine, events: list[Event], traces: list[str | None] | None) -> list[dict[str, Any]]:
    """The rows as a hot statement writes them."""
    async with spine.db.connection() as connection:
        for event, trace in zip(events, traces or [None] * len(events), strict=True):
            await connection.execute(
                f"{INSERT} VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", *spine.outbox.row(event, NOW, trace)
            )
    return await last(spine, len(events))


async def appended(spine: Spine, events: list[Event], traces: list[str | None] | None) -> list[dict[str, Any]]:
    """The rows that were appended, in their order."""
    woken: list[bool] = []
    spine.outbox.wake = lambda: woken.append(True)
    async with spine.db.transaction() as tx:
        ids = await spine.outbox.append(tx, events, at=NOW, traces=traces)
    assert woken == [True]
    rows = await spine.rows("SELECT id FROM outbox ORDER BY seq")
    assert [row["id"] for row in rows][-len(events) :] == ids
    return await last(spine, len(events))


async def last(spine: Spine, count: int) -> list[dict[str, Any]]:
    """So many rows, in their order."""
    rows = [dict(row) for row in await spine.rows("SELECT * FROM outbox ORDER BY seq")][-count:]
    return [{name: value for name, value in row.items() if name not in PLACE} for row in rows]
