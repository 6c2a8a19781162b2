"""What the service finds wrong with itself."""

from uuid import UUID

from contracts.envelope import Event
from contracts.fields import Invariant, Milestone, SubjectKind, Time, UnitCode


class InvariantFailed(Event, type="invariant.failed.v1", topic="appeal.events", key="subject_id"):
    """What must always hold does not hold of a subject: told once when it is found, and again if it comes back.

    `unit_code` is empty for what belongs to no unit, as the canary does not.
    """

    invariant: Invariant
    subject_kind: SubjectKind
    subject_id: UUID
    clock_id: UUID | None
    milestone: Milestone | None
    unit_code: UnitCode
    at: Time
