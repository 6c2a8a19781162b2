"""The ladder of a deadline: at which points of its course whom to tell."""

import re
from enum import StrEnum

import msgspec

PARTS = 10_000  # a fraction of a period is kept as so many parts of ten thousand
MANY = 1000  # hours or working days away from a deadline, at most, the last repetition too
TIMES = 50  # repetitions of one step, at most

_FRACTION = re.compile(r"0\.[0-9]{1,4}")
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<count>[1-9][0-9]*)(?P<unit>h|wd)")
_REPEAT = re.compile(r"every (?P<count>[1-9][0-9]*)(?P<unit>h|wd), at most (?P<times>[1-9][0-9]*)")


class Phase(StrEnum):
    """What the firing of a step means: it warns, it tells of the breach, or it escalates afterwards."""

    BEFORE = "before"
    DUE = "due"
    AFTER = "after"


class Measure(StrEnum):
    """In what the distance of a moment is measured."""

    PARTS = "parts"  # of the period, in ten-thousandths, from its start
    HOURS = "h"  # from the deadline
    WORKING_DAYS = "wd"  # from the deadline


class Moment(msgspec.Struct, frozen=True):
    """A point on the course of a deadline: `0.5`, `-4h`, `-1wd`, `due`, `+2h`, `+1wd`, `every 1wd, at most 5`."""

    text: str
    measure: Measure
    amount: int
    phase: Phase
    times: int = 1

    @classmethod
    def parse(cls, text: str) -> "Moment":
        """Read a moment as a pack writes it; ValueError says what is wrong."""
        if text == "due":
            return cls(text, Measure.HOURS, 0, Phase.DUE)
        if _FRACTION.fullmatch(text):
            parts = int(text[2:].ljust(4, "0"))
            if parts == 0:
                raise ValueError(f"{text!r} is the start itself; a fraction lies between 0 and 1")
            return cls(f"0.{parts:04}".rstrip("0"), Measure.PARTS, parts, Phase.BEFORE)
        if (match := _OFFSET.fullmatch(text)) or (match := _REPEAT.fullmatch(text)):
            found = match.groupdict()
            count, times = int(found["count"]), int(found.get("times", 1))
            if count * times > MANY or times > TIMES:
                raise ValueError(f"{text!r} reaches too far: at most {MANY} h or wd in all, at most {TIMES} times")
            amount, phase = (-count, Phase.BEFORE) if found.get("sign") == "-" else (count, Phase.AFTER)
            return cls(text, Measure(found["unit"]), amount, phase, times)
        raise ValueError(f"{text!r} is no moment such as 0.5, '-4h', '-1wd', 'due', '+2h' or 'every 1wd, at most 5'")

    @classmethod
    def named(cls, name: str) -> "Moment":
        """The moment of a firing by its name: of `every 1wd#2`, one that repeats up to that."""
        step, repeats, time = name.partition("#")
        return cls.parse(f"{step}, at most {time}" if repeats else step)

    def name(self, time: int) -> str:
        """Name one firing of this moment, unique on its ladder and without a comma: `0.5`, `due`, `every 1wd#2`."""
        step, repeats, _ = self.text.partition(",")
        return f"{step}#{time}" if repeats else step

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all its firings, in their order."""
        return tuple(self.name(time) for time in range(1, self.times + 1))

    @property
    def points(self) -> tuple[tuple[Measure, int], ...]:
        """Where each of its firings lies on the course, in their order: `every 1wd, at most 2` at +1wd and +2wd."""
        return tuple((self.measure, self.amount * time) for time in range(1, self.times + 1))


class Step(msgspec.Struct, frozen=True):
    """One rung: when, and which audiences to tell. A mandatory step may not be missing from a pack that extends."""

    moment: Moment
    tell: tuple[str, ...]
    mandatory: bool = False
