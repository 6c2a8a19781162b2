"""When a customer can have spoken: not in the future, and not before there were calendars."""

from datetime import datetime

from appeal_tracker.calendars.civil import instant_of
from chassis.web.errors import FieldError, Unprocessable, Words
from chassis.web.moments import happened

_TOO_EARLY = Words("早于 2007 年", "Before the year 2007")


def received(at: datetime, now: datetime, pointer: str = "/received_at") -> datetime:
    """`at`, once it is sure that its deadlines can be counted. Raises `Unprocessable`, `InTheFuture`."""
    if at < instant_of(0):
        raise Unprocessable(FieldError(pointer, "time_too_early", _TOO_EARLY))
    return happened(at, now, pointer)
