"""Who is away, and who stands in: as the tracker says, by staff number and time alone."""

from uuid import UUID

from contracts.envelope import Event
from contracts.fields import StaffNo, Time, UnitCode


class AbsenceChanged(Event, type="absence.changed.v1", topic="appeal.events", key="absence_id"):
    """An absence as it is now: from `since` until before `until`, without an end so far where that is null. Nobody
    stands in where `substitute` is null. What was said last of one absence counts."""

    absence_id: UUID
    staff_no: StaffNo
    unit_code: UnitCode
    since: Time
    until: Time | None
    substitute: StaffNo | None
    at: Time
    by: StaffNo
