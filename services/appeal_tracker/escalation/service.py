"""One batch of due timers: claimed, checked once more against their clocks, fired, and told."""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum, auto
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import repository as appeals
from appeal_tracker.appeals.repository import Entry
from appeal_tracker.clocks.service import promptly
from appeal_tracker.clocks.states import ClockState, TimerState
from appeal_tracker.escalation import repository
from appeal_tracker.policies.ladder import Phase
from chassis import crash
from chassis.runtime import Runtime
from contracts.deadlines import DeadlineBreached, DeadlineEscalated, DeadlineWarned, LadderEvent

_EVENTS: dict[str, tuple[type[LadderEvent], str]] = {
    Phase.BEFORE: (DeadlineWarned, "deadline_warned"),
    Phase.DUE: (DeadlineBreached, "deadline_breached"),
    Phase.AFTER: (DeadlineEscalated, "deadline_escalated"),
}
_ORDER = {Phase.BEFORE: 0, Phase.DUE: 1, Phase.AFTER: 2}  # of what is due at one instant


class Fate(Enum):
    """What becomes of a timer that is due."""

    FIRE = auto()
    CANCEL = auto()  # its clock was stopped or cancelled: there is nothing to say any more
    WAIT = auto()  # its clock's breach comes first


class Fired(msgspec.Struct, frozen=True):
    """A timer that fired, and how long after its moment, in seconds of domain time."""

    phase: str
    lateness: float


def fate(phase: str, state: str, *, stopped: bool) -> Fate:
    """What becomes of a due timer, by its phase and the state of its clock; `stopped`: before the timer's moment."""
    if stopped or state in (ClockState.MET, ClockState.CANCELLED):
        return Fate.CANCEL
    if state == ClockState.BREACHED:
        return Fate.CANCEL if phase == Phase.DUE else Fate.FIRE
    return Fate.FIRE if state == ClockState.RUNNING and phase != Phase.AFTER else Fate.WAIT


async def fire_due(tx: AsyncSession, runtime: Runtime, most: int) -> tuple[int, list[Fired]]:
    """Fires the timers that are due, at most so many; returns how many have ended, and those of them that fired.

    Never early: `fire_at` is compared with domain time. The breach of a deadline is recorded whether or not anybody is
    to be told of it.
    """
    now = runtime.clock.now()
    rows = await repository.claim(tx, now, most)
    crash.point("escalation.claimed")
    rows = await _free(tx, rows, now)
    firing, cancelled, breached = _decide(rows)
    if not firing and not cancelled:
        return 0, []
    late_before = promptly(runtime.clock)
    ended: list[tuple[UUID, str, str, bool | None]] = [
        (row.clock_id, row.step, TimerState.FIRED, row.fire_at < late_before) for row in firing
    ]
    ended += [(row.clock_id, row.step, TimerState.CANCELLED, None) for row in cancelled]
    await repository.write(tx, ended, breached, now)
    events = [_event(row, now, late=row.fire_at < late_before) for row in firing]
    await appeals.note(tx, [_entry(row, event) for row, event in zip(firing, events, strict=True)], now)
    await runtime.outbox.append(tx, events, at=now)
    crash.point("escalation.written")
    return len(ended), [Fired(row.phase, (now - row.fire_at).total_seconds()) for row in firing]


async def _free(tx: AsyncSession, rows: Sequence[Row[Any]], now: datetime) -> list[Row[Any]]:
    """Marks the appeals that will show a breach, and leaves out the timers of those that somebody is acting on."""
    breaching = {row.subject_id for row in rows if row.phase == Phase.DUE and row.state == ClockState.RUNNING}
    busy = breaching - await repository.touch(tx, breaching, now)
    return [row for row in rows if row.subject_id not in busy]


def _decide(rows: Sequence[Row[Any]]) -> tuple[list[Row[Any]], list[Row[Any]], set[UUID]]:
    """Those that fire, those that are cancelled, and the clocks that are breached; in the order they are due."""
    firing, cancelled, breached = [], [], set()
    for row in sorted(rows, key=lambda row: (row.fire_at, _ORDER[row.phase])):
        state = ClockState.BREACHED if row.clock_id in breached else row.state
        its = fate(row.phase, state, stopped=row.stopped_at is not None and row.fire_at > row.stopped_at)
        if its is Fate.FIRE:
            firing.append(row)
            if row.phase == Phase.DUE:
                breached.add(row.clock_id)
        elif its is Fate.CANCEL:
            cancelled.append(row)
    return firing, cancelled, breached


def _event(row: Row[Any], now: datetime, *, late: bool) -> LadderEvent:
    kind, _ = _EVENTS[row.phase]
    return kind(
        clock_id=row.clock_id,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        visit_id=row.visit_id,
        unit_code=row.unit_code,
        handling_unit_code=row.handling_unit_code,
        milestone=row.milestone,
        round=row.round,
        due_at=row.due_at,
        at=now,
        owner=row.handler or row.first_contact,
        first_contact=row.first_contact,
        step=row.step,
        audience=row.tell,
        late=late,
    )


def _entry(row: Row[Any], event: LadderEvent) -> Entry:
    data: dict[str, object] = {"clock_id": row.clock_id, "milestone": row.milestone, "step": row.step}
    data |= {"due_at": row.due_at, "fire_at": row.fire_at, "audience": row.tell, "late": event.late}
    return Entry(row.subject_id, _EVENTS[row.phase][1], event.at, None, data)
