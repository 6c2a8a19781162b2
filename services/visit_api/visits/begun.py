"""Whether what is recorded of a visit can have been done on it: nothing is done on a visit long before it begins."""

from datetime import datetime, timedelta

from chassis.web.errors import Unprocessable
from visit_api.visits.errors import long_before_start
from visit_api.visits.models import Visit

# A visit is begun late in the app more often than a step is taken on a wrong day; and clocks differ.
_BEGUN_LATE = timedelta(days=1)


def is_before(at: datetime, began: datetime | None) -> bool:
    """Whether `at` is too early for a visit that has begun; of one that has not, nobody knows."""
    return began is not None and at < began - _BEGUN_LATE


def require_begun(visit: Visit, at: datetime) -> None:
    """Raises `Unprocessable`, pointing to the time, for what was done more than a day before the visit began."""
    if is_before(at, visit.started_at):
        raise Unprocessable(long_before_start("/at"))
