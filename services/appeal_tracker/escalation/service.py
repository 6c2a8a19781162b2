"""One batch of due timers: claimed, checked once more against their clocks, fired, and told."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum, auto
from itertools import groupby
from operator import attrgetter
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals.models import SUBJECT as APPEAL
from appeal_tracker.clocks import timeline
from appeal_tracker.clocks.punctuality import Fired
from appeal_tracker.clocks.service import promptly
from appeal_tracker.clocks.states import ClockState
from appeal_tracker.clocks.timeline import Entry
from appeal_tracker.escalation import repository
from appeal_tracker.escalation.repository import Due, Share
from appeal_tracker.policies.ladder import Phase
from chassis import crash
from chassis.db import meanwhile
from chassis.messaging.outbox import Outbox, Row
from chassis.runtime import Runtime
from contracts.deadlines import DeadlineBreached, DeadlineEscalated, DeadlineWarned, LadderEvent

_EVENTS: dict[str, tuple[type[LadderEvent], str]] = {
    Phase.BEFORE: (DeadlineWarned, "deadline_warned"),
    Phase.DUE: (DeadlineBreached, "deadline_breached"),
    Phase.AFTER: (DeadlineEscalated, "deadline_escalated"),
}
CANARY = "canary"  # the kind of subject that nobody is told about
_ORDER: dict[str, int] = {Phase.BEFORE: 0, Phase.DUE: 1, Phase.AFTER: 2}  # of what is due at one instant


class Step(Protocol):
    """What is asked about a timer to know whom it tells."""

    @property
    def clock_id(self) -> UUID: ...
    @property
    def step(self) -> str: ...
    @property
    def tell(self) -> Sequence[str]: ...
    @property
    def fire_at(self) -> datetime: ...


class Fate(Enum):
    """What becomes of a timer that is due."""

    FIRE = auto()
    CANCEL = auto()  # its clock was stopped or cancelled, or its pack withdrawn: there is nothing to say any more
    WAIT = auto()  # its clock's breach comes first


def fate(phase: str, state: str, *, stopped: bool, silent: bool = False) -> Fate:
    """What becomes of a due timer, by its phase and the state of its clock; `stopped`: before the timer's moment;
    `silent`: its pack was withdrawn, and the breach alone is recorded."""
    if stopped or state in (ClockState.MET, ClockState.CANCELLED) or (silent and phase != Phase.DUE):
        return Fate.CANCEL
    if state == ClockState.BREACHED:
        return Fate.CANCEL if phase == Phase.DUE else Fate.FIRE
    return Fate.FIRE if state == ClockState.RUNNING and phase != Phase.AFTER else Fate.WAIT


async def fire_due(
    tx: AsyncSession, runtime: Runtime, since: datetime, most: int, share: Share, *, of_all: bool
) -> tuple[int, Mapping[Fired, int]]:
    """Fires the timers of a share that have been due `since` an instant, about so many at most; returns how many have
    ended, and of which kind those are that fired. `of_all`: nothing that is due was seen before that instant.

    Never early: `fire_at` is compared with domain time. The breach of a deadline is recorded whether or not anybody is
    to be told of it. The canary's timer is fired like any other, and nobody is told.
    """
    now, late_before = runtime.clock.now(), promptly(runtime.clock)
    firing, cancelled, breached = await _claimed(tx, since, now, late_before, most, share, of_all=of_all)
    if not firing and not cancelled:
        return 0, {}
    ended: list[tuple[UUID, str, bool | None]] = [(row.clock_id, row.step, row.fire_at < late_before) for row in firing]
    ended += [(row.clock_id, row.step, None) for row in cancelled]
    told = [row for row in firing if row.subject_kind != CANARY]
    writing = repository.write(tx, ended, breached, now)
    entries, rows = await meanwhile(writing, lambda: _in_words(told, runtime.outbox, now, late_before))
    if told:
        await timeline.note(tx, entries, now)
        await runtime.outbox.put(tx, rows)
    crash.point("escalation.written")
    return len(ended), _kinds(told, now)


def _kinds(told: Sequence[Due], now: datetime) -> Mapping[Fired, int]:
    """How many fired of each kind. Those of one moment come one after the other: thousands are not asked their hash."""
    kinds = Counter[Fired]()
    for (phase, moment), alike in groupby(told, key=lambda row: (row.phase, row.set_at or row.fire_at)):
        kinds[Fired(phase, (now - moment).total_seconds())] += sum(1 for _ in alike)
    return kinds


def told_once(firing: Sequence[Step], late_before: datetime) -> dict[tuple[UUID, str], list[str]]:
    """Whom those steps tell, by clock and step, that do not tell whom they name: of several of one clock that are late
    at once the last tells all whom any of them names, and the others nobody. They are recorded, and the people hear of
    the highest."""
    late: dict[UUID, list[Step]] = {}
    for row in firing:
        if row.fire_at < late_before:
            late.setdefault(row.clock_id, []).append(row)
    audiences: dict[tuple[UUID, str], list[str]] = {}
    for together in late.values():
        if len(together) > 1:
            audiences.update(((row.clock_id, row.step), []) for row in together)
            everybody = dict.fromkeys(audience for row in together for audience in row.tell)
            audiences[together[-1].clock_id, together[-1].step] = [*everybody]
    return audiences


async def _claimed(
    tx: AsyncSession, since: datetime, now: datetime, late_before: datetime, most: int, share: Share, *, of_all: bool
) -> tuple[list[Due], list[Due], set[UUID]]:
    """Claims timers that are due and decides about them: see `_decide`.

    Where most of what was claimed cannot end now, for somebody is acting on its appeal or its breach is not recorded,
    more is claimed: such timers come first again in every turn, and must not stand before those that can.
    """
    while True:
        rows = await repository.claim(tx, since, now, most, share)
        full = len(rows) >= most
        if rows and rows[0].fire_at < late_before and (full or not of_all):
            # Steps that are late together are told of together, also where a batch begins or ends between them.
            late = {row.clock_id for row in rows if row.fire_at < late_before}
            rows = [*(row for row in rows if row.clock_id not in late), *await repository.all_due(tx, now, late)]
        crash.point("escalation.claimed")
        firing, cancelled, breached = _decide(await _free(tx, rows))
        if not full or 2 * (len(firing) + len(cancelled)) >= len(rows):
            return firing, cancelled, breached
        most *= 2


async def _free(tx: AsyncSession, rows: Sequence[Due]) -> list[Due]:
    """Holds the appeals that will show a breach, and leaves out the timers of those that somebody is acting on."""
    breaching = {
        row.subject_id
        for row in rows
        if row.subject_kind == APPEAL and row.phase == Phase.DUE and row.state == ClockState.RUNNING
    }
    busy = await repository.hold(tx, breaching)
    return [row for row in rows if row.subject_id not in busy] if busy else [*rows]


def _decide(rows: Sequence[Due]) -> tuple[list[Due], list[Due], set[UUID]]:
    """Those that fire, those that are cancelled, and the clocks that are breached; in the order they are due."""
    firing, cancelled, breached = [], [], set()
    for row in sorted(sorted(rows, key=lambda row: _ORDER[row.phase]), key=attrgetter("fire_at")):
        state = ClockState.BREACHED if row.clock_id in breached else row.state
        stopped = row.stopped_at is not None and row.fire_at > row.stopped_at
        its = fate(row.phase, state, stopped=stopped, silent=row.silent)
        if its is Fate.FIRE:
            firing.append(row)
            if row.phase == Phase.DUE:
                breached.add(row.clock_id)
        elif its is Fate.CANCEL:
            cancelled.append(row)
    return firing, cancelled, breached


def _in_words(
    told: Sequence[Due], outbox: Outbox, now: datetime, late_before: datetime
) -> tuple[list[Entry], Sequence[Row]]:
    """What the timelines keep of timers that fired, and what is told of them."""
    others = told_once(told, late_before)
    events = [
        _event(row, now, others.get((row.clock_id, row.step), row.tell), late=row.fire_at < late_before) for row in told
    ]
    return [_entry(row, event) for row, event in zip(told, events, strict=True)], outbox.rows(events, now)


def _event(row: Due, now: datetime, audience: list[str], *, late: bool) -> LadderEvent:
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
        owner=row.owner,
        first_contact=row.first_contact,
        step=row.step,
        audience=audience,
        late=late,
        late_arrival=row.late_arrival,
        packs=row.packs,
    )


def _entry(row: Due, event: LadderEvent) -> Entry:
    data: dict[str, object] = {
        "clock_id": row.clock_id,
        "milestone": row.milestone,
        "step": row.step,
        "due_at": row.due_at,
        "fire_at": row.fire_at,
        "audience": event.audience,
        "late": event.late,
    }
    if row.late_arrival:
        data["late_arrival"] = True
    return Entry(row.subject_id, _EVENTS[row.phase][1], event.at, None, data)
