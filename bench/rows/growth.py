"""P6: firing as the number of open appeals grows; the look that finds nothing; how late timers are, and never early."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from statistics import median

import asyncpg

from appeal_tracker.escalation.worker import Escalation
from bench.firing import Running, drain, steadily
from bench.measure import Side, Stopwatch, interleave, profiled, quantile
from bench.outcome import Goal, Outcome
from bench.row import Row, Run
from bench.standing import EARLY, FEW, HUNDRED_THOUSAND, MILLION, STEADY, TEN_THOUSAND, Standing, fresh
from chassis.clock import ManualClock

LOOKS = 200  # that find nothing, a round
SECONDS = 8.0  # of steady firing, a round
RATE = 1000  # timers due a second then
NONE_DUE = EARLY - timedelta(minutes=1)
COMMIT = "BEGIN, SELECT 1, COMMIT"


async def measure(run: Run) -> Sequence[Outcome]:
    """Four lines: two of growth, one of an empty look, one of lateness."""
    return [*await _growth(run), await _empty(run), await _late(run)]


ROW = Row("P6", "firing as open appeals grow from 10 k to 1 M", measure)


async def _growth(run: Run) -> list[Outcome]:
    def fired_of(standing: Standing) -> Side:
        async def fired() -> float:
            async with fresh(run.ground, standing, ManualClock(EARLY)) as runtime:
                await run.ground.rest()
                return FEW / await drain(runtime)

        return fired

    sizes = {"10 k open": TEN_THOUSAND, "100 k open": HUNDRED_THOUSAND, "1 M open": MILLION}
    series = await interleave(run.say, "timers/s", run.rounds, {name: fired_of(its) for name, its in sizes.items()})
    few, *more = series
    made = [
        Outcome("P6", f"timers fired, {name}", "timers/s", Goal(0.85), series[name], few, series[few]) for name in more
    ]
    return [each if each.met else replace(each, where=await _where(run, sizes)) for each in made]


async def _where(run: Run, sizes: dict[str, Standing]) -> str:
    told = []
    for name, its in sizes.items():
        async with fresh(run.ground, its, ManualClock(EARLY)) as runtime:
            with profiled(8) as where:
                await drain(runtime)
        told.append(f"{name}: {where[0]}")
    return "\n".join(told)


async def _empty(run: Run) -> Outcome:
    async with fresh(run.ground, MILLION, ManualClock(NONE_DUE)) as runtime, runtime.db.connection() as connection:
        worker = Escalation(runtime)
        sides = {"ours": _each(worker.run_once), COMMIT: _each(lambda: _commit(connection))}
        series = await interleave(run.say, "ms", run.rounds, sides)
        goal = Goal(1, at_least=False, alone=True)
        outcome = Outcome(
            "P6", "a look that finds nothing, 1 M open", "ms", goal, series["ours"], COMMIT, series[COMMIT]
        )
        if outcome.met:
            return outcome
        with profiled() as where:
            await _each(worker.run_once)()
        return replace(outcome, where=where[0])


def _each(work: Callable[[], Awaitable[object]]) -> Side:
    async def one() -> float:
        spent = []
        for _ in range(LOOKS):
            watch = Stopwatch()
            await work()
            spent.append(watch.seconds * 1000)
        return median(spent)

    return one


async def _commit(connection: asyncpg.Connection) -> None:
    async with connection.transaction():
        await connection.fetchval("SELECT 1")


async def _late(run: Run) -> Outcome:
    clock, worst = Running(STEADY), list[float]()
    async with fresh(run.ground, MILLION, clock) as runtime:

        async def fired() -> float:
            nonlocal clock
            clock = runtime.clock = Running(clock.now())
            its = await steadily(runtime, clock, SECONDS)
            worst.append(max(its.lateness))
            return quantile(its.lateness, 0.99)

        clock.stop()
        await drain(runtime)  # what fell due before
        series = await interleave(run.say, "ms", run.rounds, {"ours": fired})
    goal, note = Goal(350, at_least=False), f"never early; the latest of all {max(worst):.0f} ms"
    where = f"the loop looks every {Escalation.Config.idle * 1000:.0f} ms, for {Escalation.Config.batch} timers at most"
    work = f"lateness p99 at {RATE:,} due/s, 1 M open"
    return Outcome("P6", work, "ms", goal, series["ours"], notes=[note], where=where)
