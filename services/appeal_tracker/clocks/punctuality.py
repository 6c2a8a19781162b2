"""How punctually timers fire, whoever fires them: the loop, or an act that comes before it and records a breach."""

from prometheus_client import Counter, Histogram

_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0, 21600.0, 86400.0)
_fired = Counter("timers_fired", "Timers fired", ["phase"])
_lateness = Histogram("timer_lateness_seconds", "From a timer's moment to its firing, in domain time", buckets=_BUCKETS)


def fired(phase: str, lateness: float) -> None:
    """Counts a timer whose firing is committed, so many seconds after its moment."""
    _fired.labels(phase).inc()
    _lateness.observe(lateness)
