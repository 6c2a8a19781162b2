"""When a customer can have spoken."""

from datetime import UTC, datetime

from chassis.web.errors import FieldError, Unprocessable, Words
from chassis.web.moments import happened

EARLIEST_RECEIPT = datetime(2006, 12, 31, 16, tzinfo=UTC)  # 2007-01-01 in Asia/Shanghai: calendars begin there

_TOO_EARLY = Words("早于 2007 年", "Before the year 2007")


def received(at: datetime, now: datetime, pointer: str = "/received_at") -> datetime:
    """When a customer spoke: not ahead, and not before the calendars that its deadlines are counted on. Raises
    `Unprocessable`, `InTheFuture`."""
    if at < EARLIEST_RECEIPT:
        raise Unprocessable(FieldError(pointer, "time_too_early", _TOO_EARLY))
    return happened(at, now, pointer)
