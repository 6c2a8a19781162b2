"""Which times can be stored: what a caller says happened, happened."""

from datetime import UTC, datetime, timedelta

from chassis.web.errors import FieldError, Unprocessable, Words

TOLERANCE = timedelta(minutes=2)  # a caller's clock may be that far ahead of ours
EARLIEST_RECEIPT = datetime(2006, 12, 31, 16, tzinfo=UTC)  # 2007-01-01 in Asia/Shanghai: calendars begin there

_AHEAD = Words("时间晚于当前时间 2 分钟以上", "More than 2 minutes ahead of now")
_TOO_EARLY = Words("早于 2007 年", "Before the year 2007")


def happened(at: datetime, now: datetime, pointer: str = "/at") -> datetime:
    """`at`, once it is sure not to lie ahead; raises `Unprocessable`, pointing to the field."""
    if at > now + TOLERANCE:
        raise Unprocessable(FieldError(pointer, "time_ahead", _AHEAD))
    return at


def received(at: datetime, now: datetime, pointer: str = "/received_at") -> datetime:
    """When a customer spoke: not ahead, and not before the calendars that its deadlines are counted on."""
    if at < EARLIEST_RECEIPT:
        raise Unprocessable(FieldError(pointer, "time_too_early", _TOO_EARLY))
    return happened(at, now, pointer)
