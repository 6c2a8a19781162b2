"""From the rows of the record to the rounds of appeals, as they happened. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from appeal_tracker.clocks.acceptance import Attempt
from appeal_tracker.simulations.judging import Ran, Round, Stand
from appeal_tracker.simulations.repository import Record, Rows

_By = dict[tuple[UUID, int], list[Any]]


def rounds(appeals: Rows, record: Record) -> dict[UUID, list[Round]]:
    """The rounds of each appeal, the first one first. One of which nothing tells when it began is left out."""
    promised = {row.id: (row.started_at, row.appeal_type, row.milestone) for row in record.promised}
    clocks, holds = _by_round(record.clocks, "subject_id"), _by_round(record.holds, "subject_id")
    contacts, answers, callbacks = (
        _by_round(rows, "appeal_id") for rows in (record.contacts, record.answers, record.callbacks)
    )
    found: dict[UUID, list[Round]] = {}
    for appeal in appeals:
        began = _beginnings(appeal, clocks)
        found[appeal.id] = [
            Round(
                number=number,
                started_at=start,
                ended_at=min((at for later, at in began.items() if later > number), default=appeal.closed_at),
                clocks={row.milestone: _ran(row, promised) for row in clocks[appeal.id, number]},
                attempts=[Attempt(row.at, row.result) for row in contacts[appeal.id, number]],
                answers=[row.at for row in answers[appeal.id, number]],
                callbacks=[row.at for row in callbacks[appeal.id, number]],
                stands=[Stand(frozenset(row.milestones), row.since, row.until) for row in holds[appeal.id, number]],
            )
            for number, start in began.items()
        ]
    return found


def _beginnings(appeal: Any, clocks: _By) -> dict[int, datetime]:
    """When each round began: the first when the customer spoke, a later one with its first clock, or when the appeal
    was reopened last."""
    began: dict[int, datetime] = {1: appeal.received_at}
    for number in range(2, appeal.round + 1):
        starts = [clock.started_at for clock in clocks[appeal.id, number]]
        if number == appeal.round and appeal.reopened_at is not None:
            starts.append(appeal.reopened_at)
        if starts:
            began[number] = min(starts)
    return began


def _ran(row: Any, promised: dict[UUID, tuple[datetime, str, str]]) -> Ran:
    promise = promised.get(row.promised_by)
    return Ran(row.milestone, row.started_at, row.due_at, row.state, row.stopped_at, promise)


def _by_round(rows: Iterable[Any], appeal: str) -> _By:
    found: _By = defaultdict(list)
    for row in rows:
        found[getattr(row, appeal), row.round].append(row)
    return found
