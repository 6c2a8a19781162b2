"""Whether what is recorded of a visit can have been done on it: nothing is done on a visit before it begins."""

from datetime import datetime, timedelta

from chassis.web.errors import Unprocessable
from visit_api.visits.errors import before_start
from visit_api.visits.models import Visit

_CLOCKS_DIFFER = timedelta(minutes=5)  # by so much at most, between whoever began a visit and whoever records


def is_before(at: datetime, began: datetime | None) -> bool:
    """Whether `at` is too early for a visit that has begun; of one that has not, nobody knows."""
    return began is not None and at < began - _CLOCKS_DIFFER


def require_begun(visit: Visit, at: datetime) -> None:
    """Raises `Unprocessable`, pointing to the time, for what was done before the visit began."""
    if is_before(at, visit.started_at):
        raise Unprocessable(before_start("/at"))
