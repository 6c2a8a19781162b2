"""What a clock is set to: its deadline, why, and the instants at which its ladder fires. Pure.

How a period is counted is told in `calendars.counting`; this module is the door to it for the floors above.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.calendars.civil import DAY, HOUR, instant_of, ticks_of
from appeal_tracker.calendars.counting import Day, Deadline, Hold, counted_days, due, explain, is_met, run, starting
from appeal_tracker.calendars.period import Period, Unit
from appeal_tracker.calendars.refusals import NotCovered
from appeal_tracker.policies.ladder import PARTS, Measure, Phase, Step
from appeal_tracker.policies.quiet import QuietHours

__all__ = ["Day", "Deadline", "Hold", "Period", "Point", "due", "explain", "is_met", "last_safe_moment", "points"]

SAFE_BEFORE_QUIET = HOUR // 2
JUST_AFTER_QUIET = HOUR

# A member bound to a name is read several times faster than through its enum.
_IN_HOURS, _IN_WORKING_DAYS = Unit.HOURS, Unit.WORKING_DAYS
_OF_PARTS, _OF_HOURS, _BEFORE = Measure.PARTS, Measure.HOURS, Phase.BEFORE


class Point(msgspec.Struct, frozen=True):
    """One timer: which step fires at which instant (UTC), and whom it tells."""

    step: str
    phase: Phase
    fire_at: datetime
    tell: tuple[str, ...]


def points(
    ladder: Sequence[Step],
    start: datetime,
    period: Period,
    calendar: Calendar,
    quiet: QuietHours | None = None,
    holds: Sequence[Hold] = (),
) -> tuple[Point, ...]:
    """Return the timers of a clock in the order they fire, none of them before its start. Refused as by `due`.

    A repeated step gives one timer each time, named `every 1wd#1`, `every 1wd#2`. A step that would fire so many
    working days after the deadline that the calendar has ended is left out: it has no day.
    """
    course = _Course(start, period, calendar, holds)
    firings = sorted(
        (
            (max(ticks, course.start), step, time)
            for step in ladder
            for time in range(1, step.moment.times + 1)
            if (ticks := course.ticks(step.moment.measure, step.moment.amount * time)) is not None
        ),
        key=lambda firing: firing[0],
    )
    timers = []
    latest = course.end
    for ticks, step, time in reversed(firings):
        moment = step.moment
        if quiet is not None and moment.phase is _BEFORE:
            # A warning moved forward takes those before it along, so that the order of the ladder stands.
            latest = ticks = min(latest, max(_last_safe(ticks, course.end, quiet), course.start))
        timers.append(Point(moment.name(time), moment.phase, instant_of(ticks), step.tell))
    return tuple(reversed(timers))


def last_safe_moment(fire_at: datetime, due_at: datetime, quiet: QuietHours) -> datetime:
    """Return when a warning must fire so that someone can still act on it.

    A warning that would fall into the quiet hours in which, or within an hour after which, its deadline ends would be
    read too late: it fires half an hour before they begin. Every other warning stays where it is.
    """
    return instant_of(_last_safe(ticks_of(fire_at), ticks_of(due_at), quiet))


def _last_safe(ticks: int, end: int, quiet: QuietHours) -> int:
    stretch = quiet.stretch(ticks)
    if stretch is None or end > stretch[1] + JUST_AFTER_QUIET:
        return ticks
    return stretch[0] - SAFE_BEFORE_QUIET


class _Course:
    """The way of one clock from its start to its end, on the axis of what its period counts, in ticks.

    Hours count as they pass, outside holds. Days count 24 hours each, one after the other: half of seven working days
    is noon of the fourth, half of two is 24:00 of the first, as the whole is 24:00 of the last.
    """

    def __init__(self, start: datetime, period: Period, calendar: Calendar, holds: Sequence[Hold]) -> None:
        self.start = starting(start)
        self._period, self._calendar, self._holds = period, calendar, holds
        if period.unit is _IN_HOURS:
            self._days: list[int] = []
            self.end = run(self.start, period.count * HOUR, holds)
        else:
            self._days = counted_days(self.start, period, calendar, holds)
            self.end = self._days[-1] * DAY + period.closes

    def ticks(self, measure: Measure, amount: int) -> int | None:
        """Return where a moment lies: so many parts of the way, or hours or working days off its end; None if the
        calendar has ended by then."""
        if measure is _OF_PARTS:
            return self._part(amount)
        if measure is _OF_HOURS:
            return self._hours_off(amount * HOUR)
        return self._working_days_off(amount) if amount > 0 else self._working_days_before(-amount)

    def _part(self, parts: int) -> int:
        if self._period.unit is _IN_HOURS:
            return run(self.start, self._period.count * HOUR * parts // PARTS, self._holds)
        length = (self._period.count - 1) * DAY + self._period.closes
        index, time_of_day = divmod(length * parts // PARTS - 1, DAY)
        return self._days[index] * DAY + time_of_day + 1

    def _hours_off(self, offset: int) -> int:
        if offset < 0 and self._period.unit is _IN_HOURS:
            return run(self.start, max(self._period.count * HOUR + offset, 0), self._holds)
        return self.end + offset

    def _working_days_off(self, n: int) -> int | None:
        day, time_of_day = self._end_of_day()
        try:
            return self._calendar.after(day, n) * DAY + time_of_day
        except NotCovered:
            return None

    def _working_days_before(self, n: int) -> int:
        """Go back along the days the period counts where it counts working days, else along the calendar's."""
        day, time_of_day = self._end_of_day()
        if self._period.unit is _IN_WORKING_DAYS:
            return self._days[-1 - n] * DAY + time_of_day if n < len(self._days) else self.start
        try:
            return self._calendar.before(day, n) * DAY + time_of_day
        except NotCovered:
            return self.start  # earlier than the calendar begins, and so than the start

    def _end_of_day(self) -> tuple[int, int]:
        """Split the end into its day and time of day; midnight is 24:00 of the day that ends."""
        day = (self.end - 1) // DAY
        return day, self.end - day * DAY
