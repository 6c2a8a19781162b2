"""P8: open appeals that fell due, escalated, beside what others offer for that on the same PostgreSQL."""

from collections.abc import Sequence
from dataclasses import replace

from bench.events import AT
from bench.firing import drain, fallen_due, written
from bench.measure import interleave, profiled
from bench.outcome import Goal, Outcome
from bench.peers import environment
from bench.peers.process import peer
from bench.row import Row, Run
from bench.standing import FALLEN_DUE

APPEALS = 100_000
TICKETS, JOBS = 300, 2000  # of as many open ones, that fall due in a peer's turn: more would go at the same rate
HELPDESK, PROCRASTINATE = "django-helpdesk", "procrastinate"


async def measure(run: Run) -> Sequence[Outcome]:
    """Two lines: one for each peer."""
    run.say("installing the peers, once")
    python = await environment.python()

    async def ours() -> float:
        async with fallen_due(run.ground, FALLEN_DUE) as runtime:
            seconds = await drain(runtime)
            if (fired := (await written(runtime, AT)).timers) != APPEALS:
                raise RuntimeError(f"{fired} of {APPEALS} were fired")
            return APPEALS / seconds

    async with (
        peer(run.ground, python, "helpdesk", APPEALS, TICKETS) as helpdesk,
        peer(run.ground, python, "jobs", APPEALS, JOBS) as jobs,
    ):
        sides = {"ours": ours, HELPDESK: helpdesk, PROCRASTINATE: jobs}
        series = await interleave(run.say, "a second", run.rounds, sides)
    work = f"{APPEALS:,} appeals fallen due"
    note = f"{TICKETS:,} tickets or {JOBS:,} jobs of {APPEALS:,} fall due a turn of theirs; nobody is sent mail"
    made = [
        Outcome("P8", work, "/s", Goal(100), series["ours"], HELPDESK, series[HELPDESK], [note]),
        Outcome("P8", work, "/s", Goal(30), series["ours"], PROCRASTINATE, series[PROCRASTINATE]),
    ]
    if all(outcome.met for outcome in made):
        return made
    async with fallen_due(run.ground, FALLEN_DUE) as runtime:
        with profiled() as where:
            await drain(runtime)
    return [replace(outcome, where=where[0]) for outcome in made]


ROW = Row("P8", f"{APPEALS:,} open appeals that fell due are escalated", measure)
