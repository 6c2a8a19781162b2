"""Units and staff as everyone may know them; names, phones and addresses never travel."""

from uuid import UUID

from contracts.envelope import Event
from contracts.fields import Role, StaffNo, UnitCode


class UnitChanged(Event, type="directory.unit_changed.v1", topic="directory.changes", key="id"):
    """A unit as it is since `version`; a lower version heard later is stale. One that was `merged_into` another is
    closed for good and stands below that one, which has by and by whatever it had open."""

    id: UUID
    unit_code: UnitCode
    parent_code: UnitCode | None
    version: int
    merged_into: UnitCode | None = None


class UnitRemoved(Event, type="directory.unit_removed.v1", topic="directory.changes", key="id", tombstone=True):
    """A unit is gone."""

    id: UUID


class StaffChanged(Event, type="directory.staff_changed.v1", topic="directory.changes", key="id"):
    """A staff member as they are since `version`; a lower version heard later is stale."""

    id: UUID
    staff_no: StaffNo
    unit_code: UnitCode
    roles: list[Role]
    active: bool
    version: int


class StaffRemoved(Event, type="directory.staff_removed.v1", topic="directory.changes", key="id", tombstone=True):
    """A staff member is gone; one who left but is still named in records is `active: false` instead."""

    id: UUID


class StaffHandedOver(Event, type="staff.handed_over.v1", topic="visit.events", key="hand_over_id"):
    """All the open work of somebody went to somebody else, by the word of `by`; told once, unlike what the directory
    tells again and again: whoever has work of theirs hands it over."""

    hand_over_id: UUID
    unit_code: UnitCode
    staff_no: StaffNo
    to: StaffNo
    by: StaffNo
