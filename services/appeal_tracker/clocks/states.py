"""What can become of clocks and timers."""

from enum import StrEnum


class ClockState(StrEnum):
    """What became of a clock."""

    RUNNING = "running"
    HELD = "held"
    MET = "met"
    BREACHED = "breached"
    CANCELLED = "cancelled"


class TimerState(StrEnum):
    """What became of a timer."""

    PENDING = "pending"
    HELD = "held"
    FIRED = "fired"
    CANCELLED = "cancelled"
