"""How punctually timers fire, whoever fires them: the loop, or an act that comes before it and records a breach."""

from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import NamedTuple

from prometheus_client import REGISTRY, Counter
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0, 21600.0, 86400.0, float("inf"))
_fired = Counter("timers_fired", "Timers fired", ["phase"])


class Fired(NamedTuple):
    """A timer that fired, and how long after it could, in seconds of domain time."""

    phase: str
    lateness: float


class _Lateness(Collector):
    """A histogram that takes thousands at once: the library's takes them one by one, as long as firing them takes."""

    def __init__(self) -> None:
        self._counts, self._sum = [0] * len(_BUCKETS), 0.0

    def observe(self, seconds: float, number: int) -> None:
        self._sum += seconds * number
        self._counts[bisect_left(_BUCKETS, seconds)] += number

    def collect(self) -> Iterator[HistogramMetricFamily]:
        what = "From a timer's moment, or when that was set if it had passed by then, to its firing, in domain time"
        its = HistogramMetricFamily("timer_lateness_seconds", what)
        its.add_metric([], [*zip(map(floatToGoString, _BUCKETS), accumulate(self._counts), strict=True)], self._sum)
        yield its


_lateness = _Lateness()
REGISTRY.register(_lateness)


def count(fired: Mapping[Fired, int]) -> None:
    """Counts timers whose firing is committed, by how many are alike."""
    phases = Tally[str]()
    for each, number in fired.items():
        phases[each.phase] += number
        _lateness.observe(each.lateness, number)
    for phase, number in phases.items():
        _fired.labels(phase).inc(number)
