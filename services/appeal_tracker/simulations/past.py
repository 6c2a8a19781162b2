"""From the rows of the record to the rounds of appeals, as they happened. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from appeal_tracker.clocks.acceptance import Attempt
from appeal_tracker.simulations.judging import Ran, Round, Stand
from appeal_tracker.simulations.repository import Record

_By = dict[tuple[UUID, int], list[Any]]


def rounds(appeals: Sequence[Any], record: Record) -> dict[UUID, list[Round]]:
    """The rounds of each appeal, the first one first."""
    promised = {row.id: (row.started_at, row.appeal_type, row.milestone) for row in record.promised}
    clocks, holds = _by_round(record.clocks, "subject_id"), _by_round(record.holds, "subject_id")
    contacts, answers, callbacks = (
        _by_round(rows, "appeal_id") for rows in (record.contacts, record.answers, record.callbacks)
    )
    closings: dict[UUID, list[datetime]] = defaultdict(list)
    for row in record.closings:
        closings[row.appeal_id].append(row.at)
    return {
        appeal.id: [
            Round(
                number=number,
                received_at=appeal.received_at,
                ended_at=appeal.closed_at if number == appeal.round else _nth(closings[appeal.id], number),
                clocks={row.milestone: _ran(row, promised) for row in clocks[appeal.id, number]},
                attempts=[Attempt(row.at, row.result) for row in contacts[appeal.id, number]],
                answers=[row.at for row in answers[appeal.id, number]],
                callbacks=[row.at for row in callbacks[appeal.id, number]],
                stands=[Stand(frozenset(row.milestones), row.since, row.until) for row in holds[appeal.id, number]],
            )
            for number in range(1, appeal.round + 1)
        ]
        for appeal in appeals
    }


def _nth(closings: Sequence[datetime], number: int) -> datetime | None:
    """When a round was closed: each closing ended one."""
    return closings[number - 1] if number <= len(closings) else None


def _ran(row: Any, promised: dict[UUID, tuple[datetime, str, str]]) -> Ran:
    promise = promised.get(row.promised_by)
    return Ran(row.milestone, row.started_at, row.due_at, row.state, row.stopped_at, promise)


def _by_round(rows: Iterable[Any], appeal: str) -> _By:
    found: _By = defaultdict(list)
    for row in rows:
        found[getattr(row, appeal), row.round].append(row)
    return found
