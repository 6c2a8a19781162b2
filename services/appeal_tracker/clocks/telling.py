"""What is said when a clock was judged or moved: to the bus, and in the timeline of what it runs on."""

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from appeal_tracker.clocks.models import Clock
from appeal_tracker.clocks.planning import NewClock
from appeal_tracker.clocks.recalculation import Recalculated, Running
from appeal_tracker.clocks.service import Stopped
from appeal_tracker.clocks.timeline import Entry
from appeal_tracker.clocks.verdict import Verdict
from contracts.deadlines import (
    DeadlineBreached,
    DeadlineCancelled,
    DeadlineCorrected,
    DeadlineEvent,
    DeadlineMet,
    DeadlineRecalculated,
    DeadlineStarted,
)

_KINDS = {
    Verdict.MET: "deadline_met",
    Verdict.LATE: "deadline_breached",
    Verdict.CORRECTED: "deadline_corrected",
    Verdict.ENDED: "deadline_ended",
}


class Concerned(Protocol):
    """What is asked about the subject of a clock: an appeal, or a visit."""

    @property
    def id(self) -> UUID: ...
    @property
    def visit_id(self) -> UUID | None: ...
    @property
    def unit_code(self) -> str: ...
    @property
    def handling_unit_code(self) -> str: ...
    @property
    def owner(self) -> str | None: ...
    @property
    def first_contact(self) -> str | None: ...


def event(appeal: Concerned, stopped: Stopped, actor: str | None, now: datetime) -> DeadlineEvent | None:
    """What the bus is told; None for a breach it heard of already, and that ends now."""
    clock, told = stopped.clock, stopped.told
    at = clock.stopped_at or now
    if told is not None:
        facts = _facts(appeal, clock, now)
        facts |= {"step": told.step, "audience": told.audience, "late": told.late, "packs": told.packs}
        return DeadlineBreached(**facts, late_arrival=clock.late_arrival)
    if stopped.verdict is Verdict.MET:
        return DeadlineMet(**_facts(appeal, clock, at))
    if stopped.verdict is Verdict.CORRECTED:
        return DeadlineCorrected(**_facts(appeal, clock, at), recorded_at=now, actor=actor)
    return None


def entry(appeal: Concerned, stopped: Stopped, actor: str | None, now: datetime) -> Entry:
    """What the timeline keeps; the true time of the stop, and beside it when that was recorded."""
    clock, told = stopped.clock, stopped.told
    data: dict[str, object] = {"clock_id": clock.id, "milestone": clock.milestone, "due_at": clock.due_at}
    if clock.stopped_at is not None:
        data["stopped_at"] = clock.stopped_at
    if clock.breached_at is not None:
        data["breached_at"] = clock.breached_at
    if told is not None:
        data |= {"step": told.step, "audience": told.audience, "late": told.late}
        data |= {"late_arrival": True} if clock.late_arrival else {}
    at = now if told is not None else clock.stopped_at or now
    return Entry(appeal.id, _KINDS[stopped.verdict], at, actor, data)


def started_entry(appeal: Concerned, clock: NewClock | Clock, actor: str | None) -> Entry:
    """What the timeline keeps of a clock that an act started."""
    data: dict[str, object] = {"clock_id": clock.id, "milestone": clock.milestone, "due_at": clock.due_at}
    return Entry(appeal.id, "deadline_started", clock.started_at, actor, data)


def cancelled(appeal: Concerned, clock: Running, now: datetime) -> DeadlineCancelled:
    """What the bus is told of a clock that lost its object."""
    return DeadlineCancelled(**_facts(appeal, clock, now))


def cancelled_entry(appeal: Concerned, clock: Running, at: datetime, actor: str | None = None) -> Entry:
    """What the timeline keeps of a clock that lost its object by what happened at `at`."""
    data: dict[str, object] = {"clock_id": clock.id, "milestone": clock.milestone, "due_at": clock.due_at}
    return Entry(appeal.id, "deadline_cancelled", at, actor, data)


def started(
    subject: Concerned, clock: Running, cause: str, actor: str | None, now: datetime, recalculation_id: UUID
) -> DeadlineStarted:
    """What the bus is told of a clock that other rules let begin."""
    return DeadlineStarted(
        **_facts(subject, clock, now),
        started_at=clock.started_at,
        provisional=clock.provisional,
        policy=clock.policy,
        calendar=clock.calendar,
        cause=cause,
        actor=actor,
        recalculation_id=recalculation_id,
    )


def recalculated(
    subject: Concerned,
    done: Recalculated,
    cause: str,
    actor: str | None,
    now: datetime,
    recalculation_id: UUID | None = None,
) -> tuple[Entry, DeadlineRecalculated]:
    """What the timeline keeps and the bus is told of a clock that was planned anew; for one whose deadline moved."""
    clock = done.clock
    told = DeadlineRecalculated(
        **_facts(subject, clock, now),
        old_due_at=done.old_due_at,
        provisional=clock.provisional,
        cause=cause,
        actor=actor,
        recalculation_id=recalculation_id,
        old_policy=done.old_policy,
        policy=clock.policy,
        old_calendar=done.old_calendar,
        calendar=clock.calendar,
    )
    data = {**_versions(done, cause), "recalculation_id": recalculation_id}
    return Entry(subject.id, "deadline_recalculated", now, actor, data), told


def kept(
    subject: UUID,
    done: Recalculated,
    cause: str,
    actor: str | None,
    now: datetime,
    recalculation_id: UUID | None = None,
) -> Entry:
    """What the timeline keeps of a clock that other versions of its rules left where it was: nobody else is told. It
    names its job otherwise than what moved, for it is none of that job's changes."""
    data = {**_versions(done, cause), "recalculation": recalculation_id}
    return Entry(subject, "deadline_kept", now, actor, data)


def _versions(done: Recalculated, cause: str) -> dict[str, object]:
    clock = done.clock
    return {
        "clock_id": clock.id,
        "milestone": clock.milestone,
        "cause": cause,
        "old_due_at": done.old_due_at,
        "due_at": clock.due_at,
        "old_provisional": done.old_provisional,
        "provisional": clock.provisional,
        "old_policy": done.old_policy,
        "policy": clock.policy,
        "old_calendar": done.old_calendar,
        "calendar": clock.calendar,
    }


def _facts(appeal: Concerned, clock: Running, at: datetime) -> dict[str, Any]:
    return {
        "clock_id": clock.id,
        "subject_kind": clock.subject_kind,
        "subject_id": clock.subject_id,
        "visit_id": appeal.visit_id,
        "unit_code": appeal.unit_code,
        "handling_unit_code": appeal.handling_unit_code,
        "milestone": clock.milestone,
        "round": clock.round,
        "due_at": clock.due_at,
        "at": at,
        "owner": appeal.owner,
        "first_contact": appeal.first_contact,
    }
