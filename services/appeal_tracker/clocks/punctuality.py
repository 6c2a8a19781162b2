"""How punctually timers fire, whoever fires them: the loop, or an act that comes before it and records a breach."""

from collections import Counter as Tally
from collections.abc import Sequence
from typing import NamedTuple

from prometheus_client import Counter, Histogram

_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0, 21600.0, 86400.0)
_fired = Counter("timers_fired", "Timers fired", ["phase"])
_lateness = Histogram("timer_lateness_seconds", "From a timer's moment to its firing, in domain time", buckets=_BUCKETS)


class Fired(NamedTuple):
    """A timer that fired, and how long after its moment, in seconds of domain time."""

    phase: str
    lateness: float


def count(fired: Sequence[Fired]) -> None:
    """Counts timers whose firing is committed."""
    for phase, number in Tally(each.phase for each in fired).items():
        _fired.labels(phase).inc(number)
    for each in fired:
        _lateness.observe(each.lateness)
