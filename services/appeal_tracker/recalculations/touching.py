"""Which clocks a calendar's changed days can touch: told by what times them and when they started. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from appeal_tracker.calendars.calendar import DAYS, Calendar
from appeal_tracker.calendars.civil import DAY, HOUR, day_number, instant_of, ticks_of
from appeal_tracker.calendars.period import Unit
from appeal_tracker.calendars.refusals import NotCovered
from appeal_tracker.clocks.calculation import due, points
from appeal_tracker.policies.ladder import Measure, Phase, Step
from appeal_tracker.policies.policy import Limit


class Kin(NamedTuple):
    """What open clocks have in common that are timed by one limit on one version of a calendar."""

    policy: str
    calendar: str
    subject_kind: str
    appeal_type: str | None
    milestone: str


class Stretch(NamedTuple):
    """The clocks of a kin that started from one instant on until before another."""

    kin: Kin
    since: datetime
    until: datetime


def changed_days(old: Calendar, new: Calendar) -> list[int]:
    """List the numbers of the days that count otherwise by one calendar than by the other, or are a guess in only one
    of them; what a day is called plays no part."""
    marks = _marks(old, new)
    return [number for number in range(DAYS) if marks[number + 1] > marks[number]]


@lru_cache(maxsize=32)
def _marks(old: Calendar, new: Calendar) -> tuple[int, ...]:
    """Of each day, how many changed days lie before it."""
    differ = (
        (was := old.reason_of(number)) is not (its := new.reason_of(number))
        and (was.working, was.estimated) != (its.working, its.estimated)
        for number in range(DAYS)
    )
    return tuple(accumulate(differ, initial=0))


def touched(kin: Kin, limit: Limit, first: datetime, last: datetime, old: Calendar, new: Calendar) -> list[Stretch]:
    """List when those clocks of a kin, none started before `first` or after `last`, started that the days which differ
    between their calendar and a newer one can touch.

    A day touches a clock on whose way it lies: after the day of the start, up to the deadline and to the last step that
    is counted in working days from it; that day too, where such a step may lie on it. Hours pass by every day alike: of
    a period in hours only such steps are touched.
    """
    marks = _marks(old, new)
    if not marks[-1]:
        return []
    ways = _of_hours(limit, first, last, old) if limit.within.unit is Unit.HOURS else _of_days(limit, first, last, old)
    found: list[Stretch] = []
    for since, until, first_day, last_day in ways:
        if marks[last_day + 1] > marks[first_day]:
            if found and found[-1].until == since:
                found[-1] = Stretch(kin, found[-1].since, until)
            else:
                found.append(Stretch(kin, since, until))
    return found


_Way = tuple[datetime, datetime, int, int]  # started from, until; the first and the last day on the way


def _of_days(limit: Limit, first: datetime, last: datetime, calendar: Calendar) -> Iterator[_Way]:
    steps = _in_working_days(limit)
    later = [step for step in steps if step.moment.phase is Phase.AFTER]
    # Along the calendar a step before the deadline may go back to the day of the start.
    goes_back = limit.within.unit is Unit.CALENDAR_DAYS and len(later) < len(steps)
    firings = sum(step.moment.times for step in later)
    for number in range(day_number(first), day_number(last) + 1):
        start = instant_of(number * DAY)
        timers = points(later, start, limit.within, calendar)
        ends = [due(start, limit.within, calendar).due_at, *(point.fire_at for point in timers[-1:])]
        # A step beyond the calendar may come to lie within it by any day that is left.
        latest = (max(map(ticks_of, ends)) - 1) // DAY if len(timers) == firings else DAYS - 1
        yield start, instant_of((number + 1) * DAY), number if goes_back else number + 1, latest


def _of_hours(limit: Limit, first: datetime, last: datetime, calendar: Calendar) -> Iterator[_Way]:
    steps = _in_working_days(limit)
    if not steps:
        return
    farthest = [step.moment.amount * step.moment.times for step in steps]
    length = limit.within.count * HOUR
    ends = range((ticks_of(first) + length - 1) // DAY, (ticks_of(last) + length - 1) // DAY + 1)
    for end in ends:  # midnight is 24:00 of the day that ends
        since, until = end * DAY + 1 - length, (end + 1) * DAY + 1 - length
        if end < DAYS:  # no step in working days lies off a deadline after the calendar
            earliest = _earliest(calendar, end, min(farthest), since)
            yield instant_of(since), instant_of(until), earliest, _latest(calendar, end, max(farthest))


def _earliest(calendar: Calendar, end: int, steps_back: int, since: int) -> int:
    """The first day that a step before the deadline may look at; none of them is before the start."""
    if steps_back >= 0:
        return end + 1
    try:
        return max(calendar.before(end, -steps_back), since // DAY)
    except NotCovered:
        return since // DAY


def _latest(calendar: Calendar, end: int, steps_on: int) -> int:
    """The last day that a step after the deadline may look at; the calendar's last where it would lie beyond that."""
    if steps_on <= 0:
        return end
    try:
        return calendar.after(end, steps_on)
    except NotCovered:
        return DAYS - 1


def _in_working_days(limit: Limit) -> Sequence[Step]:
    return [step for step in limit.ladder if step.moment.measure is Measure.WORKING_DAYS]
