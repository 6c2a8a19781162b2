"""From the rows of the record to the rounds of appeals, as they happened. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.clocks.acceptance import Attempt
from appeal_tracker.clocks.planning import limit_of
from appeal_tracker.clocks.stood import cancelled_at, stood
from appeal_tracker.policies.policy import Policy
from appeal_tracker.simulations.judging import Ran, Round, Run
from appeal_tracker.simulations.repository import Record

_By = dict[tuple[UUID, int], list[Any]]


def rounds(
    appeals: Sequence[Any], record: Record, policies: Mapping[str, Policy], calendars: Mapping[str, Calendar]
) -> dict[UUID, list[Round]]:
    """The rounds of each appeal, the first one first, with what each clock ran by. Those between which an appeal was
    only reclassified are one, of the type that it had in the last of them."""
    holds, recorded = _by_subject(record.holds, "subject_id"), _by_subject(record.recorded, "appeal_id")
    clocks, runs = _by_round(record.clocks, "subject_id"), {}
    rows = {row.id: row for row in (*record.clocks, *record.promised)}
    for row in rows.values():
        its_rules = policies[row.policy], calendars[row.calendar]
        runs[row.id] = _run(row, *its_rules, holds[row.subject_id], recorded[row.subject_id])
    contacts, answers, callbacks = (
        _by_round(rows, "appeal_id") for rows in (record.contacts, record.answers, record.callbacks)
    )
    found: dict[UUID, list[Round]] = {}
    for appeal in appeals:
        endings = [line for line in recorded[appeal.id] if line.kind in ("closed", "reclassified")]
        found[appeal.id] = [
            Round(
                appeal_id=appeal.id,
                number=its[-1],
                appeal_type=_type(endings, its[-1]) or appeal.type,
                received_at=appeal.received_at,
                ended_at=_nth(endings, its[-1]),
                clocks=[_ran(row, runs, rows, recorded[appeal.id]) for row in clocks[appeal.id, its[-1]]],
                attempts=[Attempt(row.at, row.result) for row in _of(contacts, appeal, its)],
                answers=[row.at for row in _of(answers, appeal, its)],
                callbacks=[Attempt(row.at, row.result) for row in _of(callbacks, appeal, its)],
                holds=holds[appeal.id],
                counts_from=its[0],
            )
            for its in _stretches(appeal.round, endings)
        ]
    return found


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
    later = (each for each in endings[number - 1 :] if each.kind == "reclassified")
    return next((each.data["old_appeal_type"] for each in later), None)


def _run(row: Any, policy: Policy, calendar: Calendar, holds: Sequence[Any], recorded: Sequence[Any]) -> Run:
    limit = limit_of(policy, row)
    its = [hold for hold in holds if hold.stops(row, holdable=limit is not None and limit.holdable)]
    its_stood = stood(row, its, recorded) if its else ()
    return Run(row.subject_id, row.round, row.milestone, row.appeal_type, row.started_at, policy, calendar, its_stood)


def _ran(row: Any, runs: Mapping[UUID, Run], rows: Mapping[UUID, Any], recorded: Sequence[Any]) -> Ran:
    promised: Run | datetime | None = None
    if row.promised_by is not None:
        promised = runs[row.promised_by] if rows[row.promised_by].due_at == row.due_at else row.due_at
    return Ran(runs[row.id], row.due_at, row.state, row.stopped_at, cancelled_at(row, recorded), promised)


def _by_subject(rows: Iterable[Any], subject: str) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        found[getattr(row, subject)].append(row)
    return found


def _by_round(rows: Iterable[Any], appeal: str) -> _By:
    found: _By = defaultdict(list)
    for row in rows:
        found[getattr(row, appeal), row.round].append(row)
    return found
