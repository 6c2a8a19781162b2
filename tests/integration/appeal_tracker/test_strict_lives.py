"""Random packs, calendars, choices and recalculations: whatever is brought about, nothing runs by a laxer rule."""

from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import asyncpg
import chinese_calendar
import pytest

from appeal_tracker.calendars.period import Period
from appeal_tracker.policies import relaxing
from appeal_tracker.recalculations import measuring
from tests.integration.appeal_tracker.conftest import emptied
from tests.integration.appeal_tracker.desk import Desk
from tests.integration.appeal_tracker.test_publishing_calendars import day, report
from tests.support.slow_model import Model, in_utc, on_the_wall
from tests.support.stack import Stack

UNITS = ("37401", "37402")
# Of less than ten working days a shorter or as long a period in calendar days is strict on any calendar.
PERIODS = [*(f"{count} {unit} days" for count in range(9, 20) for unit in ("working", "calendar"))]
START = datetime.fromisoformat("2026-10-10T09:30:00+08:00")


BEGINNINGS = [on_the_wall(START) + timedelta(days=number) for number in range(48)]


class LaxerRule(AssertionError):
    """Something runs by a rule that lets it be due later than what it extends."""


def first_laxer(calendar: Model, own: Period, base: Period) -> datetime | None:
    return next((start for start in BEGINNINGS if calendar.due(start, own) > calendar.due(start, base)), None)


class World:
    """A pack over another, versions of it, calendars that lie over the statutory one; what is due is told by a model
    that counts on its fingers."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk, self.chance = desk, Random(seed)
        self.calendars: dict[str, frozenset[date]] = {"cn-statutory": frozenset()}
        self.periods: dict[str, str] = {}  # by label
        self.known: set[tuple[str, str]] = set()
        self.done = {"taken": 0, "laxer": 0}

    async def found(self) -> None:
        self.desk.clock.set(START)
        for name in ("plant", "region"):
            # Some days are others, and some weeks are worked through.
            flipped = {START.date() + timedelta(days=self.chance.randint(1, 45)) for _ in range(4)}
            first = self.chance.randint(1, 20)
            weeks = [START.date() + timedelta(days=number) for number in range(first, first + 21)]
            flipped |= {each for each in weeks if not chinese_calendar.is_workday(each)}
            days = [day(each.isoformat(), off=chinese_calendar.is_workday(each)) for each in sorted(flipped)]
            document = {"extends": "cn-statutory", "papers": ["停工令"], "days": days}
            await self.desk.publish_days(name, document)
            self.calendars[name] = frozenset(flipped)
        base = f"{self.chance.randint(10, 14)} working days"
        await self.publish("base", "t-sdpea", base)
        # In the balance: as strict on the statutory calendar, too lax on one that lies over it. Before it what is too
        # lax anywhere, for whoever publishes it to refuse.
        lax = {within: self.laxer_on(within, base) for within in PERIODS}
        tilting = [within for within, where in lax.items() if where and "cn-statutory" not in where]
        too_lax = [within for within, where in lax.items() if "cn-statutory" in where]
        for version in range(1, 4):
            # The last one alone is measured where it is picked later; an earlier one, where something is brought to it.
            tilts = version < 3 or self.chance.random() < 0.5
            for within in (self.chance.choice(too_lax), *(tilting[:3] if tilts else ()), "2 working days"):
                if await self.publish("own", "base", within, version):
                    break
            self.desk.later(days=1)
        for unit in UNITS:
            await self.assign(unit, "own", self.chance.choice(("plant", "region")))
            await self.desk.raised(appeal_type="report", unit_code=unit, received_at=self.desk.clock.now())

    def laxer_on(self, within: str, base: str) -> set[str]:
        its = Period.parse(within), Period.parse(base)
        return {name for name in self.calendars if first_laxer(self.counted(name), *its) is not None}

    async def publish(self, pack: str, extends: str, within: str, version: int = 1) -> bool:
        begins = {"effective_from": (self.today + timedelta(days=1)).isoformat()} if version > 1 else {}
        body = {"id": pack, "extends": extends, "appeals": report(within), **begins}
        if taken := self._noted(await self.desk.admin.post("/policies", json=body)):
            self.periods[f"{pack}@{version}"] = within
        return taken

    @property
    def today(self) -> date:
        return on_the_wall(self.desk.clock.now()).date()

    def _noted(self, answer: Any) -> bool:
        refused = answer.status_code == 422 and answer.json()["type"] == "/problems/laxer-policy"
        assert answer.is_success or refused, answer.text
        self.done["taken" if answer.is_success else "laxer"] += 1
        return bool(answer.is_success)

    async def step(self) -> None:
        what = self.chance.choice(("raise", "raise", "assign", "bring", "bring", "time"))
        unit = self.chance.choice(UNITS)
        if what == "raise":
            ago = timedelta(minutes=self.chance.randint(0, 4000))
            received = max(START, self.desk.clock.now() - ago)
            await self.desk.raised(appeal_type="report", unit_code=unit, received_at=received)
        elif what == "assign":
            await self.assign(unit, self.chance.choice(("own", "base")), self.chance.choice([None, *self.calendars]))
        elif what == "bring":
            await self.bring(unit)
        else:
            self.desk.later(minutes=self.chance.randint(1, 3000))
            await self.desk.stack.settle()

    async def assign(self, unit: str, policy: str, calendar: str | None) -> None:
        body = {"policy": policy, "calendar": calendar}
        self._noted(await self.desk.admin.put(f"/units/{unit}/policy", json=body, headers={"If-Match": "*"}))

    async def bring(self, unit: str) -> None:
        chance = self.chance
        by_version: dict[str, Any] = {
            "cause": "policy_version",
            "policy": chance.choice(("own", "own", "base", "t-sdpea")),
        }
        by_version |= {"to": "own", "version": chance.randint(1, 3)}
        by_version |= {"unit_code": unit} if chance.random() < 0.5 else {}
        body = chance.choice([by_version, by_version, {"cause": "assignment", "unit_code": unit}])
        tried = await self.desk.admin.post("/recalculations", json=body, params={"dry_run": "true"})
        taken = self._noted(await self.desk.admin.post("/recalculations", json=body))
        assert tried.is_success is taken, "a dry run says what a job then does"
        await self.desk.stack.settle()
        (first, *_) = (await self.desk.rows("SELECT state FROM recalculations ORDER BY id DESC")) or [{"state": "done"}]
        assert first["state"] == "done"

    async def is_strict(self) -> None:
        """What runs is due when its version says, and by its rule nothing would be due later, whenever it began."""
        running = await self.desk.rows("SELECT * FROM clocks WHERE milestone = 'answer' AND state = 'running'")
        for clock in running:
            its, start = self.counted(clock["calendar"]), on_the_wall(clock["started_at"])
            due = its.due(start, Period.parse(self.periods[clock["policy"]]))
            assert clock["due_at"] == in_utc(due), (clock["policy"], clock["calendar"], start)
        base = Period.parse(self.periods["base@1"])
        for policy, calendar in {(clock["policy"], clock["calendar"]) for clock in running} - self.known:
            its, own = self.counted(calendar), Period.parse(self.periods[policy])
            if (first := first_laxer(its, own, base)) is not None:
                raise LaxerRule(policy, calendar, first)
            self.known.add((policy, calendar))

    def counted(self, calendar: str) -> Model:
        return Model(self.calendars[calendar.partition("@")[0]], [])


async def lived(desk: Desk, seed: int, steps: int) -> dict[str, int]:
    world = World(desk, seed)
    await world.found()
    for _ in range(steps):
        await world.step()
        await world.is_strict()
    return world.done


@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_ever_runs_by_a_laxer_rule(desk: Desk, seed: int) -> None:
    await lived(desk, seed, 20)


async def nothing_is_laxer(*_: Any) -> list[Any]:
    return []


@pytest.mark.parametrize(
    ("where", "what", "first"),
    [
        (relaxing, "found", 0),
        (relaxing, "demand_strict", 0),
        (measuring, "demand_strict", 9),  # a life that comes to it soon: there are some in twenty
    ],
    ids=["nowhere", "only published", "published and picked"],
)
async def test_where_not_all_is_measured_the_search_finds_what_is_laxer(
    tracker_alone: Stack, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, where: Any, what: str, first: int
) -> None:
    monkeypatch.setattr(where, what, nothing_is_laxer)
    for seed in range(first, first + 20):
        await emptied(tracker_alone, owner)
        its = Desk(tracker_alone)
        await its.found()
        try:
            await lived(its, seed, 15)
        except LaxerRule:
            return
    raise AssertionError("nothing was found")


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_nothing_ever_runs_by_a_laxer_rule_in_many_lives(tracker_alone: Stack, owner: asyncpg.Connection) -> None:
    done = {"taken": 0, "laxer": 0}
    for seed in range(100, 160):
        await emptied(tracker_alone, owner)
        its = Desk(tracker_alone)
        await its.found()
        for what, count in (await lived(its, seed, 40)).items():
            done[what] += count
    assert all(done.values()), done
