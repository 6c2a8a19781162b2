"""Random packs, calendars, choices and recalculations: whatever is brought about, nothing runs by a laxer rule."""

from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import asyncpg
import chinese_calendar
import pytest

from appeal_tracker.calendars.period import Period
from tests.integration.appeal_tracker.conftest import emptied
from tests.integration.appeal_tracker.desk import Desk
from tests.integration.appeal_tracker.test_publishing_calendars import day, report
from tests.support.slow_model import Model, in_utc, on_the_wall
from tests.support.stack import Stack

UNITS = ("37401", "37402")
PERIODS = [
    *(f"{count} working days" for count in range(2, 9)),
    *(f"{count} calendar days" for count in range(2, 13)),
    *(f"{24 * count} hours" for count in range(2, 9)),
]
START = datetime.fromisoformat("2026-10-10T09:30:00+08:00")


def _length(period: str) -> float:
    count, unit, *_ = period.split()
    return int(count) * {"working": 1.4, "calendar": 1, "hours": 1 / 24}[unit]


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
            flipped = frozenset(START.date() + timedelta(days=self.chance.randint(1, 45)) for _ in range(8))
            days = [day(each.isoformat(), off=chinese_calendar.is_workday(each)) for each in sorted(flipped)]
            document = {"extends": "cn-statutory", "papers": ["停工令"], "days": days}
            await self.desk.publish_days(name, document)
            self.calendars[name] = flipped
        await self.publish("base", "t-sdpea", f"{self.chance.randint(5, 8)} working days")
        for version in range(1, 4):
            # As lax as may be: whether it is too lax on another calendar is in the balance then.
            for within in sorted(self.chance.sample(PERIODS, 9), key=_length, reverse=True):
                if await self.publish("own", "base", within, version):
                    break
            self.desk.later(days=1)

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
            body = {
                "policy": self.chance.choice(("own", "base")),
                "calendar": self.chance.choice([None, *self.calendars]),
            }
            self._noted(await self.desk.admin.put(f"/units/{unit}/policy", json=body, headers={"If-Match": "*"}))
        elif what == "bring":
            await self.bring(unit)
        else:
            self.desk.later(minutes=self.chance.randint(1, 3000))
            await self.desk.stack.settle()

    async def bring(self, unit: str) -> None:
        chance = self.chance
        by_version: dict[str, Any] = {"cause": "policy_version", "policy": chance.choice(("own", "base", "t-sdpea"))}
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
            for number in range(48):
                start = on_the_wall(START) + timedelta(days=number)
                assert its.due(start, own) <= its.due(start, base), (policy, calendar, start)
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
