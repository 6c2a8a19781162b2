"""What a calendar refuses, and why. Every refusal is a ValueError that keeps its facts as attributes.

CalendarError
├── MalformedNotice    not in the holiday-cn form
├── DuplicateDay       a day given twice
├── OutsideYear        a day outside the year named
├── HalfYear           a year without one of its statutory days off
├── NoWorkingDay       no working day within 30 days
├── UnknownParent      an overlay over a calendar that is not there
├── CyclicParents      calendars that overlay each other
├── StandsAlone        an overlay where a calendar stands on its own
├── LiesElsewhere      an overlay over one calendar, given another to lie over
└── NotCovered         a day outside the years a calendar can speak of
"""

from collections.abc import Sequence
from datetime import date

MAX_GAP = 30


class CalendarError(ValueError):
    """Root of the refusals; `pointer` says where in the given document, if it was a document."""

    pointer: str = ""


class MalformedNotice(CalendarError):
    def __init__(self, pointer: str, fault: str) -> None:
        super().__init__(f"{pointer or 'the document'}: {fault}")
        self.pointer = pointer
        self.fault = fault


class DuplicateDay(CalendarError):
    def __init__(self, day: date, pointer: str = "") -> None:
        super().__init__(f"{day} is given twice")
        self.day = day
        self.pointer = pointer


class OutsideYear(CalendarError):
    def __init__(self, day: date, year: int, pointer: str = "") -> None:
        super().__init__(f"{day} lies outside {year}, the year named; it belongs to the days of {day.year}")
        self.day = day
        self.year = year
        self.pointer = pointer


class HalfYear(CalendarError):
    def __init__(self, year: int, missing: Sequence[tuple[date, str]]) -> None:
        days = ", ".join(f"{day} {name}" for day, name in missing) or "no day at all is given"
        super().__init__(f"{year} is given by half: these statutory days are not off: {days}")
        self.year = year
        self.missing = tuple(missing)
        self.pointer = "/days"


class NoWorkingDay(CalendarError):
    """`calendar` is the one that would have the gap, where that is another than the one given."""

    def __init__(self, after: date, pointer: str = "", calendar: str = "") -> None:
        whose = f" in {calendar}" if calendar else ""
        super().__init__(f"no working day{whose} within {MAX_GAP} days after {after}")
        self.after = after
        self.pointer = pointer
        self.calendar = calendar


class UnknownParent(CalendarError):
    pointer = "/extends"

    def __init__(self, calendar: str, parent: str) -> None:
        super().__init__(f"calendar {calendar} lies over {parent}, which does not exist")
        self.calendar = calendar
        self.parent = parent


class CyclicParents(CalendarError):
    pointer = "/extends"

    def __init__(self, path: Sequence[str]) -> None:
        super().__init__(f"calendars lie over each other in a circle: {' -> '.join(path)}")
        self.path = tuple(path)


class StandsAlone(CalendarError):
    pointer = "/extends"

    def __init__(self, calendar: str) -> None:
        super().__init__(f"calendar {calendar} stands on its own, and cannot lie over another from now on")
        self.calendar = calendar


class LiesElsewhere(CalendarError):
    pointer = "/extends"

    def __init__(self, calendar: str, parent: str) -> None:
        super().__init__(f"calendar {calendar} lies over {parent}, and stays over it")
        self.calendar = calendar
        self.parent = parent


class NotCovered(CalendarError):
    def __init__(self, first: int, last: int, asked: str) -> None:
        super().__init__(f"{asked} is outside {first}-{last}, the years calendars cover")
        self.first = first
        self.last = last
