"""A period as a standard states it: `24 hours`, `7 working days`, `10 calendar days`."""

import re
from enum import StrEnum

import msgspec

from appeal_tracker.calendars.civil import DAY

LONGEST = 1000  # of any unit; keeps every walk over a period short

_TEXT = re.compile(r"(?P<count>[1-9][0-9]*) (?P<unit>hour|working day|calendar day)s?(?P<closes> close of business)?")


class Unit(StrEnum):
    HOURS = "hours"
    WORKING_DAYS = "working days"
    CALENDAR_DAYS = "calendar days"


class Period(msgspec.Struct, frozen=True):
    """So many hours or days. `closes` says when its last day ends, in ticks after that day began."""

    count: int
    unit: Unit
    closes: int = DAY

    @classmethod
    def parse(cls, text: str, close_of_business: int | None = None) -> "Period":
        """Read `7 working days` or `7 working days close of business`; ValueError says what is wrong.

        `close_of_business`, in ticks after midnight, is needed by the second form only.
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a period such as '24 hours', '7 working days' or '10 calendar days'")
        count, unit = int(match["count"]), Unit(f"{match['unit']}s")
        if count > LONGEST:
            raise ValueError(f"{text!r} is longer than {LONGEST} {unit}")
        if not match["closes"]:
            return cls(count, unit)
        if unit is Unit.HOURS:
            raise ValueError(f"{text!r}: hours run through the night and know no close of business")
        if close_of_business is None:
            raise ValueError(f"{text!r} needs the hour of `close_of_business`")
        return cls(count, unit, close_of_business)

    def __str__(self) -> str:
        text = f"{self.count} {self.unit if self.count > 1 else self.unit.removesuffix('s')}"
        return text if self.closes == DAY else f"{text} close of business"
