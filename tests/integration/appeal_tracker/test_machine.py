"""Random lives of appeals, on the real database, against a model that says slowly what should have become of them."""

import asyncio
import json
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chassis.ids import new_id
from contracts.appeals import AppealRaised
from tests.integration.appeal_tracker.conftest import emptied
from tests.integration.appeal_tracker.desk import Desk, raised, unit
from tests.integration.appeal_tracker.model import HOLDABLE, LADDERS, MODES, WITHIN, Appeal, fire
from tests.support.stack import Stack

UNITS = dict(zip(MODES, ("37401", "37402", "37403"), strict=True))
# Before the Spring Festival, before Labour Day with a make-up Saturday after it, and an ordinary week.
STARTS = ("2026-02-11T16:00", "2026-04-28T09:30", "2026-06-01T08:15")
TELL = ["owner", "unit_supervisors"]
REPORT = [
    {
        "milestone": milestone,
        "within": within,
        "clause": "企标 1",
        "holdable": milestone in HOLDABLE,
        "ladder": [{"at": float(at) if at == "0.5" else at, "tell": TELL} for at in LADDERS[milestone]],
    }
    for milestone, within in WITHIN.items()
]
minutes_back = st.one_of(st.just(0), st.integers(0, 180), st.integers(0, 6000))
some = st.integers(0, 5)


class Lives(RuleBasedStateMachine):
    """Drives the service and the model alike; after each step they agree on everything."""

    here: asyncio.AbstractEventLoop
    stack: Stack
    owner: asyncpg.Connection

    def __init__(self) -> None:
        super().__init__()
        self.world: list[Appeal] = []
        self.raised: dict[str, tuple[UUID, AppealRaised]] = {}
        self.customers = [new_id() for _ in range(2)]

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.here.run_until_complete(asyncio.wait_for(work, 60))

    @property
    def now(self) -> datetime:
        return self.desk.clock.now()

    @initialize(start=st.sampled_from(STARTS))
    def found(self, start: str) -> None:
        self.run(self._found(datetime.fromisoformat(f"{start}+08:00")))

    async def _found(self, start: datetime) -> None:
        await emptied(self.stack, self.owner)
        self.stack.clock.set(start - timedelta(days=5))  # so that what is heard of late goes by the packs too
        self.desk = Desk(self.stack)
        await self.desk.found()
        await self.desk.hear(unit(UNITS["continue"], "374"))
        for mode, code in UNITS.items():
            pack = {"id": mode.replace("_", "-"), "reopen": mode, "calendar": "cn-statutory"}
            await self.desk.publish(**pack, appeals={"report": REPORT})
            await self.desk.assign(code, pack["id"])
        self.stack.clock.set(start)

    def chosen(self, which: int) -> Appeal:
        return self.world[which % len(self.world)]

    def back(self, appeal: Appeal, minutes: int) -> datetime:
        """A time in the past; now and then before the appeal was there."""
        return max(self.now - timedelta(minutes=minutes), appeal.received - timedelta(minutes=1))

    def do(self, appeal: Appeal, act: str, taken: bool, at: datetime | None = None, **body: Any) -> None:
        """Asks for an act, and is answered as the model says."""
        body = body if at is None else {"at": at.isoformat(), **body}
        answer = self.run(self.desk.supervisor.post(f"/appeals/{appeal.id}/{act}", json=body))
        assert answer.is_success is taken, (act, answer.text)
        assert answer.status_code < 500
        event(f"{act} {'taken' if taken else 'refused'}")

    @precondition(lambda self: len(self.world) < 5)
    @rule(mode=st.sampled_from(MODES), customer=st.integers(0, 1), late=minutes_back)
    def raise_one(self, mode: str, customer: int, late: int) -> None:
        received = self.now - timedelta(minutes=late)
        its = {"appeal_type": "report", "unit_code": UNITS[mode], "customer_id": self.customers[customer]}
        told = raised(**its, received_at=received, recorded_at=self.now)
        self.raised[str(told.appeal_id)] = (new_id(), told)
        self.hear(*self.raised[str(told.appeal_id)])
        Appeal(str(told.appeal_id), mode, customer, received, self.world)
        fire(self.world, self.now)  # to hear, everything turns

    def hear(self, id: UUID, told: AppealRaised) -> None:
        self.run(self.desk.hear(told, ids=[id]))

    @precondition(lambda self: self.world)
    @rule(which=some, the_same=st.booleans())
    def hear_again(self, which: int, the_same: bool) -> None:
        known, appeal = self.raised[self.chosen(which).id]
        self.hear(known if the_same else new_id(), appeal)
        fire(self.world, self.now)

    @precondition(lambda self: self.world)
    @rule(which=some, minutes=minutes_back)
    def contact(self, which: int, minutes: int) -> None:
        appeal = self.chosen(which)
        at = self.back(appeal, minutes)
        self.do(appeal, "contacts", appeal.contact(at, self.now), at, channel="phone", result="reached")

    @precondition(lambda self: self.world)
    @rule(which=some, minutes=minutes_back)
    def answer(self, which: int, minutes: int) -> None:
        appeal = self.chosen(which)
        at = self.back(appeal, minutes)
        self.do(appeal, "answers", appeal.answer(at, self.now), at, content="已检修")

    @precondition(lambda self: self.world)
    @rule(which=some, minutes=minutes_back)
    def call_back(self, which: int, minutes: int) -> None:
        appeal = self.chosen(which)
        at = self.back(appeal, minutes)
        self.do(appeal, "callbacks", appeal.call_back(at, self.now), at, result="completed")

    @precondition(lambda self: self.world)
    @rule(which=some, minutes=minutes_back)
    def hold(self, which: int, minutes: int) -> None:
        appeal = self.chosen(which)
        at = self.back(appeal, minutes)
        self.do(appeal, "hold", appeal.hold_since(at, self.now), at, reason="等待")

    @precondition(lambda self: any(appeal.hold for appeal in self.world))
    @rule(which=some, minutes=minutes_back)
    def resume(self, which: int, minutes: int) -> None:
        held = [appeal for appeal in self.world if appeal.hold]
        appeal = held[which % len(held)]
        at = self.back(appeal, minutes)
        self.do(appeal, "resume", appeal.resume_at(at, self.now), at)

    @precondition(lambda self: self.world)
    @rule(which=some)
    def transfer(self, which: int) -> None:
        appeal = self.chosen(which)
        self.do(appeal, "transfer", appeal.progress != "closed", handler="E150", reason="轮岗")

    @precondition(lambda self: len(self.world) > 1)
    @rule(which=some, other=some)
    def merge(self, which: int, other: int) -> None:
        appeal, into = self.chosen(which), self.chosen(other)
        self.do(appeal, "merge", appeal.merge(into, self.now), into=into.id)

    @precondition(lambda self: any(appeal.merged for appeal in self.world))
    @rule(which=some)
    def unmerge(self, which: int) -> None:
        merged = [appeal for appeal in self.world if appeal.merged]
        appeal = merged[which % len(merged)]
        self.do(appeal, "unmerge", appeal.unmerge(self.now))

    @precondition(lambda self: self.world)
    @rule(which=some)
    def close(self, which: int) -> None:
        appeal = self.chosen(which)
        self.do(appeal, "close", appeal.close(self.now))

    @precondition(lambda self: any(appeal.progress == "closed" for appeal in self.world))
    @rule(which=some)
    def reopen(self, which: int) -> None:
        closed = [appeal for appeal in self.world if appeal.progress == "closed"]
        appeal = closed[which % len(closed)]
        self.do(appeal, "reopen", appeal.reopen(self.now), reason="客户再次反映")

    @rule(minutes=st.one_of(st.integers(1, 600), st.integers(1, 6000)), down=st.booleans())
    def time_passes(self, minutes: int, down: bool) -> None:
        """Nobody looks meanwhile, nor afterwards where everything is down."""
        self.desk.later(minutes=minutes)
        if not down:
            self.run(self.desk.stack.settle())
            fire(self.world, self.now)

    @invariant()
    def the_service_agrees_with_the_model(self) -> None:
        self.run(self._agree())

    async def _agree(self) -> None:
        appeals = {str(row["id"]): row for row in await self.desk.rows("SELECT * FROM appeals")}
        clocks = await self.desk.rows("SELECT * FROM clocks")
        fired = await self.desk.rows("SELECT clock_id, step, fire_at, fired_at FROM timers WHERE state = 'fired'")
        steps: dict[UUID, set[str]] = {}
        for row in fired:
            steps.setdefault(row["clock_id"], set()).add(row["step"])
        for appeal in self.world:
            row = appeals[appeal.id]
            shown = (row["state"], row["round"], row["outcome"], str(row["merged_into"]))
            assert shown == (appeal.state, appeal.round, appeal.outcome, appeal.leader.id if appeal.leader else "None")
            found = {
                (each["round"], each["milestone"]): each for each in clocks if str(each["subject_id"]) == appeal.id
            }
            assert found.keys() == {(clock.round, clock.milestone) for clock in appeal.clocks}
            for clock in appeal.clocks:
                its = found[clock.round, clock.milestone]
                told = f"{clock.milestone} of round {clock.round} of {appeal.id}"
                assert its["state"] == ("held" if clock.held else clock.state), told
                assert its["started_at"] == clock.start, told
                assert its["due_at"] == clock.due(), told
                assert (its["stopped_at"], its["breached_at"]) == (clock.stopped, clock.breached), told
                assert steps.get(its["id"], set()) == clock.fired, told

    def teardown(self) -> None:
        if self.world:
            self.run(self._told())

    async def _told(self) -> None:
        """Each step that fired was told once, never early, and nobody of what was met by then."""
        told, met = set(), set()
        timers = await self.desk.rows("""
            SELECT clock_id::text, step, fire_at, subject_id::text, round, milestone
            FROM timers JOIN clocks ON clocks.id = clock_id WHERE timers.state = 'fired'""")
        known = {(each.id, clock.round, clock.milestone): clock for each in self.world for clock in each.clocks}
        fire_at = {
            (row["clock_id"], row["step"]): row["fire_at"]
            for row in timers
            if row["step"] not in known[row["subject_id"], row["round"], row["milestone"]].inherited
        }
        for row in await self.desk.rows("SELECT type, payload FROM outbox ORDER BY seq"):
            said = json.loads(row["payload"])
            if row["type"] in ("deadline.met.v1", "deadline.corrected.v1"):
                met.add(said["clock_id"])
            elif "step" in said:
                step = (said["clock_id"], said["step"])
                assert step not in told, "told twice"
                assert said["clock_id"] not in met, "told though it was met"
                assert datetime.fromisoformat(said["at"]) >= fire_at[step], "told early"
                told.add(step)
        assert told == fire_at.keys(), "fired and not told"


@pytest.fixture
async def lives(tracker_alone: Stack, owner: asyncpg.Connection) -> type[Lives]:
    Lives.here, Lives.stack, Lives.owner = asyncio.get_running_loop(), tracker_alone, owner
    return Lives


SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=False)


def test_random_lives(lives: type[Lives]) -> None:
    run_state_machine_as_test(lives, settings=settings(SETTINGS, max_examples=8, stateful_step_count=25))


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_many_random_lives(lives: type[Lives]) -> None:
    run_state_machine_as_test(lives, settings=settings(SETTINGS, max_examples=600, stateful_step_count=50))
