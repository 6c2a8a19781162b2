"""What becomes of the packs that appeals and visits are timed by."""

from uuid import UUID

from contracts.envelope import Event
from contracts.fields import Pack, StaffNo, Time, UnitCode


class PolicyWithdrawn(Event, type="policy.withdrawn.v1", topic="appeal.events", key="withdrawal_id"):
    """A pack was withdrawn: nobody is told any more by the ladders of it. `unit_code` is the unit it was done from."""

    withdrawal_id: UUID
    policy: Pack
    unit_code: UnitCode
    at: Time
    by: StaffNo
