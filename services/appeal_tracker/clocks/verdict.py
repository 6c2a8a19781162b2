"""What an act means for a clock: it is judged by the act's true time, whenever that was recorded. Pure."""

from datetime import datetime
from enum import Enum, auto
from typing import Protocol

from appeal_tracker.clocks.calculation import is_met
from appeal_tracker.clocks.states import ClockState


class Verdict(Enum):
    """How a stop finds a clock."""

    MET = auto()  # in time
    LATE = auto()  # past the deadline, and nobody has recorded the breach yet
    CORRECTED = auto()  # in time, though a breach was recorded meanwhile
    ENDED = auto()  # past the deadline; the breach was recorded, and now it ends


class Waiting(Protocol):
    """What is asked about a clock, or a plan of one."""

    @property
    def state(self) -> str: ...
    @property
    def due_at(self) -> datetime: ...


class Judged(Waiting, Protocol):
    """What is asked about a clock besides."""

    stopped_at: datetime | None


def last_in_time(clock: Waiting, now: datetime) -> datetime:
    """Up to when what was done by `now` is in time: what stands still is due later than is known yet."""
    return now if clock.state == ClockState.HELD else clock.due_at


def verdict(clock: Judged, at: datetime) -> Verdict | None:
    """How a stop at `at` finds the clock; None where it changes nothing, for the clock stands already."""
    if clock.state == ClockState.HELD:
        return Verdict.MET  # it was in time when it was held, and has stood still since
    in_time = is_met(at, clock.due_at)
    if clock.state == ClockState.RUNNING:
        return Verdict.MET if in_time else Verdict.LATE
    if clock.state == ClockState.BREACHED and in_time:
        return Verdict.CORRECTED
    if clock.state == ClockState.BREACHED and clock.stopped_at is None:
        return Verdict.ENDED
    return None
