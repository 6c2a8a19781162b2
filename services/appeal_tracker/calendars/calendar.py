"""A calendar: for each civil day of 2007-2060, whether it is a working day, and why.

Pure and immutable. It knows dates only, so no time zone can touch them. Its arithmetic is answered from arrays built
once: the rank of a day (how many working days lie up to it) and the day of a rank, so that "the n-th working day
after" is two look-ups and no search.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import accumulate, compress, pairwise
from typing import final

import msgspec

from appeal_tracker.calendars.civil import date_of, number_of
from appeal_tracker.calendars.festivals import FIRST_YEAR, LAST_YEAR, CalendarDay, statutory_days
from appeal_tracker.calendars.refusals import MAX_GAP, DuplicateDay, HalfYear, NotCovered, NoWorkingDay

FIRST_DAY, LAST_DAY = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)
DAYS = number_of(LAST_DAY) + 1  # how many are covered; their numbers begin at 0
_SATURDAY = 5


class Kind(StrEnum):
    """Why a day is a working day or not."""

    WORKDAY = "workday"
    WEEKEND = "weekend"
    FESTIVAL = "festival"  # listed as off: a festival, or a stop-work of an overlay
    MAKE_UP = "make_up"  # 调休: listed as working although it would be off


class Reason(msgspec.Struct, frozen=True):
    """What a calendar says of one day; `estimated` where no notice has been published for its year."""

    working: bool
    kind: Kind
    name: str = ""
    source: str = ""
    estimated: bool = False


@final
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Calendar:
    """One version of a calendar. Build it with `from_days`, or with `overlay` from the calendar it lies over."""

    id: str
    version: int
    lineage: tuple[str, ...]  # labels, this calendar first, then those it lies over
    days: tuple[CalendarDay, ...]  # what this calendar itself lists, in order
    published_years: frozenset[int]
    _reasons: tuple[Reason, ...]  # of each day
    _working: "array[int]"  # the working days, as day numbers
    _rank: "array[int]"  # of each day, how many working days lie up to and with it
    _estimated: "array[int]"  # of each day, how many estimated days lie up to and with it

    @classmethod
    def from_days(cls, id: str, version: int, days: Iterable[CalendarDay]) -> "Calendar":
        """Build a calendar that stands on its own; each year that `days` touch must be given whole.

        The other years are estimated from the statutory days.
        Refused: DuplicateDay, HalfYear, NoWorkingDay, NotCovered.
        """
        given = _ordered(days)
        published = frozenset(day.date.year for day in given)
        calendar = _build(id, version, (), given, published, _unnoticed(published))
        for year in sorted(published):
            if missing := [(day.date, day.name) for day in statutory_days(year) if calendar.is_working(day.date)]:
                raise HalfYear(year, missing)
        return calendar

    def overlay(self, id: str, version: int, days: Iterable[CalendarDay]) -> "Calendar":
        """Lay the added and removed days of a region or a unit over this calendar; the rest is inherited.

        Refused: DuplicateDay, NoWorkingDay, NotCovered.
        """
        return _build(id, version, self.lineage, _ordered(days), self.published_years, list(self._reasons))

    def lies_over(self, id: str) -> bool:
        """Tell whether this is the calendar called `id`, or lies over it."""
        return any(label.partition("@")[0] == id for label in self.lineage)

    @property
    def label(self) -> str:
        """Name this version and those it lies over: `qingdao@3+cn-statutory@1`."""
        return "+".join(self.lineage)

    def reason(self, day: date) -> Reason:
        """Say whether a day is a working day, of which kind, by which name and on whose word."""
        return self.reason_of(number_of(day))

    def is_working(self, day: date) -> bool:
        return self.reason_of(number_of(day)).working

    def working_day_after(self, day: date, n: int = 1) -> date:
        """Return the n-th working day strictly after a day."""
        return date_of(self.after(number_of(day), n))

    def working_day_before(self, day: date, n: int = 1) -> date:
        """Return the n-th working day strictly before a day."""
        return date_of(self.before(number_of(day), n))

    def working_days_between(self, after: date, until: date) -> int:
        """Count the working days after one day, up to and with the other."""
        return self._up_to(number_of(until)) - self._up_to(number_of(after))

    def changes_from(self, older: "Calendar") -> tuple[date, ...]:
        """List the days that are working days in only one of the two calendars, in order."""
        return tuple(date_of(number) for number in sorted({*self._working} ^ {*older._working}))

    # What the counting of deadlines asks, on day numbers (`civil.number_of`).

    def reason_of(self, number: int) -> Reason:
        if 0 <= number < DAYS:
            return self._reasons[number]
        raise NotCovered(FIRST_YEAR, LAST_YEAR, str(date_of(number)))

    def after(self, number: int, n: int = 1) -> int:
        """Return the n-th working day strictly after a day; NotCovered where the calendar ends."""
        if 0 <= number < DAYS and n >= 1:
            rank = self._rank[number] + n
            if rank <= len(self._working):
                return self._working[rank - 1]
        raise NotCovered(FIRST_YEAR, LAST_YEAR, f"working day {n} after {date_of(number)}")

    def run_after(self, number: int, n: int) -> list[int]:
        """Return the first n working days strictly after a day; NotCovered where the calendar ends."""
        self.after(number, n)
        return self._working[self._rank[number] : self._rank[number] + n].tolist()

    def before(self, number: int, n: int = 1) -> int:
        """Return the n-th working day strictly before a day; NotCovered where the calendar begins."""
        if 0 <= number < DAYS and 1 <= n <= (rank := self._rank[number] - self._reasons[number].working):
            return self._working[rank - n]
        raise NotCovered(FIRST_YEAR, LAST_YEAR, f"working day {n} before {date_of(number)}")

    def rolled(self, number: int) -> int:
        """Return the day itself if it is a working day, else the next that is."""
        return number if self.reason_of(number).working else self.after(number)

    def estimates(self, first: int, last: int) -> bool:
        """Tell whether a day from first to last was estimated; both must be covered."""
        return self._estimated[last] > (self._estimated[first - 1] if first else 0)

    def _up_to(self, number: int) -> int:
        if 0 <= number < DAYS:
            return self._rank[number]
        raise NotCovered(FIRST_YEAR, LAST_YEAR, str(date_of(number)))


def _unnoticed(published: frozenset[int]) -> list[Reason]:
    """Return what is known of each day without any notice; estimated, unless a notice for its year is to come."""
    statutory = {day.date: day for year in range(FIRST_YEAR, LAST_YEAR + 1) for day in statutory_days(year)}
    reasons = []
    for day in map(date_of, range(DAYS)):
        estimated = day.year not in published
        if estimated and (festival := statutory.get(day)):
            reasons.append(Reason(False, Kind.FESTIVAL, festival.name, festival.source, estimated))
        else:
            reasons.append(_ORDINARY[day.weekday() >= _SATURDAY, estimated])
    return reasons


_ORDINARY = {
    (weekend, estimated): Reason(not weekend, Kind.WEEKEND if weekend else Kind.WORKDAY, estimated=estimated)
    for weekend in (False, True)
    for estimated in (False, True)
}


def _build(
    id: str,
    version: int,
    below: tuple[str, ...],
    days: tuple[CalendarDay, ...],
    published: frozenset[int],
    reasons: list[Reason],
) -> Calendar:
    for day in days:
        number = number_of(day.date)
        reasons[number] = _reason(day, reasons[number])
    works = [reason.working for reason in reasons]
    working = array("l", compress(range(DAYS), works))
    _refuse_gaps(working)
    rank = array("l", accumulate(works))
    estimated = array("l", accumulate(reason.estimated for reason in reasons))
    return Calendar(id, version, (f"{id}@{version}", *below), days, published, tuple(reasons), working, rank, estimated)


def _ordered(days: Iterable[CalendarDay]) -> tuple[CalendarDay, ...]:
    ordered = tuple(sorted(days, key=lambda day: day.date))
    for before, day in pairwise(ordered):
        if before.date == day.date:
            raise DuplicateDay(day.date)
    for day in ordered:
        if not FIRST_DAY <= day.date <= LAST_DAY:
            raise NotCovered(FIRST_YEAR, LAST_YEAR, str(day.date))
    return ordered


def _reason(day: CalendarDay, otherwise: Reason) -> Reason:
    weekend = day.date.weekday() >= _SATURDAY
    if day.working:
        kind = Kind.MAKE_UP if weekend or not otherwise.working else Kind.WORKDAY
    else:
        kind = Kind.FESTIVAL if day.name or not weekend else Kind.WEEKEND
    return Reason(day.working, kind, day.name, day.source)


def _refuse_gaps(working: "array[int]") -> None:
    """Refuse a stretch without working days: from any day one must come within 30 days."""
    for before, after in pairwise([-1, *working, DAYS]):
        if after - before > MAX_GAP:
            raise NoWorkingDay(date_of(max(before, 0)))
