"""How numbers are taken: ours and its limits in turn, in the same run, several rounds."""

import cProfile
import io
import pstats
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median

from bench.table import figure

Side = Callable[[], Awaitable[float]]
Say = Callable[[str], None]


async def interleave(say: Say, unit: str, rounds: int, sides: Mapping[str, Side]) -> dict[str, list[float]]:
    """One number of each side a round, in `unit`, in turn. A first round, not counted, warms them up."""
    series: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, side in sides.items():
            value = await side()
            if number:
                series[name].append(value)
            say(f"{f'round {number}/{rounds}' if number else 'warming up'}: {name} {figure(value)} {unit}")
    return series


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._start


@contextmanager
def profiled(lines: int = 25) -> Iterator[list[str]]:
    """Profiles its block by processor time of this process; the list holds one text afterwards: how long it
    was, and the functions that took most."""
    profiler, told, watch = cProfile.Profile(time.process_time), list[str](), Stopwatch()
    profiler.enable()
    try:
        yield told
    finally:
        profiler.disable()
        stats = pstats.Stats(profiler, stream=io.StringIO())
        told.append(f"{watch.seconds:.1f} s under the profiler\n{profile_text(stats, lines)}")


def profile_text(stats: pstats.Stats, lines: int = 25) -> str:
    """The functions that took most by themselves; what is missing to the whole time was waited for others."""
    stats.sort_stats("tottime").print_stats(lines)
    printed: io.StringIO = stats.stream  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in printed.getvalue().splitlines() if line.strip())


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if share != 0.5 else median(ordered)
