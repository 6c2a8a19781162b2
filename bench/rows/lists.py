"""P11: the lists of a handler's screen with a million appeals: each page from the question to the answer's bytes."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import asyncpg
from pydantic import TypeAdapter

from appeal_tracker.appeals import searching
from appeal_tracker.appeals.lists import Wanted
from appeal_tracker.appeals.schemas import AppealView
from bench.children import settings
from bench.desks import RARE, TEXTS, make
from bench.events import AT, UNIT
from bench.measure import Side, Stopwatch, interleave, profiled, quantile
from bench.outcome import Goal, Outcome
from bench.row import Row, Run
from bench.tracker import SERVICE, tracker
from chassis.clock import ManualClock
from chassis.runtime import Runtime
from chassis.web.paging import Page, Window
from chassis.web.tokens import Principal

APPEALS = 1_000_000
PAGES = 100  # a round
NAME = "lists_1m"
SHOWN: TypeAdapter[Any] = TypeAdapter(Page[AppealView])


async def measure(run: Run) -> Sequence[Outcome]:
    """One line for each screen."""
    async with _standing(run) as runtime:
        sides = {name: _pages(runtime, *asked) for name, asked in SCREENS.items()}
        series = await interleave(run.say, "ms", run.rounds, sides)
        goal = Goal(50, at_least=False)
        made = [Outcome("P11", f"p95 of a page: {name}", "ms", goal, series[name]) for name in sides]
        for place, outcome in enumerate(made):
            if not outcome.met:
                with profiled(10) as where:
                    await sides[list(sides)[place]]()
                made[place] = Outcome("P11", outcome.work, "ms", goal, outcome.ours, where=where[0])
        return made


ROW = Row("P11", "the lists of a handler's screen, 1 M appeals", measure)

# Whose screen, what is asked for, and since when it is followed, if it is; the whole company sees all of its units, a
# unit its own.
SCREENS: dict[str, tuple[str, Wanted] | tuple[str, Wanted, datetime]] = {
    "the company's open ones": (UNIT, Wanted(is_open=True)),
    "a unit's open ones": (f"{UNIT}07", Wanted(state="open")),
    "a unit's, any": (f"{UNIT}07", Wanted()),
    "one person's": (UNIT, Wanted(owner="S0017", is_open=True)),
    "due within a day": (UNIT, Wanted(due_from=AT, due_before=AT + timedelta(days=1))),
    "complaints of a type and a unit": (UNIT, Wanted(type="complaint", unit=f"{UNIT}11")),
    "rare words": (UNIT, Wanted(words=TEXTS[RARE][:8])),
    "common words": (UNIT, Wanted(words="连续停电")),
    "rare words in a unit": (f"{UNIT}07", Wanted(words=TEXTS[RARE][:8])),
    "what changed within the hour": (UNIT, Wanted(), AT - timedelta(hours=1)),
}


@asynccontextmanager
async def _standing(run: Run) -> AsyncIterator[Runtime]:
    urls = await run.ground.database(NAME, of=SERVICE)
    environment = await settings(run.ground, SERVICE, 1, "embedded")
    environment[f"{SERVICE.upper()}_DATABASE_URL"] = urls.service
    async with tracker(environment, ManualClock(AT)) as runtime:
        owner = await asyncpg.connect(urls.migration)
        try:
            await make(owner, runtime, APPEALS)
        finally:
            await owner.close()
        yield runtime


def _pages(runtime: Runtime, unit: str, wanted: Wanted, since: datetime | None = None) -> Side:
    caller = Principal(sub="S0017", unit=unit, roles=frozenset({"handler"}))

    async def p95() -> float:
        spent, window = [], Window(since=since)
        for _ in range(PAGES):
            watch = Stopwatch()
            async with runtime.db.transaction() as tx:
                page = await searching.listing(tx, runtime, caller, window, wanted)
            SHOWN.dump_json(SHOWN.validate_python(page, from_attributes=True))
            spent.append(watch.seconds * 1000)
            # On, or from the beginning: somebody turns a few pages, not all.
            window = window.at(page.next) if page.next and random.random() < 0.8 else Window(since=since)
        return quantile(spent, 0.95)

    return p95
