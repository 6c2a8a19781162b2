"""Many rows are copied, few are inserted: nobody can tell which it was."""

from typing import Any
from uuid import uuid4

import pytest

from chassis.messaging import outbox
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
async def test_what_is_copied_is_what_would_be_inserted(
    spine: Spine, monkeypatch: pytest.MonkeyPatch, traces: list[str | None] | None
) -> None:
    """Every column of it, and who has no trace is under the current one."""
    events: list[Event] = [started(), raised(), CustomerRemoved(id=uuid4()), raised()]
    with traced(None) as current:
        monkeypatch.setattr(outbox, "MANY", len(events) + 1)
        inserted = await appended(spine, events, traces)
        monkeypatch.setattr(outbox, "MANY", len(events))
        copied = await appended(spine, events, traces)
    assert copied == inserted
    assert [row["subject"] for row in inserted] == [event.subject for event in events]
    assert [row["traceparent"] for row in inserted] == [trace or current for trace in traces or [None] * 4]


async def appended(spine: Spine, events: list[Event], traces: list[str | None] | None) -> list[dict[str, Any]]:
    """The rows that were appended, in their order."""
    woken: list[bool] = []
    spine.outbox.wake = lambda: woken.append(True)
    async with spine.db.transaction() as tx:
        ids = await spine.outbox.append(tx, events, at=NOW, traces=traces)
    assert woken == [True]
    rows = [dict(row) for row in await spine.rows("SELECT * FROM outbox ORDER BY seq")][-len(events) :]
    assert [row["id"] for row in rows] == ids
    return [{name: value for name, value in row.items() if name not in PLACE} for row in rows]
