"""What a device's clock said, and what that is in our time. Pure.

A push measures how far the clock is off: our time when it comes, less the device's time when it was sent. Within the
tolerance that a caller's clock has anyway, its times are taken as they are; beyond it they are moved by the measured
offset. What still cannot be (it lies ahead, or before there were calendars) is taken for the time of the push. Nothing
is ever refused for a clock, and what the device said is kept beside what it was taken for.
"""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from chassis.web.moments import TOLERANCE
from visit_api.moments import EARLIEST_RECEIPT

Mark = Literal["as_said", "corrected", "untrusted"]


class Taken(NamedTuple):
    """A device's time as it is taken, and why."""

    at: datetime
    mark: Mark


class Reading(NamedTuple):
    """A device's clock as a push found it: `now` is our time then, `offset` what its times are moved by to be ours."""

    now: datetime
    offset: timedelta

    @property
    def is_wrong(self) -> bool:
        """Whether the clock is further off than a caller's may be."""
        return abs(self.offset) > TOLERANCE

    @property
    def milliseconds(self) -> int:
        """The offset as it is kept."""
        return round(self.offset / timedelta(milliseconds=1))

    def takes(self, said: datetime) -> Taken:
        """What a time of the device's is in ours."""
        try:
            at = said + self.offset if self.is_wrong else said
        except OverflowError:
            return Taken(self.now, "untrusted")
        if at < EARLIEST_RECEIPT or at > self.now + TOLERANCE:
            return Taken(self.now, "untrusted")
        return Taken(at, "corrected" if self.is_wrong else "as_said")


def read(sent_at: datetime, now: datetime) -> Reading:
    """How far a clock is off that showed `sent_at` when the push left; how long the push took counts with it."""
    return Reading(now, now - sent_at)
