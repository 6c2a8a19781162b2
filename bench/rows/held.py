"""P6b: steady firing beside a transaction that somebody holds open, which keeps every dead row in the way."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg

from bench.firing import Running, Steadily, drain, steadily
from bench.ground import Ground
from bench.measure import Side, interleave, profiled, quantile
from bench.outcome import Goal, Outcome
from bench.row import Row, Run
from bench.standing import MILLION, STEADILY, STEADY, fresh

RATE = 800  # timers due a second
SECONDS = 120.0  # of firing while the transaction is open, all rounds together; without it, half of that
SPEED = RATE * STEADILY.total_seconds()  # of domain time, in which they are due one every STEADILY
CLEAN, HELD = "without it", "ours"


async def measure(run: Run) -> Sequence[Outcome]:
    """Two lines: the rate, and the lateness. Each side has its own copy, and what one round left behind lies in the way
    of the next; the transaction is as old as the row."""
    seen: dict[str, list[Steadily]] = {CLEAN: [], HELD: []}
    async with AsyncExitStack() as stack:
        clean = await stack.enter_async_context(_turns(run, CLEAN, SECONDS / 2, seen[CLEAN]))
        held = await stack.enter_async_context(_turns(run, HELD, SECONDS, seen[HELD]))
        await stack.enter_async_context(_held_open(run.ground, _NAMES[HELD]))
        series = await interleave(run.say, "ms late (p99)", run.rounds, {HELD: held, CLEAN: clean})
        rates = {name: [its.rate for its in rounds[1:]] for name, rounds in seen.items()}
        # Of all rounds together: lateness that grows with the transaction's age is not lost in a median.
        late = {
            name: [quantile([ms for its in rounds[1:] for ms in its.lateness], 0.99)] for name, rounds in seen.items()
        }
        note = f"p99 by round: {', '.join(f'{ms:.1f}' for ms in series[HELD])} ms"
        work = f"{RATE} due/s beside a transaction held open"
        made = [
            Outcome("P6b", f"{work}, fired", "timers/s", Goal(0.95), rates[HELD], CLEAN, rates[CLEAN]),
            Outcome("P6b", f"{work}, p99 late", "ms", Goal(2, at_least=False), late[HELD], CLEAN, late[CLEAN], [note]),
        ]
        if all(each.met for each in made):
            return made
        with profiled() as where:
            await held()
    return [Outcome(**{**vars(each), "where": where[0]}) for each in made]


ROW = Row("P6b", f"{RATE} fires/s beside a transaction held open {SECONDS:.0f} s", measure)

_NAMES = {CLEAN: "clean", HELD: "held"}


@asynccontextmanager
async def _turns(run: Run, side: str, seconds: float, seen: list[Steadily]) -> AsyncIterator[Side]:
    clock = Running(STEADY, SPEED)
    async with fresh(run.ground, MILLION, clock, _NAMES[side]) as runtime:
        clock.stop()
        await drain(runtime)  # what fell due before

        async def fired() -> float:
            nonlocal clock
            clock = runtime.clock = Running(clock.now(), SPEED)
            seen.append(await steadily(runtime, clock, seconds / run.rounds))
            return quantile(seen[-1].lateness, 0.99)

        yield fired


@asynccontextmanager
async def _held_open(ground: Ground, name: str) -> AsyncIterator[None]:
    """A reader that does not end its transaction; one with an id of its own is no worse."""
    connection = await asyncpg.connect((await ground.database(name)).service)
    try:
        async with connection.transaction(isolation="repeatable_read"):
            await connection.fetchval("SELECT 1 FROM timers LIMIT 1")
            yield
    finally:
        await connection.close()
