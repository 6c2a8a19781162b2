"""What became of a clock, on an appeal, a visit or the canary."""

from uuid import UUID

from contracts.envelope import Event
from contracts.fields import (
    Audience,
    CalendarVersion,
    Milestone,
    Pack,
    PolicyVersion,
    RecalculationCause,
    StaffNo,
    Step,
    SubjectKind,
    Time,
    UnitCode,
)


class DeadlineEvent(Event):
    """What every deadline event says.

    `unit_code` is the raising unit, `handling_unit_code` the one at work on it; `owner` is the handler, else the
    first-contact person; with neither, the unit's supervisors own it.
    """

    clock_id: UUID
    subject_kind: SubjectKind
    subject_id: UUID
    visit_id: UUID | None
    unit_code: UnitCode
    handling_unit_code: UnitCode
    milestone: Milestone
    round: int
    due_at: Time
    at: Time
    owner: StaffNo | None
    first_contact: StaffNo | None


class LadderEvent(DeadlineEvent):
    """A step of the ladder was reached: `audience` is to be told; `late` if downtime ate the moment it was due.

    Of several steps of a clock that are late at once the highest names all their audiences, the others none.
    `late_arrival`: the deadline was past already when its subject, or what it runs from, was heard of. `packs`: those
    that name the steps of this ladder, of its clock and of those that it speaks for; empty where an earlier version
    said it.
    """

    step: Step
    audience: list[Audience]
    late: bool
    late_arrival: bool = False
    packs: list[Pack] = []


class DeadlineWarned(LadderEvent, type="deadline.warned.v1", topic="appeal.events", key="subject_id"):
    """The deadline draws near."""


class DeadlineBreached(LadderEvent, type="deadline.breached.v1", topic="appeal.events", key="subject_id"):
    """The deadline passed without its stop."""


class DeadlineEscalated(LadderEvent, type="deadline.escalated.v1", topic="appeal.events", key="subject_id"):
    """The deadline has been past for a while and goes further up."""


class DeadlineMet(DeadlineEvent, type="deadline.met.v1", topic="appeal.events", key="subject_id"):
    """The stop came in time: `at` is not after `due_at`."""


class DeadlineCorrected(DeadlineEvent, type="deadline.corrected.v1", topic="appeal.events", key="subject_id"):
    """A recorded breach turned out to be met: the stop, recorded at `recorded_at`, truly came at `at`."""

    recorded_at: Time
    actor: StaffNo | None


class DeadlineStarted(DeadlineEvent, type="deadline.started.v1", topic="appeal.events", key="subject_id"):
    """The deadline is there by other rules than those its subject was opened by, which did not set it: it runs since
    `started_at`. What begins with an act is told of by that act.

    `cause`, `actor` and `recalculation_id`: why, by whom, in which job; nobody, where the service did it by itself.
    """

    started_at: Time
    provisional: bool
    policy: PolicyVersion
    calendar: CalendarVersion
    cause: RecalculationCause
    actor: StaffNo | None
    recalculation_id: UUID | None


class DeadlineRecalculated(DeadlineEvent, type="deadline.recalculated.v1", topic="appeal.events", key="subject_id"):
    """The deadline is another one now, `due_at` instead of `old_due_at`, or has become certain or provisional; or it
    was cancelled at `old_due_at`, and is back.

    `actor` and `recalculation_id`: by whom, in which job; empty where the service did it by itself, by an act, or an
    earlier version said it, which left out the versions too, by which it was due and is.
    """

    old_due_at: Time
    provisional: bool
    cause: RecalculationCause
    actor: StaffNo | None = None
    recalculation_id: UUID | None = None
    old_policy: PolicyVersion | None = None
    policy: PolicyVersion | None = None
    old_calendar: CalendarVersion | None = None
    calendar: CalendarVersion | None = None


class DeadlineCancelled(DeadlineEvent, type="deadline.cancelled.v1", topic="appeal.events", key="subject_id"):
    """The deadline has no object any more, though its subject goes on: the rules that count now do not set it."""
