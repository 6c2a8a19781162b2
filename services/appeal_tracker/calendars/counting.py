"""How a period is counted on a calendar (Civil Code art. 200-204).

Hours run from the instant, through nights and days off. Days: the starting civil day is not counted, and the last
counted day ends at 24:00 or at close of business. Working days count working days, make-up days among them. Calendar
days count every day, but a last day that is off gives way to the next working day.

A hold stops a period in its own unit: held hours are hours, held days are the days that lie wholly inside the hold.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import lru_cache

import msgspec

from appeal_tracker.calendars.calendar import DAYS, Calendar
from appeal_tracker.calendars.civil import (
    DAY,
    HOUR,
    closing_day,
    date_of,
    day_number,
    instant_of,
    number_of,
    ticks_of,
    wall_text,
)
from appeal_tracker.calendars.festivals import FIRST_YEAR, LAST_YEAR
from appeal_tracker.calendars.period import Period, Unit
from appeal_tracker.calendars.refusals import NotCovered

# A member bound to a name is read several times faster than through its enum.
_HOURS, _WORKING_DAYS, _CALENDAR_DAYS = Unit.HOURS, Unit.WORKING_DAYS, Unit.CALENDAR_DAYS


class Hold(msgspec.Struct, frozen=True):
    """A stretch in which a clock stood still; ValueError unless it ends after it began."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if ticks_of(self.until) < ticks_of(self.since):
            raise ValueError(f"a hold from {self.since} cannot end before it began, at {self.until}")


class Deadline(msgspec.Struct, frozen=True):
    """The last instant at which a period is still kept, in UTC.

    `provisional`: days of a year without a published notice had to be counted, so that it may still move.
    """

    due_at: datetime
    provisional: bool = False

    @property
    def last_day(self) -> date:
        return closing_day(self.due_at)

    def __str__(self) -> str:
        return wall_text(self.due_at)


class Day(msgspec.Struct, frozen=True):
    """One civil day of a period: counted or not, and why.

    `reason`: `start_day`, `held`, `hours` (the period runs through it), `calendar_day`, or the calendar's own word:
    `workday`, `make_up`, `weekend`, `festival`; then `name` and `source` are the calendar's, and `estimated` says
    that it had no notice to go by.
    """

    date: date
    counted: bool
    reason: str
    name: str = ""
    source: str = ""
    estimated: bool = False


def due(start: datetime, period: Period, calendar: Calendar, holds: Sequence[Hold] = ()) -> Deadline:
    """Return the deadline of a period that starts at an instant. Refused: NaiveTimeError, NotCovered."""
    if period.unit is _HOURS:
        return Deadline(instant_of(run(starting(start), period.count * HOUR, holds)))
    number = day_number(start)
    if not 0 <= number < DAYS:
        raise _not_covered(start)
    rolls_from = number + period.count
    if holds:
        *earlier, last = counted_days(number * DAY, period, calendar, holds)
        rolls_from = (earlier[-1] if earlier else number) + 1
    elif period.unit is _WORKING_DAYS:
        last = calendar.after(number, period.count)
    else:
        last = calendar.rolled(rolls_from)
    asked_from = number + 1 if period.unit is _WORKING_DAYS else rolls_from
    return Deadline(_closing(last * DAY + period.closes), calendar.estimates(asked_from, last))


def is_met(at: datetime, due_at: datetime) -> bool:
    """Tell whether what was done at an instant was done in time; the deadline itself is in time."""
    return ticks_of(at) <= ticks_of(due_at)


def explain(start: datetime, period: Period, calendar: Calendar, holds: Sequence[Hold] = ()) -> tuple[Day, ...]:
    """List every civil day from the start to the deadline, counted or not, and why."""
    number = starting(start) // DAY
    if period.unit is _HOURS:
        held, last = _whole_days(holds), number_of(due(start, period, calendar, holds).last_day)
        standing = ((day, _within(day, held)) for day in range(number, last + 1))
        return tuple(Day(date_of(day), not still, "held" if still else "hours") for day, still in standing)
    days = [Day(date_of(number), False, "start_day")]
    for day, counted, decided_by in _walk(number, period, calendar, holds):
        if decided_by:
            days.append(Day(date_of(day), counted, decided_by))
        else:
            reason = calendar.reason_of(day)
            days.append(Day(date_of(day), counted, reason.kind, reason.name, reason.source, reason.estimated))
    return tuple(days)


def starting(start: datetime) -> int:
    """Return the ticks of a start; NotCovered if no calendar reaches it."""
    ticks = ticks_of(start)
    if 0 <= ticks < DAYS * DAY:
        return ticks
    raise _not_covered(start)


def _not_covered(start: datetime) -> NotCovered:
    return NotCovered(FIRST_YEAR, LAST_YEAR, start.isoformat())


# Days end at few instants, and to make one takes longer than all the counting.
_closing = lru_cache(maxsize=4096)(instant_of)


def counted_days(ticks: int, period: Period, calendar: Calendar, holds: Sequence[Hold] = ()) -> list[int]:
    """List the numbers of the days that a period of days counts from a start, `period.count` of them."""
    number = ticks // DAY
    if holds:
        return [day for day, counted, _ in _walk(number, period, calendar, holds) if counted]
    if period.unit is _WORKING_DAYS:
        return calendar.run_after(number, period.count)
    last = number + period.count
    return [*range(number + 1, last), calendar.rolled(last)]


def run(ticks: int, length: int, holds: Sequence[Hold] = ()) -> int:
    """Return the ticks at which so much time has passed since a start, holds left out."""
    end = ticks + length
    for since, until in _spans(holds) if holds else ():
        if since >= end:
            break
        end += max(until - max(since, ticks), 0)
    return end


def _walk(number: int, period: Period, calendar: Calendar, holds: Sequence[Hold]) -> Iterator[tuple[int, bool, str]]:
    """Yield each day after the start, up to the last: its number, whether it counts, who decided ("": the calendar)."""
    held = _whole_days(holds)
    left = period.count
    while left:
        number += 1
        counted, decided_by = True, ""
        if held and _within(number, held):
            counted, decided_by = False, "held"
        elif period.unit is _CALENDAR_DAYS and left > 1:
            decided_by = "calendar_day"
        else:
            counted = calendar.reason_of(number).working
        left -= counted
        yield number, counted, decided_by


def _spans(holds: Sequence[Hold]) -> list[tuple[int, int]]:
    """Return the holds as stretches of ticks, in order, those that touch or overlap as one."""
    spans: list[tuple[int, int]] = []
    for since, until in sorted((ticks_of(hold.since), ticks_of(hold.until)) for hold in holds):
        if spans and since <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], until)
        else:
            spans.append((since, until))
    return spans


def _whole_days(holds: Sequence[Hold]) -> list[range]:
    """Return, as ranges of numbers, the civil days that lie wholly inside a hold."""
    return [range(-(-since // DAY), until // DAY) for since, until in _spans(holds)]


def _within(number: int, held: list[range]) -> bool:
    return any(number in days for days in held)
