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
    """The rounds of each appeal, the first one first. Those between which an appeal was only reclassified are one, of
    the type that it had in the last of them."""
    promised = {row.id: (row.started_at, row.appeal_type, row.milestone) for row in record.promised}
    clocks, holds = _by_round(record.clocks, "subject_id"), _by_round(record.holds, "subject_id")
    contacts, answers, callbacks = (
        _by_round(rows, "appeal_id") for rows in (record.contacts, record.answers, record.callbacks)
    )
    endings: dict[UUID, list[Any]] = defaultdict(list)
    for row in record.endings:
        endings[row.appeal_id].append(row)
    return {
        appeal.id: [
            Round(
                number=its[-1],
                received_at=appeal.received_at,
                ended_at=appeal.closed_at if its[-1] == appeal.round else _nth(endings[appeal.id], its[-1]),
                clocks={row.milestone: _ran(row, promised) for row in clocks[appeal.id, its[-1]]},
                attempts=[Attempt(row.at, row.result) for row in _of(contacts, appeal, its)],
                answers=[row.at for row in _of(answers, appeal, its)],
                callbacks=[Attempt(row.at, row.result) for row in _of(callbacks, appeal, its)],
                stands=[
                    Stand(frozenset(row.milestones), row.since, row.until, row.appeal_type)
                    for row in _of(holds, appeal, its)
                ],
                counts_from=its[0],
                appeal_type=_type(endings[appeal.id], its[-1]),
            )
            for its in _stretches(appeal.round, endings[appeal.id])
        ]
        for appeal in appeals
    }


def _stretches(last: int, endings: Sequence[Any]) -> list[list[int]]:
    """The numbers of the rounds, those together that are one."""
    found: list[list[int]] = [[1]]
    for number in range(2, last + 1):
        goes_on = number - 2 < len(endings) and endings[number - 2].kind == "reclassified"
        if goes_on:
            found[-1].append(number)
        else:
            found.append([number])
    return found


def _of(rows: _By, appeal: Any, numbers: Iterable[int]) -> list[Any]:
    return [row for number in numbers for row in rows[appeal.id, number]]


def _nth(endings: Sequence[Any], number: int) -> datetime | None:
    """When a round ended: each ending is of one."""
    return endings[number - 1].at if number <= len(endings) else None


def _type(endings: Sequence[Any], number: int) -> str | None:
    """Of which type an appeal was at the end of a round, if it was reclassified since."""
    return next((each.old_type for each in endings[number - 1 :] if each.kind == "reclassified"), None)


def _ran(row: Any, promised: dict[UUID, tuple[datetime, str, str]]) -> Ran:
    promise = promised.get(row.promised_by)
    return Ran(row.milestone, row.started_at, row.due_at, row.state, row.stopped_at, promise)


def _by_round(rows: Iterable[Any], appeal: str) -> _By:
    found: _By = defaultdict(list)
    for row in rows:
        found[getattr(row, appeal), row.round].append(row)
    return found
