"""What is counted, and of what: every figure so defined that two people would count the same."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.calendars.calendar import FIRST_DAY, LAST_DAY
from appeal_tracker.calendars.civil import date_of, day_number, span
from appeal_tracker.calendars.errors import BadRange, DayNotCovered
from appeal_tracker.calendars.festivals import FIRST_YEAR, LAST_YEAR
from appeal_tracker.directory import service as directory
from appeal_tracker.statistics import repository
from appeal_tracker.statistics.errors import TooManyRows, TwoPeriods
from appeal_tracker.statistics.targets import Reached, reached
from chassis.web.tokens import Principal

LONGEST = 366  # days
MOST = 20_000  # rows
PERIODS = ("day", "week", "month")


class Figures(msgspec.Struct, frozen=True):
    """The figures of one group: a unit with those below it, a type or all, a day, week or month or the whole period.

    An appeal belongs to the unit that raised it and to the civil day in China on which it was received, whatever
    happened when. Deadlines are those of its clocks, of every round, and what became of them is told as of now: `met`
    or `breached` by the true time of what was done, whenever that was recorded.
    """

    unit_code: str
    type: str | None
    period: date | None  # the first day of it
    received: int  # appeals
    closed: int  # of these, whatever the outcome
    contact_deadlines: int
    contact_in_time: int  # met, and never recorded as breached
    contact_corrected: int  # met by its true time, but recorded only after the breach was: who back-dates is seen
    contact_breached: int
    contact_median_seconds: float | None  # from its start to its stop, in time or not; half of them took no longer
    contact_p90_seconds: float | None  # nine in ten took no longer
    answer_deadlines: int
    answer_in_time: int
    answer_corrected: int
    answer_breached: int
    answer_median_seconds: float | None
    answer_p90_seconds: float | None
    breached: int  # deadlines of any milestone, as are all that follow
    corrected: int
    late_arrivals: int  # past already when what they run from was heard of; breached, unless corrected since
    cancelled: int  # the appeal ended before them
    provisional: int  # open ones that rest on an estimated year, and may still move
    open_overdue: int  # past, and still not done; of an appeal's present round, as are all that are open
    open_within_4h: int  # open with less left than that, and each of these without those of less
    open_within_24h: int
    open_within_72h: int
    open_within_168h: int
    open_later: int
    open_held: int  # standing still
    timers_fired: int
    lateness_p50_seconds: float | None  # after its moment, or when that was set; in tenths
    lateness_p99_seconds: float | None


class Statistics(msgspec.Struct, frozen=True):
    """The figures, of what was received from one civil day to another, both included, by what was known `as_of`; beside
    them, of all of it together, what the standards want reached."""

    first_day: date
    last_day: date
    as_of: datetime
    items: Sequence[Figures]
    targets: Sequence[Reached] = ()


async def statistics(
    tx: AsyncSession,
    caller: Principal,
    now: datetime,
    *,
    first_day: date | None,
    last_day: date | None,
    unit_code: str | None,
    type: str | None,
    by: Sequence[str],
) -> Statistics:
    """Counts by the dimensions `by`: `unit` (each with those below it, so that rows overlap), `type`, and one of `day`,
    `week` (from Monday), `month`; of this month up to today where no days are named.

    A unit that the caller does not see has no appeals. Raises `BadRange`, `DayNotCovered`, `TwoPeriods`, `TooManyRows`.
    """
    today = date_of(day_number(now))
    last = last_day or today
    first = first_day or last.replace(day=1)
    if first < FIRST_DAY or last > LAST_DAY:
        raise DayNotCovered(first_year=FIRST_YEAR, last_year=LAST_YEAR)
    if not 0 <= (last - first).days < LONGEST:
        raise BadRange(days=LONGEST)
    periods = [each for each in PERIODS if each in by]
    if len(periods) > 1:
        raise TwoPeriods
    unit = unit_code or (caller.unit and await directory.successor(tx, caller.unit))
    if unit is None or not await directory.may_see_unit(tx, unit, caller.unit):
        return Statistics(first, last, now, [])
    period = periods[0] if periods else None
    rows = await repository.counted(tx, unit, *span(first, last), now, type=type, by=by, period=period, most=MOST)
    if len(rows) > MOST:
        raise TooManyRows(most=MOST)
    counts = await repository.called_back(tx, unit, *span(first, last), type)
    return Statistics(first, last, now, [_figures(row, by, period) for row in rows], reached(counts))


def _figures(counted: Mapping[str, Any], by: Sequence[str], period: str | None) -> Figures:
    given: dict[str, Any] = {field: counted[field] for field in ("unit_code", "type", "period")}
    given |= {field: int(counted[field] or 0) for field in Figures.__struct_fields__[3:] if field in counted}
    given |= {"type": counted["type"] if "type" in by else None, "period": counted["period"] if period else None}
    for milestone in repository.MILESTONES:
        median, p90 = counted.get(f"{milestone}_took") or (None, None)
        given |= {f"{milestone}_median_seconds": _seconds(median), f"{milestone}_p90_seconds": _seconds(p90)}
    p50, p99 = counted.get("late_tenths") or (None, None)
    given |= {"lateness_p50_seconds": _seconds(p50, 10), "lateness_p99_seconds": _seconds(p99, 10)}
    return Figures(**given)


def _seconds(value: Any, parts: int = 1) -> float | None:
    return None if value is None else round(float(value) / parts, 3)
