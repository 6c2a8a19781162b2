"""The event that most rows are about: a complaint raised on a visit."""

from datetime import datetime, timedelta
from itertools import count

from chassis.ids import new_id
from contracts.appeals import AppealRaised

AT = datetime.fromisoformat("2026-10-09T10:00:00+08:00")
UNIT = "37401"
_STEP = timedelta(minutes=7, seconds=13)
_numbers = count()


def raised() -> AppealRaised:
    """One more complaint, on a visit of its own, raised at another moment of some weeks."""
    number = next(_numbers)
    at = AT + _STEP * (number % 5000)
    return AppealRaised(
        appeal_id=new_id(),
        appeal_no=f"VA{number:010}",
        visit_id=new_id(),
        customer_id=new_id(),
        unit_code=UNIT,
        appeal_type="complaint",
        received_at=at,
        recorded_at=at,
        raised_by="S0001",
    )
