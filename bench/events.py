"""The event that most rows are about: a complaint raised on a visit."""

from datetime import datetime

from chassis.ids import new_id
from contracts.appeals import AppealRaised

AT = datetime.fromisoformat("2026-10-09T10:00:00+08:00")
UNIT = "37401"


def raised(at: datetime = AT) -> AppealRaised:
    """One more complaint, on a visit of its own."""
    return AppealRaised(
        appeal_id=new_id(),
        appeal_no="VA2026100900001",
        visit_id=new_id(),
        customer_id=new_id(),
        unit_code=UNIT,
        appeal_type="complaint",
        received_at=at,
        recorded_at=at,
        raised_by="S0001",
    )
