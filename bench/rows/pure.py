"""P7: one deadline, pure, beside what others offer."""

from bisect import bisect_right
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import chinese_calendar
import holidays

from appeal_tracker.calendars.civil import CHINA
from appeal_tracker.calendars.loader import cn_statutory
from appeal_tracker.clocks.calculation import Period, due, explain
from bench.measure import Stopwatch, interleave, profiled
from bench.outcome import Goal, Outcome
from bench.row import Row, Run

STARTS = 1000  # instants of one published year
SPELLS = 20  # of so many deadlines; the shortest counts, for in the others somebody else had the processor
PERIOD = Period.parse("7 working days")
EXPLAINED, BISECT, HOLIDAYS, CHINESE = "ours, every day told", "bisect", "holidays", "chinesecalendar"
YEAR = 2026

Count = Callable[[datetime], object]


async def measure(run: Run) -> Sequence[Outcome]:
    """Two lines: without and with its explanation."""
    days, calendar = holidays.country_holidays("CN", years=[YEAR, YEAR + 1]), cn_statutory()
    first, last = datetime(YEAR, 1, 1, tzinfo=UTC).toordinal(), datetime(YEAR + 1, 12, 31, tzinfo=UTC).toordinal()
    works = [day for day in range(first, last) if calendar.is_working(datetime.fromordinal(day).date())]
    counts: dict[str, tuple[Count, int]] = {
        "ours": (lambda start: due(start, PERIOD, calendar), STARTS),
        EXPLAINED: (lambda start: explain(start, PERIOD, calendar), STARTS),
        BISECT: (lambda start: works[bisect_right(works, start.astimezone(CHINA).toordinal()) + 6], STARTS),
        HOLIDAYS: (lambda start: days.get_nth_working_day(start.astimezone(CHINA).date(), 7), STARTS // 50),
        CHINESE: (lambda start: chinese_calendar.find_workday(7, start.astimezone(CHINA).date()), STARTS // 50),
    }
    series = await interleave(run.say, "µs", run.rounds, {name: _best(*its) for name, its in counts.items()})
    without, explained = Goal(2, at_least=False, alone=True), Goal(20, at_least=False, alone=True)
    made = [
        Outcome("P7", f"{PERIOD}, pure", "µs", without, series["ours"], BISECT, series[BISECT]),
        Outcome("P7", f"{PERIOD}, pure", "µs", without, series["ours"], HOLIDAYS, series[HOLIDAYS]),
        Outcome("P7", f"{PERIOD}, every day told", "µs", explained, series[EXPLAINED], CHINESE, series[CHINESE]),
    ]
    return [each if each.met else replace(each, where=_where(counts["ours"][0], counts[EXPLAINED][0])) for each in made]


ROW = Row("P7", "one deadline, pure", measure)


def _best(count: Count, starts: int) -> Callable[[], Awaitable[float]]:
    its = _starts(starts)

    async def spell() -> float:
        return min(_spell(count, its) for _ in range(SPELLS))

    return spell


def _spell(count: Count, starts: Sequence[datetime]) -> float:
    watch = Stopwatch()
    for start in starts:
        count(start)
    return watch.seconds / len(starts) * 1_000_000


def _starts(count: int) -> list[datetime]:
    random, first = Random(7), datetime(YEAR, 1, 5, tzinfo=UTC)
    return [first + timedelta(seconds=random.randrange(300 * 86_400)) for _ in range(count)]


def _where(*counts: Count) -> str:
    with profiled(12) as where:
        for count in counts:
            _spell(count, _starts(STARTS))
    return where[0]
